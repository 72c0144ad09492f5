// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SchemaCompiler
import SwiftEmitter
import Testing

/// Whole outputs for the schemas in `Fixtures/`. They lie in `Generated/` and are compiled into these
/// tests, so what is compared here is known to build; `BehaviourTests` shows that it works.
///
/// To renew them, in `Tests/Codegen/SwiftEmitterTests`:
///
///     apus-codegen -IFixtures --swift_out=Generated --schema_list=FixtureSchemas \
///         names.proto rootless.proto shop/v1/money.proto shop/v1/shop.proto two.proto
@Suite("Golden output")
struct GoldenTests {
    static let schemas = [
        "names.proto", "rootless.proto", "shop/v1/money.proto", "shop/v1/shop.proto", "two.proto",
    ]
    static let files = [
        "Namespaces.swift", "Schemas.swift", "names.rpc.swift", "names.swift", "rootless.rpc.swift",
        "rootless.swift", "shop.v1.money.swift", "shop.v1.shop.rpc.swift", "shop.v1.shop.swift",
        "two.swift",
    ]

    private static func emit(_ schemas: [String]) throws -> [SwiftEmitter.GeneratedFile] {
        let result = SchemaCompiler(
            fileSystem: LocalFileSystem(),
            searchPaths: ["\(TestFolder.path)/Fixtures"],
        ).compile(schemas)
        #expect(!result.hasErrors)
        let options = SwiftEmitter.Options(schemaList: "FixtureSchemas")
        return try SwiftEmitter(files: result.files, options: options).emit(schemas)
    }

    @Test("is made of one file a schema, one for services, namespaces and the list")
    func names() throws {
        #expect(try Self.emit(Self.schemas).map(\.name) == Self.files)
    }

    @Test("equals the files in Generated", arguments: Self.files)
    func content(_ name: String) throws {
        let output = try Self.emit(Self.schemas)
        let expected = try TestFolder.read("Generated/\(name)")
        let made = output.first { $0.name == name }?.content
        let lines = made?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
        let expectedLines = expected?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
        let different = zip(lines, expectedLines).enumerated().first {
            $0.element.0 != $0.element.1
        }
        #expect(
            made == expected,
            "first difference in line \((different?.offset ?? min(lines.count, expectedLines.count)) + 1)",
        )
    }

    @Test("does not depend on the order of the command line")
    func order() throws {
        let forward = try Self.emit(Self.schemas)
        let backward = try Self.emit(Self.schemas.reversed())
        #expect(forward == backward)
    }

    @Test("has no line that is too long, no trailing blanks and no tabs", arguments: Self.files)
    func form(_ name: String) throws {
        let text = try #require(try TestFolder.read("Generated/\(name)"))
        #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
        for line in text.split(separator: "\n") {
            #expect(!line.hasSuffix(" ") && !line.contains("\t"))
            // Names and texts of schemas cannot be broken.
            #expect(line.count <= 110 || line.contains("\"") || line.contains("///"), "\(line)")
        }
    }
}
