// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let oneofs: [BadSchema] = [
        BadSchema(
            "an empty oneof",
            """
            syntax = "proto3";
            message M { oneof o {} }
            """,
            findings: [
                "main.proto:2:19: error: expected at least one field in oneof \"o\""
            ],
        ),
        BadSchema(
            "a label in a oneof",
            """
            syntax = "proto3";
            message M { oneof o { repeated int32 a = 1; } }
            """,
            findings: [
                "main.proto:2:23: error: expected a field without label in the oneof, found "
                    + "\"repeated\""
            ],
        ),
        BadSchema(
            "a map in a oneof",
            """
            syntax = "proto3";
            message M { oneof o { map<int32, int32> a = 1; } }
            """,
            findings: [
                "main.proto:2:23: error: expected another type: map fields are not allowed "
                    + "in a oneof"
            ],
        ),
        BadSchema(
            "a oneof named like a field",
            """
            syntax = "proto3";
            message M { int32 o = 1; oneof o { int32 a = 2; } }
            """,
            findings: [
                "main.proto:2:32: error: expected a new name, but \"M.o\" is defined "
                    + "already as a field"
            ],
        ),
        BadSchema(
            "a oneof without name",
            """
            syntax = "proto3";
            message M { oneof { int32 a = 1; } }
            """,
            findings: [
                "main.proto:2:19: error: expected the oneof's name, found \"{\""
            ],
        ),
        BadSchema(
            "a repeated map",
            """
            syntax = "proto3";
            message M { repeated map<int32, int32> a = 1; }
            """,
            findings: [
                "main.proto:2:13: error: expected a map field without label: maps are "
                    + "repeated by nature"
            ],
        ),
        BadSchema(
            "a map with a float key",
            """
            syntax = "proto3";
            message M { map<float, int32> a = 1; map<bytes, int32> b = 2; map<M, int32> c = 3; }
            """,
            findings: [
                "main.proto:2:17: error: expected an integer type, bool or string as the "
                    + "map's key type",
                "main.proto:2:42: error: expected an integer type, bool or string as the "
                    + "map's key type",
                "main.proto:2:67: error: expected an integer type, bool or string as the "
                    + "map's key type",
            ],
        ),
        BadSchema(
            "a map with one type",
            """
            syntax = "proto3";
            message M { map<int32> a = 1; }
            """,
            findings: [
                "main.proto:2:22: error: expected \",\" behind the map's key type, found \">\""
            ],
        ),
        BadSchema(
            "a map whose entry name is taken",
            """
            syntax = "proto3";
            message M { map<int32, int32> a = 1; message AEntry {} }
            """,
            findings: [
                "main.proto:2:46: error: expected a new name, but \"M.AEntry\" is defined "
                    + "already as a message"
            ],
        ),
        BadSchema(
            "two maps with one entry name",
            """
            syntax = "proto3";
            message M { map<int32, int32> a_b = 1; map<int32, int32> aB = 2; }
            """,
            findings: [
                "main.proto:2:58: error: expected a new name, but \"M.ABEntry\" is defined "
                    + "already as a message; the map field at this place stands for a message of "
                    + "that name"
            ],
        ),
        BadSchema(
            "a reserved range that runs backwards",
            """
            syntax = "proto3";
            message M { reserved 5 to 3; }
            """,
            findings: [
                "main.proto:2:22: error: expected the end of the range behind its start, "
                    + "found 5 to 3"
            ],
        ),
        BadSchema(
            "reserved ranges that overlap",
            """
            syntax = "proto3";
            message M { reserved 1 to 5, 5; reserved 10, 8 to 12; }
            """,
            findings: [
                "main.proto:2:30: error: expected reserved ranges that do not overlap, but "
                    + "5 overlaps 1 to 5",
                "main.proto:2:42: error: expected reserved ranges that do not overlap, but "
                    + "10 overlaps 8 to 12",
            ],
        ),
        BadSchema(
            "a reserved number zero",
            """
            syntax = "proto3";
            message M { reserved 0; }
            """,
            findings: [
                "main.proto:2:22: error: expected reserved numbers between 1 and 536870911, "
                    + "found 0"
            ],
        ),
        BadSchema(
            "a reserved name that is none",
            """
            syntax = "proto3";
            message M { reserved "a b"; }
            """,
            findings: [
                "main.proto:2:22: error: expected an identifier as reserved name, found \"a b\""
            ],
            protocAccepts: true,
        ),
        BadSchema(
            "a reserved name without quotes",
            """
            syntax = "proto3";
            message M { reserved a; }
            """,
            findings: [
                "main.proto:2:22: error: expected reserved names in quotes or numbers, "
                    + "found \"a\""
            ],
        ),
        BadSchema(
            "reserved names and numbers mixed",
            """
            syntax = "proto3";
            message M { reserved "a", 5; }
            """,
            findings: [
                "main.proto:2:27: error: expected a reserved name in quotes, found \"5\""
            ],
        ),
        BadSchema(
            "extension ranges in proto3",
            """
            syntax = "proto3";
            message M { extensions 1 to 5; }
            """,
            findings: [
                "main.proto:2:24: error: expected no extension ranges: proto3 has none"
            ],
        ),
        BadSchema(
            "extension ranges that overlap",
            """
            syntax = "proto2";
            message M { extensions 1 to 5, 3; }
            """,
            findings: [
                "main.proto:2:32: error: expected extension ranges that do not overlap, but "
                    + "3 overlaps 1 to 5"
            ],
        ),
        BadSchema(
            "extension and reserved ranges that overlap",
            """
            syntax = "proto2";
            message M { extensions 1 to 5; reserved 4; }
            """,
            findings: [
                "main.proto:2:24: error: expected extension ranges apart from reserved "
                    + "ones, but 1 to 5 overlaps reserved 4"
            ],
        ),
        BadSchema(
            "an extension range too large",
            """
            syntax = "proto2";
            message M { extensions 5 to 536870912; }
            """,
            findings: [
                "main.proto:2:24: error: expected extension numbers between 1 and "
                    + "536870911, found 5 to 536870912"
            ],
        ),
    ]
}
