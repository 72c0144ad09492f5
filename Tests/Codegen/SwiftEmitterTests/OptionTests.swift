// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SwiftEmitter
import Testing

@Suite("Emitter options")
struct OptionTests {
    private static let schema = """
        syntax = "proto3";
        package demo;
        message A { bytes b = 1; E e = 2; oneof o { int32 n = 3; } }
        enum E { E_ZERO = 0; }
        service S { rpc Call(A) returns (A); }
        """

    private static func lines(_ text: String?) -> [String] {
        (text ?? "").split(separator: "\n").map { String($0.drop { $0 == " " }) }
    }

    @Test("visibility stands at every declaration", arguments: SwiftEmitter.Visibility.allCases)
    func visibility(_ visibility: SwiftEmitter.Visibility) throws {
        let options = SwiftEmitter.Options(visibility: visibility, schemaList: "All")
        let output = try generate(["a.proto"], ["a.proto": Self.schema], options: options)
        let prefix = visibility == .internal ? "" : visibility.rawValue + " "
        let all = output.values.flatMap { Self.lines($0) }
        for line in [
            "struct A: Message {", "struct E: MessageEnum {", "enum OneOfO: Hashable, Sendable {",
            "var b: Bytes {", "var n: Int32 {", "static let zero_ = E(rawValue: 0)",
            "init(rawValue: Int32) { self.rawValue = rawValue }", "enum AProto {", "enum Demo {}",
            "enum SMethods {", "struct SClient: RPCServiceClient {",
            "protocol SService: RPCService {",
            "let channel: any RPCChannel", "import Protobuf", "import Bytes", "import RPCInterface",
            "enum All {", "static let files: [FileSchema] = [AProto.file]",
        ] {
            #expect(all.contains(prefix + line), "\(prefix)\(line)")
        }
        for word in ["public ", "package "] where word != prefix {
            #expect(!all.contains { $0.hasPrefix(word) })
        }
    }

    struct Parts: Sendable {
        var parts: Set<SwiftEmitter.ServicePart>
        var hasClient: Bool { self.parts.contains(.client) }
        var hasServer: Bool { self.parts.contains(.server) }
    }

    @Test(
        "services are made as asked for",
        arguments: [
            Parts(parts: []), Parts(parts: [.client]), Parts(parts: [.server]),
            Parts(parts: [.client, .server]),
        ]
    )
    func services(_ parts: Parts) throws {
        let options = SwiftEmitter.Options(services: parts.parts)
        let output = try generate(["a.proto"], ["a.proto": Self.schema], options: options)
        let text = output["a.rpc.swift"] ?? ""
        #expect(text.isEmpty == parts.parts.isEmpty)
        #expect(text.contains("struct SClient") == parts.hasClient)
        #expect(text.contains("protocol SService") == parts.hasServer)
        #expect(text.contains("rpcMethods") == parts.hasServer)
        #expect(text.contains("enum SMethods") == !parts.parts.isEmpty)
        #expect(output["a.swift"]?.contains("RPCInterface") == false)
    }

