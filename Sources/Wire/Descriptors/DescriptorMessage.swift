// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A message of descriptor.proto with its binary form.
///
/// Fields that a type does not know are skipped: descriptors are read by people's tools of many
/// ages, and none of what newer compilers add changes the meaning of the fields known here.
protocol DescriptorMessage: Sendable {
    init()

    /// Takes over one field.
    mutating func merge(_ field: DescriptorReader.Field) throws(DescriptorError)

    /// Appends all fields in order of number.
    func write(to writer: inout DescriptorWriter)
}

extension DescriptorMessage {
    mutating func merge(from reader: DescriptorReader) throws(DescriptorError) {
        try reader.checkDepth()
        var reader = reader
        while let field = try reader.next() { try self.merge(field) }
    }

    static func parse(_ bytes: UnsafeRawBufferPointer) throws(DescriptorError) -> Self {
        var message = Self()
        try message.merge(from: try DescriptorReader(bytes))
        return message
    }

    static func parse(_ bytes: [UInt8]) throws(DescriptorError) -> Self {
        let result: Result<Self, DescriptorError> = bytes.withUnsafeBytes { buffer in
            do throws(DescriptorError) {
                return .success(try Self.parse(buffer))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func serializedBytes() -> [UInt8] {
        var writer = DescriptorWriter()
        self.write(to: &writer)
        return writer.bytes
    }
}
