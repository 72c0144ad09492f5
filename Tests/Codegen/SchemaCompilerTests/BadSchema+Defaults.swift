// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let defaults: [BadSchema] = [
        BadSchema(
            "a default in proto3",
            """
            syntax = "proto3";
            message M { int32 a = 1 [default = 1]; }
            """,
            findings: [
                "main.proto:2:26: error: expected no default: proto3 has none but zero"
            ],
        ),
        BadSchema(
            "a default on a repeated field",
            """
            syntax = "proto2";
            message M { repeated int32 a = 1 [default = 1]; }
            """,
            findings: [
                "main.proto:2:35: error: expected no default: repeated fields have none"
            ],
        ),
        BadSchema(
            "a default on a message",
            """
            syntax = "proto2";
            message M { optional M a = 1 [default = {}]; }
            """,
            findings: [
                "main.proto:2:31: error: expected no default: message fields have none"
            ],
        ),
        BadSchema(
            "a default out of range",
            """
            syntax = "proto2";
            message M { optional int32 a = 1 [default = 2147483648]; optional uint32 b = 2 \
            [default = -1]; optional int64 c = 3 [default = 9223372036854775808]; }
            """,
            findings: [
                "main.proto:2:45: error: expected a 32-bit integer in range as default, "
                    + "found an integer",
                "main.proto:2:91: error: expected a 32-bit integer without sign in range as "
                    + "default, found an integer",
                "main.proto:2:128: error: expected a 64-bit integer in range as default, "
                    + "found an integer",
            ],
        ),
        BadSchema(
            "a string default for a number",
            """
            syntax = "proto2";
            message M { optional int32 a = 1 [default = "1"]; }
            """,
            findings: [
                "main.proto:2:45: error: expected a 32-bit integer as default, found a string"
            ],
        ),
        BadSchema(
            "a number default for a string",
            """
            syntax = "proto2";
            message M { optional string a = 1 [default = 1]; }
            """,
            findings: [
                "main.proto:2:46: error: expected a string in quotes as default, found an integer"
            ],
        ),
        BadSchema(
            "a number default for a bool",
            """
            syntax = "proto2";
            message M { optional bool a = 1 [default = 1]; }
            """,
            findings: [
                "main.proto:2:44: error: expected true or false as default, found an integer"
            ],
        ),
        BadSchema(
            "a default that the enum lacks",
            """
            syntax = "proto2";
            enum E { A = 0; }
            message M { optional E a = 1 [default = B]; }
            """,
            findings: [
                "main.proto:3:41: error: expected a value of \"E\", which has no \"B\""
            ],
        ),
        BadSchema(
            "a number default for an enum",
            """
            syntax = "proto2";
            enum E { A = 0; }
            message M { optional E a = 1 [default = 0]; }
            """,
            findings: [
                "main.proto:3:41: error: expected a value of \"E\" by name, found an integer"
            ],
        ),
        BadSchema(
            "a fraction default for an integer",
            """
            syntax = "proto2";
            message M { optional int32 a = 1 [default = 1.5]; }
            """,
            findings: [
                "main.proto:2:45: error: expected a 32-bit integer as default, found a "
                    + "floating point number"
            ],
        ),
        BadSchema(
            "a default with a sign before a word",
            """
            syntax = "proto2";
            message M { optional double a = 1 [default = -big]; }
            """,
            findings: [
                "main.proto:2:47: error: expected a number, inf or nan behind \"-\", found "
                    + "\"big\""
            ],
        ),
        BadSchema(
            "a default of invalid UTF-8",
            #"""
            syntax = "proto2";
            message M { optional string a = 1 [default = "\xff"]; }
            """#,
            findings: [
                "main.proto:2:46: error: expected a string in UTF-8 as default, found a string"
            ],
            protocAccepts: true,
        ),
        BadSchema(
            "a default set twice",
            """
            syntax = "proto2";
            message M { optional int32 a = 1 [default = 1, default = 2]; }
            """,
            findings: [
                "main.proto:2:48: error: expected option \"default\" once; it is set already"
            ],
        ),
    ]
}
