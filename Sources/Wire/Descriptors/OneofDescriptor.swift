// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One oneof (`google.protobuf.OneofDescriptorProto`).
public struct OneofDescriptor: Hashable, Sendable {
    /// Simple name.
    public var name: String
    /// The serialized `OneofOptions`.
    public var options: DescriptorOptions

    /// Makes a descriptor; whatever is left out is absent.
    public init(
        name: String = "",
        options: DescriptorOptions = DescriptorOptions(),
    ) {
        self.name = name
        self.options = options
    }
}

// MARK: - Binary form

extension OneofDescriptor {
    /// Parses a serialized `OneofDescriptorProto`.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// Parses a serialized `OneofDescriptorProto`.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        self = try .parse(bytes)
    }

    /// The serialized `OneofDescriptorProto`, fields in order of number.
    public func serialized() -> [UInt8] {
        self.serializedBytes()
    }
}

extension OneofDescriptor: DescriptorMessage {
    init() {
        self.init(name: "")
    }

    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError) {
        switch field.number {
        case 1: self.name = try field.string()
        case 2: try field.append(to: &self.options)
        default: break
        }
    }

    func write(to writer: inout DescriptorWriter) {
        writer.writeNonempty(1, self.name)
        writer.write(2, self.options)
    }
}
