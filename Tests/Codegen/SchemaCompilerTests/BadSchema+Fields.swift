// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let fields: [BadSchema] = [
        BadSchema(
            "a message without name",
            """
            syntax = "proto3";
            message {}
            """,
            findings: [
                "main.proto:2:9: error: expected the message's name, found \"{\""
            ],
        ),
        BadSchema(
            "a message named by a number",
            """
            syntax = "proto3";
            message 1M {}
            """,
            findings: [
                "main.proto:2:9: error: expected the message's name, found \"1M\"",
                "main.proto:2:10: error: expected a space between number and identifier",
            ],
        ),
        BadSchema(
            "a field without number",
            """
            syntax = "proto3";
            message M { int32 a; }
            """,
            findings: [
                "main.proto:2:20: error: expected \"=\" and a number behind the field's "
                    + "name, found \";\""
            ],
        ),
        BadSchema(
            "a field without name",
            """
            syntax = "proto3";
            message M { int32 = 1; }
            """,
            findings: [
                "main.proto:2:19: error: expected the field's name, found \"=\""
            ],
        ),
        BadSchema(
            "a field without semicolon",
            """
            syntax = "proto3";
            message M {
              int32 a = 1
              int32 b = 2;
              int32 c = 2;
            }
            """,
            findings: [
                "main.proto:4:3: error: expected \";\" behind the field, found \"int32\""
            ],
        ),
        BadSchema(
            "a field with a negative number",
            """
            syntax = "proto3";
            message M { int32 a = -1; }
            """,
            findings: [
                "main.proto:2:23: error: expected the field's number, found \"-\""
            ],
        ),
        BadSchema(
            "a field with number zero",
            """
            syntax = "proto3";
            message M { int32 a = 0; }
            """,
            findings: [
                "main.proto:2:23: error: expected a field number between 1 and 536870911, found 0"
            ],
        ),
        BadSchema(
            "a field with a number too large",
            """
            syntax = "proto3";
            message M { int32 a = 536870912; }
            """,
            findings: [
                "main.proto:2:23: error: expected a field number between 1 and 536870911, "
                    + "found 536870912"
            ],
        ),
        BadSchema(
            "a field with a number beyond 32 bits",
            """
            syntax = "proto3";
            message M { int32 a = 4294967296; }
            """,
            findings: [
                "main.proto:2:23: error: expected the field's number in the range up to "
                    + "2147483647"
            ],
        ),
        BadSchema(
            "a field with a number for implementations",
            """
            syntax = "proto3";
            message M { int32 a = 19000; int32 b = 19999; int32 c = 20000; }
            """,
            findings: [
                "main.proto:2:23: error: expected a field number outside 19000 to 19999, "
                    + "which are kept for implementations, found 19000",
                "main.proto:2:40: error: expected a field number outside 19000 to 19999, "
                    + "which are kept for implementations, found 19999",
            ],
        ),
        BadSchema(
            "a field with a float for number",
            """
            syntax = "proto3";
            message M { int32 a = 1.5; }
            """,
            findings: [
                "main.proto:2:23: error: expected the field's number, found \"1.5\""
            ],
        ),
        BadSchema(
            "two fields with one number",
            """
            syntax = "proto3";
            message M { int32 a = 1; int32 b = 1; }
            """,
            findings: [
                "main.proto:2:36: error: expected a free number, but 1 is used by field "
                    + "\"a\" of \"M\" already"
            ],
        ),
        BadSchema(
            "two fields with one name",
            """
            syntax = "proto3";
            message M { int32 a = 1; string a = 2; }
            """,
            findings: [
                "main.proto:2:33: error: expected a new name, but \"M.a\" is defined "
                    + "already as a field"
            ],
        ),
        BadSchema(
            "a field with a reserved number",
            """
            syntax = "proto3";
            message M { reserved 3 to 5; int32 a = 4; }
            """,
            findings: [
                "main.proto:2:40: error: expected a number that is not reserved, found 4"
            ],
        ),
        BadSchema(
            "a field with a reserved name",
            """
            syntax = "proto3";
            message M { reserved "a"; int32 a = 4; }
            """,
            findings: [
                "main.proto:2:33: error: expected a name that is not reserved, found \"a\""
            ],
        ),
        BadSchema(
            "a field with a number of the extensions",
            """
            syntax = "proto2";
            message M { extensions 3 to 5; optional int32 a = 4; }
            """,
            findings: [
                "main.proto:2:51: error: expected a number outside the extension ranges, found 4"
            ],
        ),
        BadSchema(
            "a proto2 field without label",
            """
            syntax = "proto2";
            message M { int32 a = 1; }
            """,
            findings: [
                "main.proto:2:13: error: expected \"optional\", \"required\" or "
                    + "\"repeated\" before the field's type"
            ],
        ),
        BadSchema(
            "a proto3 field with required",
            """
            syntax = "proto3";
            message M { required int32 a = 1; }
            """,
            findings: [
                "main.proto:2:22: error: expected a field without \"required\": proto3 has "
                    + "no required fields"
            ],
        ),
        BadSchema(
            "a label and no type",
            """
            syntax = "proto3";
            message M { repeated = 1; }
            """,
            findings: [
                "main.proto:2:22: error: expected a field, a nested declaration or \"}\", "
                    + "found \"=\""
            ],
        ),
        BadSchema(
            "a field of an unknown type",
            """
            syntax = "proto3";
            message M { Missing a = 1; }
            """,
            findings: [
                "main.proto:2:13: error: expected a message or enum, but \"Missing\" is not "
                    + "defined"
            ],
        ),
        BadSchema(
            "a field of an unknown nested type",
            """
            syntax = "proto3";
            message M { N.Missing a = 1; message N {} }
            """,
            findings: [
                "main.proto:2:13: error: expected a message or enum, but \"N.Missing\" "
                    + "means \"M.N.Missing\", which is not defined: the innermost scope is "
                    + "searched first; a leading dot (\".N.Missing\") starts from the outermost"
            ],
        ),
        BadSchema(
            "a field of a type that the scope hides",
            """
            syntax = "proto3";
            package a;
            message M {
              message a {}
              a.N n = 1;
            }
            message N {}
            """,
            findings: [
                "main.proto:5:3: error: expected a message or enum, but \"a.N\" means "
                    + "\"a.M.a.N\", which is not defined: the innermost scope is searched first; "
                    + "a leading dot (\".a.N\") starts from the outermost"
            ],
        ),
        BadSchema(
            "a field of an absolute unknown type",
            """
            syntax = "proto3";
            message M { .a.Missing a = 1; }
            """,
            findings: [
                "main.proto:2:13: error: expected a message or enum, but \".a.Missing\" is "
                    + "not defined"
            ],
        ),
        BadSchema(
            "a field of a service",
            """
            syntax = "proto3";
            service S {}
            message M { .S s = 1; }
            """,
            findings: [
                "main.proto:3:13: error: expected a message or enum, but \".S\" is a service"
            ],
        ),
        BadSchema(
            "a field of a type not imported",
            """
            syntax = "proto3";
            import "b.proto";
            message M { C c = 1; B b = 2; }
            """,
            imports: [
                "b.proto": "syntax = \"proto3\";\nimport \"c.proto\";\nmessage B { C c = 1; }\n",
                "c.proto": "syntax = \"proto3\";\nmessage C {}\n",
            ],
            findings: [
                "main.proto:3:13: error: expected a message or enum, but \"C\" is defined "
                    + "in \"c.proto\", which \"main.proto\" does not import"
            ],
        ),
        BadSchema(
            "a field of a map entry",
            """
            syntax = "proto3";
            message M { map<int32, int32> a = 1; AEntry b = 2; }
            """,
            findings: [
                "main.proto:2:38: error: expected a declared message: \"AEntry\" only "
                    + "stands for a map field"
            ],
        ),
        BadSchema(
            "a proto2 enum in proto3",
            """
            syntax = "proto3";
            import "b.proto";
            message M { E e = 1; }
            """,
            imports: [
                "b.proto": "syntax = \"proto2\";\nenum E { A = 0; }\n"
            ],
            findings: [
                "main.proto:3:13: error: expected an enum of a proto3 file: \"E\" is a "
                    + "proto2 enum, whose unknown numbers proto3 messages cannot keep"
            ],
        ),
        BadSchema(
            "a group in proto3",
            """
            syntax = "proto3";
            message M { repeated group G = 1 {} }
            """,
            findings: [
                "main.proto:2:28: error: expected a message field: proto3 has no groups"
            ],
        ),
        BadSchema(
            "a group with a small letter",
            """
            syntax = "proto2";
            message M { optional group g = 1 {} }
            """,
            findings: [
                "main.proto:2:28: error: expected a capital letter at the start of the "
                    + "group's name"
            ],
        ),
        BadSchema(
            "a group without body",
            """
            syntax = "proto2";
            message M { optional group G = 1; }
            """,
            findings: [
                "main.proto:2:33: error: expected \"{\" to open the message, found \";\""
            ],
        ),
        BadSchema(
            "messages nested too deep",
            """
            syntax = "proto3";
            message M {message M {message M {message M {message M {message M {message M \
            {message M {message M {message M {message M {message M {message M {message M \
            {message M {message M {message M {message M {message M {message M {message M \
            {message M {message M {message M {message M {message M {message M {message M \
            {message M {message M {message M {message M {message M \
            {}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}
            """,
            findings: [
                "main.proto:2:363: error: expected messages nested at most 32 deep"
            ],
        ),
        BadSchema(
            "a JSON name twice",
            """
            syntax = "proto3";
            message M { int32 foo_bar = 1; int32 fooBar = 2; }
            """,
            findings: [
                "main.proto:2:38: error: expected a field whose JSON name \"fooBar\" "
                    + "differs from that of \"foo_bar\""
            ],
        ),
        BadSchema(
            "a custom JSON name twice",
            """
            syntax = "proto2";
            message M { optional int32 a = 1 [json_name = "x"]; optional int32 b = 2 [json_name \
            = "x"]; }
            """,
            findings: [
                "main.proto:2:68: error: expected a field whose JSON name \"x\" differs "
                    + "from that of \"a\""
            ],
        ),
        BadSchema(
            "a custom JSON name that is another default",
            """
            syntax = "proto3";
            message M { int32 a = 1 [json_name = "b"]; int32 b = 2; }
            """,
            findings: [
                "main.proto:2:50: error: expected a field whose JSON name \"b\" differs "
                    + "from that of \"a\""
            ],
        ),
        BadSchema(
            "a JSON name in brackets",
            """
            syntax = "proto3";
            message M { int32 a = 1 [json_name = "[x]"]; }
            """,
            findings: [
                "main.proto:2:38: error: expected a json_name that is not in brackets, as "
                    + "only extensions are"
            ],
        ),
        BadSchema(
            "a JSON name that is a number",
            """
            syntax = "proto3";
            message M { int32 a = 1 [json_name = 5]; }
            """,
            findings: [
                "main.proto:2:38: error: expected a string as json_name, found an integer"
            ],
        ),
        BadSchema(
            "a JSON name set twice",
            """
            syntax = "proto3";
            message M { int32 a = 1 [json_name = "x", json_name = "y"]; }
            """,
            findings: [
                "main.proto:2:43: error: expected option \"json_name\" once; it is set already"
            ],
        ),
        BadSchema(
            "field options without closing bracket",
            """
            syntax = "proto3";
            message M { int32 a = 1 [deprecated = true; }
            """,
            findings: [
                "main.proto:2:43: error: expected \"]\" or \",\" behind the option, found \";\""
            ],
        ),
        BadSchema(
            "empty field options",
            """
            syntax = "proto3";
            message M { int32 a = 1 []; }
            """,
            findings: [
                "main.proto:2:26: error: expected the name of an option, found \"]\""
            ],
        ),
        BadSchema(
            "packed strings",
            """
            syntax = "proto3";
            message M { repeated string a = 1 [packed = true]; }
            """,
            findings: [
                "main.proto:2:36: error: expected [packed = true] only on repeated numbers, "
                    + "bools and enums"
            ],
        ),
        BadSchema(
            "a packed singular field",
            """
            syntax = "proto3";
            message M { int32 a = 1 [packed = true]; }
            """,
            findings: [
                "main.proto:2:26: error: expected [packed = true] only on repeated numbers, "
                    + "bools and enums"
            ],
        ),
        BadSchema(
            "a lazy number",
            """
            syntax = "proto3";
            message M { int32 a = 1 [lazy = true]; }
            """,
            findings: [
                "main.proto:2:26: error: expected [lazy = true] only on message fields"
            ],
        ),
        BadSchema(
            "jstype on a small number",
            """
            syntax = "proto3";
            message M { int32 a = 1 [jstype = JS_STRING]; }
            """,
            findings: [
                "main.proto:2:26: error: expected jstype only on 64-bit integer fields"
            ],
        ),
    ]
}
