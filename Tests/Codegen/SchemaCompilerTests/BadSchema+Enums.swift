// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let enums: [BadSchema] = [
        BadSchema(
            "an empty enum",
            """
            syntax = "proto3";
            enum E {}
            """,
            findings: [
                "main.proto:2:6: error: expected at least one value in the enum"
            ],
        ),
        BadSchema(
            "a proto3 enum that starts at one",
            """
            syntax = "proto3";
            enum E { A = 1; }
            """,
            findings: [
                "main.proto:2:10: error: expected 0 as the number of the first value, found "
                    + "1: proto3 enums start at zero"
            ],
        ),
        BadSchema(
            "two values with one number",
            """
            syntax = "proto3";
            enum E { A = 0; B = 0; }
            """,
            findings: [
                "main.proto:2:17: error: expected a free number, but 0 is used by \"A\" "
                    + "already; option allow_alias = true; allows that"
            ],
        ),
        BadSchema(
            "two values with one name",
            """
            syntax = "proto3";
            enum E { A = 0; A = 1; }
            """,
            findings: [
                "main.proto:2:17: error: expected a new name, but \"A\" is defined already "
                    + "as an enum value; values of an enum are siblings of the enum, in the scope "
                    + "of the file"
            ],
        ),
        BadSchema(
            "one value name in two enums",
            """
            syntax = "proto3";
            enum E { A = 0; }
            enum F { A = 0; }
            """,
            findings: [
                "main.proto:3:10: error: expected a new name, but \"A\" is defined already "
                    + "as an enum value; values of an enum are siblings of the enum, in the scope "
                    + "of the file"
            ],
        ),
        BadSchema(
            "an alias that is none",
            """
            syntax = "proto3";
            enum E { option allow_alias = true; A = 0; B = 1; }
            """,
            findings: [
                "main.proto:2:6: error: expected two values with one number: allow_alias is "
                    + "set without need"
            ],
        ),
        BadSchema(
            "values that differ by case",
            """
            syntax = "proto3";
            enum E { FOO = 0; foo = 1; }
            """,
            findings: [
                "main.proto:2:19: error: expected a value whose name differs from \"FOO\" "
                    + "by more than case and the name of the enum, found \"foo\""
            ],
        ),
        BadSchema(
            "values that differ by the enum name",
            """
            syntax = "proto3";
            enum Color { COLOR_RED = 0; RED = 1; }
            """,
            findings: [
                "main.proto:2:29: error: expected a value whose name differs from "
                    + "\"COLOR_RED\" by more than case and the name of the enum, found \"RED\""
            ],
        ),
        BadSchema(
            "a value without number",
            """
            syntax = "proto3";
            enum E { A; }
            """,
            findings: [
                "main.proto:2:11: error: expected \"=\" and a number behind the enum "
                    + "value's name, found \";\""
            ],
        ),
        BadSchema(
            "a value out of range",
            """
            syntax = "proto3";
            enum E { A = 0; B = 2147483648; C = -2147483649; }
            """,
            findings: [
                "main.proto:2:21: error: expected the enum value's number in the range up "
                    + "to 2147483647",
                "main.proto:2:37: error: expected the enum value's number in the range from "
                    + "-2147483648",
            ],
        ),
        BadSchema(
            "a value with a reserved number",
            """
            syntax = "proto3";
            enum E { reserved -5 to 5; A = 0; }
            """,
            findings: [
                "main.proto:2:28: error: expected a number that is not reserved, found 0"
            ],
        ),
        BadSchema(
            "a value with a reserved name",
            """
            syntax = "proto3";
            enum E { reserved "A"; A = 0; }
            """,
            findings: [
                "main.proto:2:24: error: expected a name that is not reserved, found \"A\""
            ],
        ),
        BadSchema(
            "enum ranges that overlap",
            """
            syntax = "proto3";
            enum E { A = 0; reserved 5 to max, 9; }
            """,
            findings: [
                "main.proto:2:36: error: expected reserved ranges that do not overlap, but "
                    + "9 overlaps 5 to 2147483647"
            ],
        ),
    ]
}
