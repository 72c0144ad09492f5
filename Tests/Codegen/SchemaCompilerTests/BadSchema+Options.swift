// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let options: [BadSchema] = [
        BadSchema(
            "an unknown option",
            """
            syntax = "proto3";
            option no_such = 1;
            """,
            findings: [
                "main.proto:2:8: error: expected an option of google.protobuf.FileOptions, "
                    + "which has no \"no_such\"; custom options stand in parentheses"
            ],
        ),
        BadSchema(
            "a custom option without parentheses",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { int32 a = 1 [text = "x"]; }
            """,
            findings: [
                "main.proto:3:26: error: expected an option of "
                    + "google.protobuf.FieldOptions, which has no \"text\"; custom options stand "
                    + "in parentheses"
            ],
        ),
        BadSchema(
            "an unknown custom option",
            """
            syntax = "proto3";
            option (a.b) = 1;
            """,
            findings: [
                "main.proto:2:8: error: expected a custom option, but \"a.b\" is not defined"
            ],
        ),
        BadSchema(
            "an option that is a message",
            """
            syntax = "proto3";
            message M {}
            option (M) = 1;
            """,
            findings: [
                "main.proto:3:8: error: expected an extension, but \"M\" is a message"
            ],
        ),
        BadSchema(
            "an option of another kind of declaration",
            """
            syntax = "proto3";
            import "opt.proto";
            option (opt.text) = "x";
            """,
            findings: [
                "main.proto:3:8: error: expected an extension of "
                    + "google.protobuf.FileOptions, but \"opt.text\" extends "
                    + "google.protobuf.FieldOptions"
            ],
        ),
        BadSchema(
            "an option without value",
            """
            syntax = "proto3";
            option go_package;
            """,
            findings: [
                "main.proto:2:18: error: expected \"=\" behind the option's name, found \";\""
            ],
        ),
        BadSchema(
            "an option without semicolon",
            """
            syntax = "proto3";
            option go_package = "x"
            message M {}
            """,
            findings: [
                "main.proto:3:1: error: expected \";\" behind the option, found \"message\""
            ],
        ),
        BadSchema(
            "an option set twice",
            """
            syntax = "proto3";
            option go_package = "x";
            option go_package = "y";
            """,
            findings: [
                "main.proto:3:8: error: expected option \"go_package\" once; it is set already"
            ],
        ),
        BadSchema(
            "a part of an option set twice",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule).number = 1; option (opt.rule).number = 2; }
            """,
            findings: [
                "main.proto:3:50: error: expected option \"(opt.rule).number\" once; it is "
                    + "set already"
            ],
        ),
        BadSchema(
            "a string option with a number",
            """
            syntax = "proto3";
            option go_package = 1;
            """,
            findings: [
                "main.proto:2:21: error: expected a string in quotes for \"go_package\", "
                    + "found an integer"
            ],
        ),
        BadSchema(
            "a bool option with a number",
            """
            syntax = "proto3";
            option java_multiple_files = 1;
            """,
            findings: [
                "main.proto:2:30: error: expected true or false for "
                    + "\"java_multiple_files\", found an integer"
            ],
        ),
        BadSchema(
            "an enum option with a number",
            """
            syntax = "proto3";
            option optimize_for = 1;
            """,
            findings: [
                "main.proto:2:23: error: expected a value of "
                    + "\"google.protobuf.FileOptions.OptimizeMode\" by name, found an integer"
            ],
        ),
        BadSchema(
            "an enum option with an unknown name",
            """
            syntax = "proto3";
            option optimize_for = FAST;
            """,
            findings: [
                "main.proto:2:23: error: expected a value of "
                    + "\"google.protobuf.FileOptions.OptimizeMode\", which has no \"FAST\""
            ],
        ),
        BadSchema(
            "a number option out of range",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { int32 a = 1 [(opt.small) = 2147483648]; }
            """,
            findings: [
                "main.proto:3:40: error: expected a 32-bit integer in range for \"small\", "
                    + "found an integer"
            ],
        ),
        BadSchema(
            "a number option with a fraction",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { int32 a = 1 [(opt.small) = 1.5]; }
            """,
            findings: [
                "main.proto:3:40: error: expected a 32-bit integer for \"small\", found a "
                    + "floating point number"
            ],
        ),
        BadSchema(
            "a message option with a number",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = 1; }
            """,
            findings: [
                "main.proto:3:33: error: expected a value in braces, or a field behind the "
                    + "option's name ((opt.rule).field = ...), found an integer"
            ],
        ),
        BadSchema(
            "a number option with a message",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { int32 a = 1 [(opt.small) = {}]; }
            """,
            findings: [
                "main.proto:3:40: error: expected a scalar value for option "
                    + "\"(opt.small)\", found a message in braces"
            ],
        ),
        BadSchema(
            "a field of a number option",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { int32 a = 1 [(opt.small).x = 1]; }
            """,
            findings: [
                "main.proto:3:26: error: expected a message before \".\", but option "
                    + "\"opt.small\" is none"
            ],
        ),
        BadSchema(
            "a field of a repeated option",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rules).number = 1; }
            """,
            findings: [
                "main.proto:3:20: error: expected a value in braces for the repeated option "
                    + "\"opt.rules\""
            ],
        ),
        BadSchema(
            "an aggregate with an unknown field",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { nothing: 1 number: 2 }; }
            """,
            findings: [
                "main.proto:3:35: error: expected a field of opt.Rule, which has no \"nothing\""
            ],
        ),
        BadSchema(
            "an aggregate with a field twice",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { number: 1 number: 2 }; }
            """,
            findings: [
                "main.proto:3:45: error: expected \"number\" once; it is set already and "
                    + "not repeated"
            ],
        ),
        BadSchema(
            "an aggregate with a list for one value",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { number: [1, 2] }; }
            """,
            findings: [
                "main.proto:3:43: error: expected one value: \"number\" is not repeated"
            ],
        ),
        BadSchema(
            "an aggregate with a wrong type",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { number: "one" flag: maybe level: 7 level2: NONE }; }
            """,
            findings: [
                "main.proto:3:43: error: expected a 32-bit integer for \"number\", found a string",
                "main.proto:3:55: error: expected true or false for \"flag\", found the "
                    + "identifier \"maybe\"",
                "main.proto:3:68: error: expected the number of a value of \"opt.Level\"",
            ],
        ),
        BadSchema(
            "an aggregate without colon",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { number 1 }; }
            """,
            findings: [
                "main.proto:3:42: error: expected \":\" behind the field \"number\", found \"1\""
            ],
        ),
        BadSchema(
            "an aggregate without end",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { number: 1 ; }
            message N { int32 a = 1; }
            """,
            findings: [
                "main.proto:4:1: error: expected \";\" behind the option, found \"message\"",
                "main.proto:5:1: error: expected \"}\" to close the message that starts at "
                    + "line 3, found end of file",
            ],
        ),
        BadSchema(
            "an aggregate with two members of a oneof",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { left: 1 right: 2 }; }
            """,
            findings: [
                "main.proto:3:43: error: expected one field of oneof \"side\", found "
                    + "\"right\" beside \"left\""
            ],
        ),
        BadSchema(
            "an aggregate without a required field",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.strict) = { inner {} }; }
            """,
            findings: [
                "main.proto:3:35: error: expected the required fields must, inner.must in "
                    + "the value"
            ],
        ),
        BadSchema(
            "an aggregate nested too deep",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { inner { inner { inner { inner { inner { inner { \
            inner { inner { inner { inner { inner { inner { inner { inner { inner { inner { \
            inner { inner { inner { inner { inner { inner { inner { inner { inner { inner { \
            inner { inner { inner { inner { inner { inner { inner \
            {}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}; }
            """,
            findings: [
                "main.proto:3:291: error: expected values nested at most 32 deep"
            ],
            protocAccepts: true,
        ),
        BadSchema(
            "an aggregate with an unknown extension",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { option (opt.rule) = { [opt.none]: 1 }; }
            """,
            findings: [
                "main.proto:3:35: error: expected a custom option, but \"opt.none\" is not "
                    + "defined"
            ],
        ),
        BadSchema(
            "an option on a wrong target",
            """
            syntax = "proto3";
            import "opt.proto";
            message M { int32 a = 1 [(opt.only_enums) = true]; }
            """,
            findings: [
                "main.proto:3:26: error: expected option \"(opt.only_enums)\" on one of "
                    + "TARGET_TYPE_ENUM, found it on TARGET_TYPE_FIELD"
            ],
        ),
        BadSchema(
            "map_entry set by hand",
            """
            syntax = "proto3";
            message M { option map_entry = true; int32 key = 1; int32 value = 2; }
            """,
            findings: [
                "main.proto:2:20: error: expected a map field, map<key, value> name = 1;, "
                    + "instead of option map_entry"
            ],
        ),
        BadSchema(
            "uninterpreted_option set by hand",
            """
            syntax = "proto3";
            option uninterpreted_option = {};
            """,
            findings: [
                "main.proto:2:8: error: expected another option: \"uninterpreted_option\" "
                    + "is for compilers"
            ],
        ),
        BadSchema(
            "features without edition",
            """
            syntax = "proto3";
            option features.field_presence = IMPLICIT;
            """,
            findings: [
                "main.proto:2:8: error: expected another option: features need editions"
            ],
        ),
    ]
}