    @Test("types of other modules are imported, as widely as they are seen")
    func modules() throws {
        let files = [
            "main.proto": """
            syntax = "proto3";
            package main;
            import "seen/a.proto";
            import "unseen/b.proto";
            import "google/protobuf/empty.proto";
            message M { seen.A a = 1; }
            service S { rpc Call(google.protobuf.Empty) returns (M); }
            """,
            "seen/a.proto": "syntax = \"proto3\"; package seen; message A {}",
            "unseen/b.proto": "syntax = \"proto3\"; package unseen; message B {}",
        ]
        let options = SwiftEmitter.Options(
            visibility: .public,
            modules: [
                .init(pathPrefix: "seen/", module: "SeenTypes"),
                .init(pathPrefix: "unseen/", module: "UnseenTypes"),
                .init(pathPrefix: "s", module: "NeverReached"),
            ],
        )
        let output = try generate(["main.proto"], files, options: options)
        let imports = Self.lines(output["main.swift"]).filter { $0.contains("import ") }
        #expect(
            imports == [
                "public import Protobuf", "public import SeenTypes", "import UnseenTypes",
                "import WellKnownTypes",
            ]
        )
        let rpc = Self.lines(output["main.rpc.swift"]).filter { $0.contains("import ") }
        #expect(rpc == ["public import RPCInterface", "public import WellKnownTypes"])
        #expect(output["main.swift"]?.contains("SeenAProto.file, UnseenBProto.file") == true)
        #expect(output.keys.sorted() == ["Namespaces.swift", "main.rpc.swift", "main.swift"])
    }

    @Test("a file that is generated itself is looked for nowhere else")
    func ownFiles() throws {
        let files = [
            "a.proto": "syntax = \"proto3\"; package a; import \"b.proto\"; message A { B b = 1; }",
            "b.proto": "syntax = \"proto3\"; package a; message B {}",
        ]
        let options = SwiftEmitter.Options(modules: [.init(pathPrefix: "", module: "Elsewhere")])
        let output = try generate(["a.proto", "b.proto"], files, options: options)
        #expect(output["a.swift"]?.contains("Elsewhere") == false)
    }

    // MARK: - Problems

    struct Unprintable: Sendable, CustomTestStringConvertible {
        var name: String
        var files: [String: String]
        var problem: String

        var testDescription: String { self.name }
    }

    private static let unprintable: [Unprintable] = [
        Unprintable(
            name: "a group",
            files: ["a.proto": "syntax = \"proto2\"; message M { optional group G = 1 {} }"],
            problem: "a.proto: error: field M.g is a group; use a message field instead",
        ),
        Unprintable(
            name: "two types of one Swift name",
            files: [
                "a.proto": "syntax = \"proto3\"; package a.b; message M {}",
                "b.proto": "syntax = \"proto3\"; package a_b; message m {}",
            ],
            problem:
                "b.proto: error: two types would be called AB.M in Swift; give one of the files "
                + "another swift_prefix",
        ),
        Unprintable(
            name: "a namespace that is a type",
            files: [
                "a.proto": "syntax = \"proto3\"; package demo; message M {}",
                "b.proto": "syntax = \"proto3\"; message Demo {}",
            ],
            problem:
                "a.proto: error: its Swift namespace Demo is a type of a file without package; "
                + "give the file another swift_prefix",
        ),
        Unprintable(
            name: "a namespace that is no name",
            files: ["a.proto": "syntax = \"proto3\"; option swift_prefix = \"1 2\"; message M {}"],
            problem:
                "a.proto: error: its Swift namespace \"1 2\" cannot be the name of a type; give "
                + "the file another swift_prefix",
        ),
        Unprintable(
            name: "a namespace hidden by a type",
            files: [
                "a.proto": "syntax = \"proto3\"; package other; message M {}",
                "b.proto": "syntax = \"proto3\"; package b; import \"a.proto\"; "
                    + "message Other { other.M m = 1; }",
            ],
            problem:
                "b.proto: error: Other.M cannot be named inside B.Other, where Other is another "
                + "type; give one of the files another swift_prefix",
        ),
        Unprintable(
            name: "a service whose parts have the names of messages",
            files: [
                "a.proto": "syntax = \"proto3\"; package a; message SClient {} "
                    + "service S { rpc F(SClient) returns (SClient); }"
            ],
            problem: "a.proto: error: service a.S needs the Swift name SClient, which a message or "
                + "enum has",
        ),
        Unprintable(
            name: "a message called Bytes beside bytes",
            files: ["a.proto": "syntax = \"proto3\"; message Bytes { bytes b = 1; }"],
            problem: "a.proto: error: a type called Bytes hides the Swift type of bytes fields",
        ),
        Unprintable(
            name: "two files of one Swift name",
            files: [
                "a/b.proto": "syntax = \"proto3\"; package x; message M {}",
                "a.b.proto": "syntax = \"proto3\"; package y; message M {}",
            ],
            problem:
                "a.b.swift: error: two schema files make a Swift file of this name; rename one "
                + "of them",
        ),
        Unprintable(
            name: "two schemas of one Swift name",
            files: [
                "a_b.proto": "syntax = \"proto3\"; package x; message M {}",
                "a-b.proto": "syntax = \"proto3\"; package y; message M {}",
            ],
            problem: "a_b.proto: error: ABProto is the name of this file and of \"a-b.proto\" in "
                + "Swift; rename one of them",
        ),
        Unprintable(
            name: "a message that contains itself without end",
            files: [
                "a.proto": "syntax = \"proto2\"; package a; message A { required B b = 1; } "
                    + "message B { optional A x = 1; message C { required A a = 1; } required C c = 2; }"
            ],
            problem: "a.proto: error: a message must contain itself without end, by the fields "
                + "A.b, B.c, C.a; make one of them optional or repeated",
        ),
        Unprintable(
            name: "a message that is too large",
            files: [
                "a.proto": "syntax = \"proto3\"; message M {"
                    + (1...9_000).map { "string f\($0) = \($0 < 19_000 ? $0 : $0 + 1_000);" }
                    .joined() + "}"
            ],
            problem: "a.proto: error: message M takes 72016 bytes",
        ),
    ]

    @Test("a schema without a Swift form is refused", arguments: Self.unprintable)
    func problems(_ schema: Unprintable) {
        do {
            _ = try generate(schema.files.keys.sorted(), schema.files)
            Issue.record("no error")
        } catch {
            #expect("\(error)".hasPrefix(schema.problem), "\(error)")
        }
    }
}
