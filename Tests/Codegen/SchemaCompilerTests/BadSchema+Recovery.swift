// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let recovery: [BadSchema] = [
        BadSchema(
            "errors in several statements",
            """
            syntax = "proto3";
            message A { int32 a = ; }
            message B { int32 b 2; string c = 3; }
            enum E { X 0; }
            service S { rpc (A) returns (B); }
            """,
            findings: [
                "main.proto:2:23: error: expected the field's number, found \";\"",
                "main.proto:3:21: error: expected \"=\" and a number behind the field's "
                    + "name, found \"2\"",
                "main.proto:4:12: error: expected \"=\" and a number behind the enum "
                    + "value's name, found \"0\"",
                "main.proto:5:17: error: expected the method's name, found \"(\"",
            ],
        ),
        BadSchema(
            "errors of several kinds in one link",
            """
            syntax = "proto3";
            message A { Missing a = 1; int32 b = 1; Gone c = 3; }
            enum E { X = 1; }
            """,
            findings: [
                "main.proto:2:13: error: expected a message or enum, but \"Missing\" is not "
                    + "defined",
                "main.proto:2:38: error: expected a free number, but 1 is used by field "
                    + "\"a\" of \"A\" already",
                "main.proto:2:41: error: expected a message or enum, but \"Gone\" is not defined",
                "main.proto:3:10: error: expected 0 as the number of the first value, found "
                    + "1: proto3 enums start at zero",
            ],
        ),
    ]
}
