// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BadSchema {
    static let files: [BadSchema] = [
        BadSchema(
            "an empty file with junk",
            """
            %%%
            """,
            findings: [
                "main.proto:1:1: warning: expected a syntax statement, such as syntax = "
                    + "\"proto3\"; the file is read as proto2",
                "main.proto:1:1: error: expected message, enum, service, extend, import, "
                    + "package or option, found \"%\"",
            ],
        ),
        BadSchema(
            "an unknown syntax",
            """
            syntax = "proto4";
            """,
            findings: [
                "main.proto:1:10: error: expected syntax \"proto2\" or \"proto3\", found "
                    + "\"proto4\""
            ],
        ),
        BadSchema(
            "a syntax without quotes",
            """
            syntax = proto3;
            """,
            findings: [
                "main.proto:1:10: error: expected the name of the syntax in quotes, found "
                    + "\"proto3\""
            ],
        ),
        BadSchema(
            "a syntax without semicolon",
            """
            syntax = "proto3"
            message M {}
            """,
            findings: [
                "main.proto:2:1: error: expected \";\" behind the syntax statement, found "
                    + "\"message\""
            ],
        ),
        BadSchema(
            "a syntax without equals sign",
            """
            syntax "proto3";
            """,
            findings: [
                "main.proto:1:8: error: expected \"=\" behind \"syntax\", found a string"
            ],
        ),
        BadSchema(
            "an edition",
            """
            edition = "2023";
            message M { int32 a = 1; }
            """,
            findings: [
                "main.proto:1:11: error: expected syntax = \"proto2\" or syntax = "
                    + "\"proto3\": editions are not supported"
            ],
            protocAccepts: true,
        ),
        BadSchema(
            "a syntax behind a declaration",
            """
            package a;
            syntax = "proto3";
            """,
            findings: [
                "main.proto:1:1: warning: expected a syntax statement, such as syntax = "
                    + "\"proto3\"; the file is read as proto2",
                "main.proto:2:1: error: expected the syntax statement before all others",
            ],
        ),
        BadSchema(
            "two packages",
            """
            syntax = "proto3";
            package a;
            package b;
            """,
            findings: [
                "main.proto:3:1: error: expected one package statement at most; the file "
                    + "has one already"
            ],
        ),
        BadSchema(
            "a package with a leading dot",
            """
            syntax = "proto3";
            package .a;
            """,
            findings: [
                "main.proto:2:9: error: expected the package name, found \".\""
            ],
        ),
        BadSchema(
            "a package with a trailing dot",
            """
            syntax = "proto3";
            package a.;
            """,
            findings: [
                "main.proto:2:11: error: expected an identifier behind \".\" in the package "
                    + "name, found \";\""
            ],
        ),
        BadSchema(
            "an unknown statement",
            """
            syntax = "proto3";
            massage M {}
            message N {}
            """,
            findings: [
                "main.proto:2:1: error: expected message, enum, service, extend, import, "
                    + "package or option, found \"massage\""
            ],
        ),
        BadSchema(
            "an unmatched brace",
            """
            syntax = "proto3";
            message M {} }
            message N {}
            """,
            findings: [
                "main.proto:2:14: error: expected a declaration, found an unmatched \"}\""
            ],
        ),
        BadSchema(
            "a missing brace at the end",
            """
            syntax = "proto3";
            message M {
              int32 a = 1;
            """,
            findings: [
                "main.proto:4:1: error: expected \"}\" to close the message that starts at "
                    + "line 2, found end of file"
            ],
        ),
        BadSchema(
            "two missing braces at the end",
            """
            syntax = "proto3";
            message M {
              message N {
            """,
            findings: [
                "main.proto:4:1: error: expected \"}\" to close the message that starts at "
                    + "line 3, found end of file",
                "main.proto:4:1: error: expected \"}\" to close the message that starts at "
                    + "line 2, found end of file",
            ],
        ),
        BadSchema(
            "an import without quotes",
            """
            syntax = "proto3";
            import a.proto;
            """,
            findings: [
                "main.proto:2:8: error: expected the name of the file to import in quotes, "
                    + "found \"a\""
            ],
        ),
        BadSchema(
            "an import of nothing",
            """
            syntax = "proto3";
            import "missing.proto";
            """,
            findings: [
                "main.proto:2:8: error: expected the file \"missing.proto\" on the search "
                    + "path (.), found none"
            ],
        ),
        BadSchema(
            "an import that climbs",
            """
            syntax = "proto3";
            import "../secret.proto";
            """,
            findings: [
                "main.proto:2:8: error: expected a relative path with single forward "
                    + "slashes and without \".\" or \"..\", found \"../secret.proto\""
            ],
        ),
        BadSchema(
            "an import with a backslash",
            #"""
            syntax = "proto3";
            import "a\\b.proto";
            """#,
            findings: [
                "main.proto:2:8: error: expected a relative path with single forward "
                    + "slashes and without \".\" or \"..\", found \"a\\b.proto\""
            ],
        ),
        BadSchema(
            "an import with an absolute path",
            """
            syntax = "proto3";
            import "/etc/passwd";
            """,
            findings: [
                "main.proto:2:8: error: expected a relative path with single forward "
                    + "slashes and without \".\" or \"..\", found \"/etc/passwd\""
            ],
        ),
        BadSchema(
            "an import twice",
            """
            syntax = "proto3";
            import "b.proto";
            import "b.proto";
            message M { B b = 1; }
            """,
            imports: [
                "b.proto": "syntax = \"proto3\";\nmessage B {}\n"
            ],
            findings: [
                "main.proto:3:8: error: expected each import once; \"b.proto\" is imported "
                    + "already"
            ],
        ),
        BadSchema(
            "an import of itself",
            """
            syntax = "proto3";
            import "main.proto";
            """,
            findings: [
                "main.proto:2:8: error: expected imports without a cycle, found main.proto "
                    + "-> main.proto"
            ],
        ),
        BadSchema(
            "an import cycle",
            """
            syntax = "proto3";
            import "b.proto";
            """,
            imports: [
                "b.proto": "syntax = \"proto3\";\nimport \"c.proto\";\n",
                "c.proto": "syntax = \"proto3\";\nimport \"main.proto\";\n",
            ],
            findings: [
                "c.proto:2:8: error: expected imports without a cycle, found main.proto -> "
                    + "b.proto -> c.proto -> main.proto"
            ],
        ),
        BadSchema(
            "an import with an error",
            """
            syntax = "proto3";
            import "b.proto";
            message M { B b = 1; }
            """,
            imports: [
                "b.proto": "syntax = \"proto3\";\nmessage B { int32 x 1; }\n"
            ],
            findings: [
                "b.proto:2:21: error: expected \"=\" and a number behind the field's name, "
                    + "found \"1\""
            ],
        ),
        BadSchema(
            "an import of options",
            """
            syntax = "proto3";
            import option "b.proto";
            """,
            imports: [
                "b.proto": "syntax = \"proto3\";\n"
            ],
            findings: [
                "main.proto:2:8: error: expected a plain import: \"import option\" needs editions"
            ],
        ),
    ]
}
