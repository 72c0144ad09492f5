// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import SchemaCompiler
import Testing

@Suite("Compiler")
struct CompilerTests {
    // MARK: - Names

    struct JSONName: Sendable {
        var field: String
        var json: String
    }

    @Test(
        "derives JSON names",
        arguments: [
            JSONName(field: "foo", json: "foo"),
            JSONName(field: "foo_bar", json: "fooBar"),
            JSONName(field: "_foo", json: "Foo"),
            JSONName(field: "foo_", json: "foo"),
            JSONName(field: "foo__bar", json: "fooBar"),
            JSONName(field: "fooBar", json: "fooBar"),
            JSONName(field: "FooBar", json: "FooBar"),
            JSONName(field: "foo_1bar", json: "foo1bar"),
            JSONName(field: "pod_i_p", json: "podIP"),
            JSONName(field: "podIP", json: "podIP"),
            JSONName(field: "FOO_BAR", json: "FOOBAR"),
        ]
    )
    func jsonNames(_ name: JSONName) {
        let result = compile("syntax = \"proto3\";\nmessage M { int32 \(name.field) = 1; }")
        #expect(result.files.first?.messages.first?.fields.first?.jsonName == name.json)
    }

    struct EntryName: Sendable {
        var field: String
        var entry: String
    }

    @Test(
        "derives the names of map entries",
        arguments: [
            EntryName(field: "foo", entry: "FooEntry"),
            EntryName(field: "foo_bar", entry: "FooBarEntry"),
            EntryName(field: "fooBar", entry: "FooBarEntry"),
            EntryName(field: "_foo", entry: "FooEntry"),
        ]
    )
    func entryNames(_ name: EntryName) throws {
        let result = compile(
            "syntax = \"proto3\";\nmessage M { map<string, bytes> \(name.field) = 3; }"
        )
        let message = try #require(result.files.first?.messages.first)
        #expect(message.nestedMessages.map(\.name) == [name.entry])
        #expect(message.nestedMessages.first?.isMapEntry == true)
        #expect(message.fields.first?.typeName == ".M.\(name.entry)")
        #expect(message.fields.first?.label == .repeated)
    }

    @Test("gives proto3 optional fields oneofs of their own, behind the declared ones")
    func syntheticOneofs() throws {
        let result = compile(
            """
            syntax = "proto3";
            message M {
              optional int32 a = 1;
              oneof o { int32 b = 2; }
              optional int32 c = 3;
              int32 _c = 4;
            }
            """
        )
        let message = try #require(result.files.first?.messages.first)
        #expect(message.oneofs.map(\.name) == ["o", "_a", "X_c"])
        #expect(message.fields.map(\.oneofIndex) == [1, 0, 2, nil])
        #expect(message.fields.map(\.proto3Optional) == [true, false, true, false])
    }

    // MARK: - Scopes

    struct Scope: Sendable, CustomTestStringConvertible {
        var written: String
        /// What it means inside `pkg.sub.Outer.Inner`; nil for an error.
        var meaning: String?

        var testDescription: String { self.written }
    }

    @Test(
        "looks names up from the innermost scope outwards",
        arguments: [
            Scope(written: "Leaf", meaning: ".pkg.sub.Outer.Inner.Leaf"),
            Scope(written: "Inner.Leaf", meaning: ".pkg.sub.Outer.Inner.Leaf"),
            Scope(written: "Outer.Leaf", meaning: ".pkg.sub.Outer.Leaf"),
            Scope(written: "sub.Leaf", meaning: ".pkg.sub.Leaf"),
            Scope(written: "pkg.Leaf", meaning: ".pkg.Leaf"),
            Scope(written: ".pkg.Leaf", meaning: ".pkg.Leaf"),
            Scope(written: "pkg.sub.Outer.Inner", meaning: ".pkg.sub.Outer.Inner"),
            Scope(written: "OnlyInPkg", meaning: ".pkg.OnlyInPkg"),
            Scope(written: "Kind", meaning: ".pkg.sub.Kind"),
            Scope(written: "Outer.Inner.Missing", meaning: nil),
            // The message Inner hides nothing here: the field of that name is no type.
            Scope(written: "field", meaning: nil),
            Scope(written: "sub.OnlyInPkg", meaning: nil),
            Scope(written: "ZERO", meaning: nil),
        ]
    )
    func scopes(_ scope: Scope) {
        let base = """
            syntax = "proto3";
            package pkg;
            message Leaf {}
            message OnlyInPkg {}
            """
        let result = compile(
            """
            syntax = "proto3";
            package pkg.sub;
            import "base.proto";
            message Leaf {}
            enum Kind { ZERO = 0; }
            message Outer {
              message Leaf {}
              message Inner {
                message Leaf {}
                int32 field = 1;
                \(scope.written) looked_up = 2;
              }
            }
            """,
            with: ["base.proto": base]
        )
        let main = result.files.last
        let inner = main?.messages.last?.nestedMessages.last
        #expect(inner?.fields.last?.typeName == scope.meaning)
        #expect(result.hasErrors == (scope.meaning == nil))
    }

