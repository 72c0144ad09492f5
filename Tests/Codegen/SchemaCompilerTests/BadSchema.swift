// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

/// A schema that must be rejected, with all that the compiler says about it.
struct BadSchema: Sendable, CustomTestStringConvertible {
    /// A part of a file that is not all text.
    enum Part: Sendable {
        case text(String)
        case bytes([UInt8])
    }

    var name: String
    /// `main.proto` and what it imports.
    var files: [String: [UInt8]]
    /// All findings, sorted by file, line and column.
    var findings: [String]
    /// Whether protoc takes the schema, or sees it as a matter of taste.
    var protocAccepts: Bool

    var testDescription: String { self.name }

    init(
        _ name: String,
        _ main: String,
        imports: [String: String] = [:],
        findings: [String],
        protocAccepts: Bool = false,
    ) {
        // The literals end without a newline; files do not.
        self.init(
            name,
            bytes: [.text(main + "\n")],
            imports: imports,
            findings: findings,
            protocAccepts: protocAccepts,
        )
    }

    init(
        _ name: String,
        bytes: [Part],
        imports: [String: String] = [:],
        findings: [String],
        protocAccepts: Bool = false,
    ) {
        self.name = name
        self.files = imports.mapValues { Array($0.utf8) }
        self.files["opt.proto"] = Array(Self.optionsFile.utf8)
        self.files["main.proto"] = bytes.flatMap { part in
            switch part {
            case .text(let text): Array(text.utf8)
            case .bytes(let bytes): bytes
            }
        }
        self.findings = findings
        self.protocAccepts = protocAccepts
    }

    /// All of them.
    static let all: [BadSchema] =
        Self.tokens + Self.files + Self.fields + Self.defaults + Self.oneofs + Self.extensions
        + Self.enums + Self.services + Self.options + Self.recovery

    /// Custom options for the cases that need some.
    private static let optionsFile = """
        syntax = "proto2";
        package opt;
        import "google/protobuf/descriptor.proto";
        enum Level { NONE = 0; SOME = 1; }
        message Rule {
          optional int32 number = 1;
          optional bool flag = 2;
          optional Level level = 3;
          optional Level level2 = 4;
          oneof side { int32 left = 5; int32 right = 6; }
          optional Rule inner = 7;
        }
        message Strict { required int32 must = 1; optional Strict inner = 2; }
        extend google.protobuf.MessageOptions { optional Rule rule = 50001; repeated Rule rules = 50002; optional Strict strict = 50003; }
        extend google.protobuf.FieldOptions { optional string text = 50001; optional int32 small = 50002; optional bool only_enums = 50003 [targets = TARGET_TYPE_ENUM]; }

        """
}
