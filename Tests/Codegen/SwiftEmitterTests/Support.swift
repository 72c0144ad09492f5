// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SchemaCompiler
import SwiftEmitter

/// The folder of these tests, found from this file.
enum TestFolder {
    static let path: String =
        "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")

    /// Reads a file of the folder.
    static func read(_ name: String) throws -> String? {
        try LocalFileSystem().read("\(self.path)/\(name)", limit: 4 << 20).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

/// A schema of a test that does not compile.
struct BrokenSchema: Error {
    var diagnostics: [Diagnostic]
}

/// Generates Swift from schemas in memory.
func generate(
    _ names: [String],
    _ files: [String: String],
    options: SwiftEmitter.Options = .init(),
) throws -> [String: String] {
    let result = SchemaCompiler(fileSystem: MemoryFileSystem(files), searchPaths: []).compile(names)
    guard !result.hasErrors else { throw BrokenSchema(diagnostics: result.diagnostics) }
    let output = try SwiftEmitter(files: result.files, options: options).emit(names)
    return Dictionary(uniqueKeysWithValues: output.map { ($0.name, $0.content) })
}
