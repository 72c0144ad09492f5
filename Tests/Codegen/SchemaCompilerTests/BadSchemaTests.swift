// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SchemaCompiler
import Testing

@Suite("Bad schemas")
struct BadSchemaTests {
    @Test("names place and expectation of every error", arguments: BadSchema.all)
    func findings(_ schema: BadSchema) {
        // The search path is part of messages; files stand directly in it.
        let files = Dictionary(uniqueKeysWithValues: schema.files.map { ("./\($0)", $1) })
        let result = SchemaCompiler(
            fileSystem: MemoryFileSystem(bytes: files),
            searchPaths: ["."],
        ).compile(["main.proto"])
        #expect(result.sortedDiagnostics.map(\.description) == schema.findings)
        #expect(result.files.isEmpty)
    }

    @Test("are at least a hundred, each with a name of its own")
    func count() {
        #expect(BadSchema.all.count >= 180)
        #expect(Set(BadSchema.all.map(\.name)).count == BadSchema.all.count)
    }

    @Test("are rejected by protoc, too", .enabled(if: Protoc.isPresent))
    func protoc() throws {
        let schemas = BadSchema.all
        var folders: [TemporaryFolder] = []
        for schema in schemas {
            let folder = try TemporaryFolder()
            for (name, bytes) in schema.files { try folder.write(bytes, to: name) }
            folders.append(folder)
        }
        let results = try Protoc.compile(
            folders.map { Protoc.Job(names: ["main.proto"], folder: $0.path) }
        )
        for (schema, result) in zip(schemas, results) {
            #expect((result != nil) == schema.protocAccepts, "\(schema.name)")
        }
    }
}
