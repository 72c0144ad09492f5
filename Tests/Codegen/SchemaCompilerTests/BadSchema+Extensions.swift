// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let extensions: [BadSchema] = [
        BadSchema(
            "an extension of nothing",
            """
            syntax = "proto2";
            extend Missing { optional int32 a = 1; }
            """,
            findings: [
                "main.proto:2:8: error: expected a message, but \"Missing\" is not defined"
            ],
        ),
        BadSchema(
            "an extension of an enum",
            """
            syntax = "proto2";
            enum E { A = 0; }
            extend E { optional int32 a = 1; }
            """,
            findings: [
                "main.proto:3:8: error: expected a message, but \"E\" is an enum"
            ],
        ),
        BadSchema(
            "an extension outside all ranges",
            """
            syntax = "proto2";
            message M { extensions 5; }
            extend M { optional int32 a = 6; }
            """,
            findings: [
                "main.proto:3:31: error: expected a number in an extension range of \"M\", "
                    + "found 6"
            ],
        ),
        BadSchema(
            "two extensions with one number",
            """
            syntax = "proto2";
            message M { extensions 5; }
            extend M { optional int32 a = 5; optional int32 b = 5; }
            """,
            findings: [
                "main.proto:3:53: error: expected a free number, but 5 of \"M\" is used by "
                    + "extension \"a\" in \"main.proto\" already"
            ],
        ),
        BadSchema(
            "a required extension",
            """
            syntax = "proto2";
            message M { extensions 5; }
            extend M { required int32 a = 5; }
            """,
            findings: [
                "main.proto:3:21: error: expected an optional or repeated extension: they "
                    + "cannot be required"
            ],
        ),
        BadSchema(
            "a map extension",
            """
            syntax = "proto2";
            message M { extensions 5; }
            extend M { map<int32, int32> a = 5; }
            """,
            findings: [
                "main.proto:3:12: error: expected another type: map fields are not allowed "
                    + "in an extend block"
            ],
        ),
        BadSchema(
            "an extension with a JSON name",
            """
            syntax = "proto2";
            message M { extensions 5; }
            extend M { optional int32 a = 5 [json_name = "b"]; }
            """,
            findings: [
                "main.proto:3:34: error: expected no json_name: extensions have their name "
                    + "in brackets in JSON"
            ],
        ),
        BadSchema(
            "an empty extend block",
            """
            syntax = "proto2";
            message M { extensions 5; }
            extend M {}
            """,
            findings: [
                "main.proto:3:10: error: expected at least one field in the extend block"
            ],
        ),
        BadSchema(
            "a proto3 extension of a message",
            """
            syntax = "proto3";
            import "b.proto";
            extend B { int32 a = 5; }
            """,
            imports: [
                "b.proto": "syntax = \"proto2\";\nmessage B { extensions 5; }\n"
            ],
            findings: [
                "main.proto:3:8: error: expected an options message of descriptor.proto: "
                    + "proto3 files extend nothing else"
            ],
        ),
    ]
}
