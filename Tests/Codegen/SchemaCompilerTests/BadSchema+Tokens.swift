// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let tokens: [BadSchema] = [
        BadSchema(
            "a control character",
            bytes: [.text("syntax = \"proto3\";\nmessage M "), .bytes([0x01]), .text("{}\n")],
            findings: [
                "main.proto:2:11: error: expected a token, found a control character; "
                    + "allowed only in comments and strings"
            ],
        ),
        BadSchema(
            "a character outside ASCII",
            bytes: [
                .text("syntax = \"proto3\";\nmessage Gr"), .bytes([0xc3]), .bytes([0xb6]),
                .bytes([0xc3]), .bytes([0x9f]), .text("e {}\n"),
            ],
            findings: [
                "main.proto:2:11: error: expected a token, found a character outside ASCII; "
                    + "allowed only in comments and strings",
                "main.proto:2:15: error: expected \"{\" to open the message, found \"e\"",
            ],
        ),
        BadSchema(
            "invalid UTF-8 bytes",
            bytes: [.text("syntax = \"proto3\";\n// "), .bytes([0xff]), .text("\n")],
            findings: [
                "main.proto:2:4: error: expected UTF-8 text, found an invalid byte sequence"
            ],
            protocAccepts: true,
        ),
        BadSchema(
            "a truncated UTF-8 sequence",
            bytes: [
                .text("syntax = \"proto3\";\nmessage M {} // "), .bytes([0xe2]), .bytes([0x82]),
            ],
            findings: [
                "main.proto:2:17: error: expected UTF-8 text, found an invalid byte sequence"
            ],
            protocAccepts: true,
        ),
        BadSchema(
            "an open block comment",
            """
            syntax = "proto3";
            /* never closed
            message M {}
            """,
            findings: [
                "main.proto:2:1: error: expected \"*/\" to close the block comment that "
                    + "starts here, found end of file"
            ],
        ),
        BadSchema(
            "a nested block comment",
            """
            syntax = "proto3";
            /* a /* b */
            message M {}
            """,
            findings: [
                "main.proto:2:6: error: \"/*\" inside a block comment: comments cannot be nested"
            ],
        ),
        BadSchema(
            "an open string",
            """
            syntax = "proto3";
            import "abc;
            message M {}
            """,
            findings: [
                "main.proto:2:8: error: expected a closing quote before the end of the line",
                "main.proto:3:1: error: expected \";\" behind the import, found \"message\"",
            ],
        ),
        BadSchema(
            "a string to the end of the file",
            """
            syntax = "proto3";
            import 'abc
            """,
            findings: [
                "main.proto:2:8: error: expected a closing quote before the end of the line",
                "main.proto:3:1: error: expected \";\" behind the import, found end of file",
            ],
        ),
        BadSchema(
            "a string with a NUL",
            bytes: [
                .text("syntax = \"proto3\";\noption go_package = \"a"), .bytes([0x00]),
                .text("b\";\n"),
            ],
            findings: [
                "main.proto:2:23: error: a string cannot hold a NUL character; write \\0"
            ],
        ),
        BadSchema(
            "an unknown escape",
            #"""
            syntax = "proto3";
            option go_package = "a\qb";
            """#,
            findings: [
                "main.proto:2:23: error: expected an escape sequence; a lone backslash is "
                    + "written \"\\\\\""
            ],
        ),
        BadSchema(
            "an empty hex escape",
            #"""
            syntax = "proto3";
            option go_package = "\xg";
            """#,
            findings: [
                "main.proto:2:22: error: expected hexadecimal digits behind \"\\x\""
            ],
        ),
        BadSchema(
            "a short unicode escape",
            #"""
            syntax = "proto3";
            option go_package = "\u12";
            """#,
            findings: [
                "main.proto:2:22: error: expected four hexadecimal digits behind \"\\u\""
            ],
        ),
        BadSchema(
            "a long unicode escape out of range",
            #"""
            syntax = "proto3";
            option go_package = "\U00110000";
            """#,
            findings: [
                "main.proto:2:22: error: expected eight hexadecimal digits up to 0010ffff "
                    + "behind \"\\U\""
            ],
            protocAccepts: true,
        ),
        BadSchema(
            "a number that runs into a name",
            """
            syntax = "proto3";
            message M { int32 a = 1x; }
            """,
            findings: [
                "main.proto:2:24: error: expected a space between number and identifier"
            ],
        ),
        BadSchema(
            "a number with two points",
            """
            syntax = "proto3";
            option go_package = 1.2.3;
            """,
            findings: [
                "main.proto:2:24: error: expected one decimal point at most in a number"
            ],
        ),
        BadSchema(
            "a hex number without digits",
            """
            syntax = "proto3";
            message M { int32 a = 0x; }
            """,
            findings: [
                "main.proto:2:23: error: expected hexadecimal digits behind \"0x\""
            ],
        ),
        BadSchema(
            "an octal number with a nine",
            """
            syntax = "proto3";
            message M { int32 a = 09; }
            """,
            findings: [
                "main.proto:2:23: error: expected octal digits (0-7) in a number that "
                    + "starts with 0"
            ],
        ),
        BadSchema(
            "an exponent without digits",
            """
            syntax = "proto2";
            message M { optional float a = 1 [default = 1e]; }
            """,
            findings: [
                "main.proto:2:45: error: expected digits of the exponent"
            ],
        ),
    ]
}
