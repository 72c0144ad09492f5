// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Descriptors

/// Runs the whole compiler over arbitrary bytes, for fuzzers and tests.
///
/// Whatever the bytes are, the compiler must return: with errors, or with descriptors that come back
/// equal from their serialized form.
///
/// - Returns: the descriptors, when the bytes are a good schema.
@discardableResult
public func fuzzSchemaParser(_ bytes: UnsafeRawBufferPointer) -> FileDescriptorSet? {
    let files = MemoryFileSystem(bytes: ["fuzz.proto": Array(bytes)])
    let result = SchemaCompiler(fileSystem: files, searchPaths: [""]).compile(["fuzz.proto"])
    precondition(
        result.hasErrors == result.files.isEmpty,
        "the compiler gives either errors or files: \(result.diagnostics)",
    )
    guard !result.hasErrors else { return nil }
    let set = FileDescriptorSet(files: result.files)
    let again = try? FileDescriptorSet(parsing: set.serialized())
    precondition(again == set, "descriptors differ from their serialized form")
    return set
}