    @Test("sees through public imports, not through others")
    func publicImports() {
        let files = [
            "a.proto": "syntax = \"proto3\"; import public \"b.proto\"; import \"d.proto\";",
            "b.proto": "syntax = \"proto3\"; import public \"c.proto\";",
            "c.proto": "syntax = \"proto3\"; message C {}",
            "d.proto": "syntax = \"proto3\"; message D {}",
        ]
        let good = compile(
            "syntax = \"proto3\"; import \"a.proto\"; message M { C c = 1; }",
            with: files
        )
        #expect(!good.hasErrors)
        #expect(
            good.files.map(\.name) == ["c.proto", "b.proto", "d.proto", "a.proto", "main.proto"]
        )
        let bad = compile(
            "syntax = \"proto3\"; import \"a.proto\"; message M { D d = 1; }",
            with: files
        )
        #expect(bad.diagnostics.filter { $0.severity == .error }.count == 1)
    }

    @Test("takes a file of the search path before its own")
    func ownBuiltins() {
        let own = "syntax = \"proto3\"; package google.protobuf; message Empty { int32 mine = 1; }"
        let main = """
            syntax = "proto3";
            import "google/protobuf/empty.proto";
            message M { google.protobuf.Empty e = 1; }
            """
        let builtin = compile(main)
        #expect(builtin.files.first?.messages.first?.fields.isEmpty == true)
        let result = compile(main, with: ["google/protobuf/empty.proto": own])
        #expect(result.files.first?.messages.first?.fields.map(\.name) == ["mine"])
    }

    @Test("finds files on the first search path that has them")
    func searchPaths() {
        let files = MemoryFileSystem([
            "one/a.proto": "syntax = \"proto3\"; message First {}",
            "two/a.proto": "syntax = \"proto3\"; message Second {}",
            "two/b.proto": "syntax = \"proto3\"; import \"a.proto\";",
        ])
        let result = SchemaCompiler(fileSystem: files, searchPaths: ["one", "two/"])
            .compile(["b.proto", "a.proto"])
        #expect(result.files.map(\.name) == ["a.proto", "b.proto"])
        #expect(result.files.first?.messages.map(\.name) == ["First"])
    }

    // MARK: - Diagnostics

    @Test("warns, and makes output all the same")
    func warnings() {
        let result = compile(
            """
            import "unused.proto";
            message M { optional int32 foo_bar = 1; optional int32 fooBar = 2; reserved "x", "x"; }
            enum E { FOO = 0; foo = 1; }
            """,
            with: ["unused.proto": "syntax = \"proto3\";"]
        )
        #expect(!result.hasErrors)
        #expect(result.files.count == 2)
        #expect(
            result.sortedDiagnostics.map(\.description) == [
                "main.proto:1:1: warning: expected a syntax statement, such as syntax = \"proto3\"; "
                    + "the file is read as proto2",
                "main.proto:1:8: warning: import \"unused.proto\" is not used",
                "main.proto:2:56: warning: expected a field whose JSON name \"fooBar\" differs from "
                    + "that of \"foo_bar\"",
                "main.proto:2:82: warning: \"x\" is reserved twice",
                "main.proto:3:19: warning: expected a value whose name differs from \"FOO\" by more "
                    + "than case and the name of the enum, found \"foo\"",
            ]
        )
    }

    @Test("stays silent about odd things in files that were not asked for")
    func foreignWarnings() {
        let result = compile(
            "syntax = \"proto3\"; import \"old.proto\"; message M { Old old = 1; }",
            with: ["old.proto": "message Old {}"]
        )
        #expect(result.diagnostics.isEmpty)
    }

    @Test("reports the errors of all files that were asked for")
    func severalFiles() {
        let files = MemoryFileSystem([
            "a.proto": "syntax = \"proto3\"; message A { B b = 1; }",
            "b.proto": "syntax = \"proto3\"; massage B {}",
            "c.proto": "syntax = \"proto3\"; enum C { X = 1; }",
        ])
        let result = SchemaCompiler(fileSystem: files, searchPaths: [])
            .compile(["a.proto", "b.proto", "c.proto", "d.proto"])
        #expect(
            result.sortedDiagnostics.map(\.file) == ["a.proto", "b.proto", "c.proto", "d.proto"]
        )
    }
}
