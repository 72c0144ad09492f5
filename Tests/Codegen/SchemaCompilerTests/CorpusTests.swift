// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import SchemaCompiler
import Testing

/// Compares descriptors with protoc's, byte by byte.
@Suite("Corpus", .enabled(if: Protoc.isPresent))
struct CorpusTests {
    static let fixtures = Repository.schemas(in: Repository.valid)
    static let project = Repository.schemas(in: "\(Repository.root)/proto")

    @Test("fixtures give protoc's descriptors")
    func fixturesAreEqual() throws {
        #expect(Self.fixtures.count >= 14)
        try Self.compare(Self.fixtures.map { [$0] }, in: Repository.valid)
    }

    @Test("the project's schemas give protoc's descriptors")
    func projectIsEqual() throws {
        #expect(Self.project.count > 90)
        try Self.compare([Self.project], in: "\(Repository.root)/proto")
    }

    @Test("builtin files give protoc's descriptors")
    func builtinsAreEqual() throws {
        try Self.compare(BuiltinSchemas.names.map { [$0] }, in: Repository.valid)
    }

    @Test("positions and comments are protoc's")
    func sourceInfoIsEqual() throws {
        try Self.compareSourceInfo(Self.fixtures.map { [$0] }, in: Repository.valid)
        try Self.compareSourceInfo([Self.project], in: "\(Repository.root)/proto")
    }

    private static func compile(_ names: [String], in folder: String) -> SchemaCompiler.Result {
        SchemaCompiler(fileSystem: LocalFileSystem(), searchPaths: [folder]).compile(names)
    }

    private static func compare(_ jobs: [[String]], in folder: String) throws {
        let theirs = try Protoc.compile(jobs.map { Protoc.Job(names: $0, folder: folder) })
        for (names, their) in zip(jobs, theirs) {
            let result = self.compile(names, in: folder)
            #expect(result.diagnostics.filter { $0.severity == .error } == [])
            let bytes = try #require(their)
            let ours = result.setWithoutSourceInfo
            let parsed = try FileDescriptorSet(parsing: bytes)
            #expect(ours.files.map(\.name) == parsed.files.map(\.name))
            for (left, right) in zip(ours.files, parsed.files) where left != right {
                Issue.record("\(left.name) differs")
                for (a, b) in zip(left.messages, right.messages) { #expect(a == b) }
                for (a, b) in zip(left.enums, right.enums) { #expect(a == b) }
            }
            #expect(ours.serialized() == bytes, "\(names)")
        }
    }

    private static func compareSourceInfo(_ jobs: [[String]], in folder: String) throws {
        let theirs = try Protoc.compile(
            jobs.map { Protoc.Job(names: $0, folder: folder, sourceInfo: true, imports: false) }
        )
        for (names, their) in zip(jobs, theirs) {
            let parsed = try FileDescriptorSet(parsing: try #require(their))
            try self.compareSourceInfo(self.compile(names, in: folder), parsed)
        }
    }

    private static func compareSourceInfo(
        _ result: SchemaCompiler.Result,
        _ parsed: FileDescriptorSet,
    ) throws {
        for right in parsed.files {
            let left = try #require(result.files.first { $0.name == right.name })
            let all = Set(right.sourceCodeInfo?.locations ?? [])
            let locations = left.sourceCodeInfo?.locations ?? []
            #expect(!locations.isEmpty)
            for location in locations {
                #expect(all.contains(location), "\(right.name) \(location)")
            }
            // No comment may be lost; options' comments go nowhere, for nothing is made of them.
            let commented = all.filter { location in
                location.leadingComments != nil && Self.isDeclaration(location.path)
            }
            #expect(commented.isSubset(of: Set(locations)))
        }
    }

    /// Whether a path leads to a declaration that is generated: see `SourceCodeInfo.Location`.
    private static func isDeclaration(_ path: [Int32]) -> Bool {
        guard path.count.isMultiple(of: 2) else { return path == [12] || path == [2] }
        let kinds = stride(from: 0, to: path.count, by: 2).map { path[$0] }
        switch kinds.last {
        case 2: return kinds.count > 1
        case 3: return true
        case 4, 5, 6: return kinds.count == 1 || kinds.last == 4
        default: return false
        }
    }
}
