// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let services: [BadSchema] = [
        BadSchema(
            "a method without returns",
            """
            syntax = "proto3";
            message M {}
            service S { rpc F(M); }
            """,
            findings: [
                "main.proto:3:21: error: expected \"returns\" behind the request type, "
                    + "found \";\""
            ],
        ),
        BadSchema(
            "a method without parentheses",
            """
            syntax = "proto3";
            message M {}
            service S { rpc F M returns (M); }
            """,
            findings: [
                "main.proto:3:19: error: expected \"(\" before the request type, found \"M\""
            ],
        ),
        BadSchema(
            "a method with an unknown type",
            """
            syntax = "proto3";
            service S { rpc F(In) returns (Out); }
            """,
            findings: [
                "main.proto:2:19: error: expected a message, but \"In\" is not defined",
                "main.proto:2:32: error: expected a message, but \"Out\" is not defined",
            ],
        ),
        BadSchema(
            "a method with an enum type",
            """
            syntax = "proto3";
            enum E { A = 0; }
            service S { rpc F(E) returns (E); }
            """,
            findings: [
                "main.proto:3:19: error: expected a message, but \"E\" is an enum",
                "main.proto:3:31: error: expected a message, but \"E\" is an enum",
            ],
        ),
        BadSchema(
            "two methods with one name",
            """
            syntax = "proto3";
            message M {}
            service S { rpc F(M) returns (M); rpc F(M) returns (M); }
            """,
            findings: [
                "main.proto:3:39: error: expected a new name, but \"S.F\" is defined "
                    + "already as a method"
            ],
        ),
        BadSchema(
            "a field in a service",
            """
            syntax = "proto3";
            service S { int32 a = 1; }
            """,
            findings: [
                "main.proto:2:13: error: expected rpc or option in the service, found \"int32\""
            ],
        ),
        BadSchema(
            "a field in a method",
            """
            syntax = "proto3";
            message M {}
            service S { rpc F(M) returns (M) { int32 a = 1; } }
            """,
            findings: [
                "main.proto:3:36: error: expected option in the method, found \"int32\""
            ],
        ),
        BadSchema(
            "a method without end",
            """
            syntax = "proto3";
            message M {}
            service S { rpc F(M) returns (M) }
            """,
            findings: [
                "main.proto:3:34: error: expected \";\" or \"{\" behind the method, found \"}\""
            ],
        ),
        BadSchema(
            "a service named like a message",
            """
            syntax = "proto3";
            message S {}
            service S {}
            """,
            findings: [
                "main.proto:3:9: error: expected a new name, but \"S\" is defined already "
                    + "as a message"
            ],
        ),
        BadSchema(
            "a message named like a package elsewhere",
            """
            syntax = "proto3";
            package a;
            import "b.proto";
            message b {}
            """,
            imports: [
                "b.proto": "syntax = \"proto3\";\npackage a.b;\n"
            ],
            findings: [
                "main.proto:4:9: error: expected a new name, but \"a.b\" is defined already "
                    + "as a package in \"b.proto\""
            ],
        ),
    ]
}
