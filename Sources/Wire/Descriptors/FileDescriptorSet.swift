// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A list of files, each after the files it imports (`google.protobuf.FileDescriptorSet`).
public struct FileDescriptorSet: Hashable, Sendable {
    /// The files, imports first.
    public var files: [FileDescriptor]

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        files: [FileDescriptor] = [],
    ) {
        self.files = files
    }
}

// MARK: - Binary form

extension FileDescriptorSet {
    /// Parses a serialized `FileDescriptorSet`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `FileDescriptorSet`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `FileDescriptorSet`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension FileDescriptorSet: DescriptorMessage {
    init() {
        self.init(files: [])
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.files.append(try field.message(FileDescriptor.self))
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.write(1, self.files)
    }
}
