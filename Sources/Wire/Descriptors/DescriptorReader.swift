// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Reads the fields of one serialized message from a borrowed buffer.
///
/// Every read is checked against the end of the message, so no input can make it trap. The buffer
/// must outlive the reader; readers never leave the `parsing` call that made them.
struct DescriptorReader {
    /// What a field holds, by wire type.
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case lengthDelimited(DescriptorReader)
        /// The content between a start-group and its end-group tag.
        case group(DescriptorReader)
    }

    /// One field as it stands in the input.
    struct Field {
        var number: Int32
        var value: Value
        /// Where the tag starts.
        var offset: Int
    }

    private let buffer: UnsafeRawBufferPointer
    private(set) var position: Int
    private let end: Int
    private let depth: Int

    init(_ buffer: UnsafeRawBufferPointer) throws(DescriptorError) {
        guard buffer.count <= DescriptorLimits.inputBytes else {
            throw .tooLarge(byteCount: buffer.count)
        }
        self.init(buffer: buffer, position: 0, end: buffer.count, depth: 1)
    }

    private init(buffer: UnsafeRawBufferPointer, position: Int, end: Int, depth: Int) {
        self.buffer = buffer
        self.position = position
        self.end = end
        self.depth = depth
    }

    /// The bytes not yet read.
    var remaining: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.buffer[self.position..<self.end])
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { self.position == self.end }

    /// The next field, or nil at the end of the message.
    mutating func next() throws(DescriptorError) -> Field? {
        guard self.position < self.end else { return nil }
        let start = self.position
        let (number, wireType) = try self.readTag()
        switch wireType {
        case 0:
            return Field(number: number, value: .varint(try self.readVarint()), offset: start)
        case 1:
            return Field(number: number, value: .fixed64(try self.readFixed(8)), offset: start)
        case 2:
            let length = try self.readVarint()
            guard length <= UInt64(self.end - self.position) else {
                throw .truncated(offset: start)
            }
            let from = self.position
            self.position += Int(length)
            let inner = DescriptorReader(
                buffer: self.buffer,
                position: from,
                end: self.position,
                depth: self.depth + 1,
            )
            return Field(number: number, value: .lengthDelimited(inner), offset: start)
        case 3:
            let from = self.position
            let to = try self.skipGroup(number: number, depth: self.depth + 1)
            let inner = DescriptorReader(
                buffer: self.buffer,
                position: from,
                end: to,
                depth: self.depth + 1,
            )
            return Field(number: number, value: .group(inner), offset: start)
        case 5:
            let bits = UInt32(truncatingIfNeeded: try self.readFixed(4))
            return Field(number: number, value: .fixed32(bits), offset: start)
        default:
            throw .invalidTag(offset: start)
        }
    }

    /// Throws when this message is nested too deep to be parsed.
    func checkDepth() throws(DescriptorError) {
        guard self.depth <= DescriptorLimits.recursionDepth else {
            throw .tooDeep(offset: self.position)
        }
    }

    /// Reads to the end of the message and throws on the first field that is not well formed.
    consuming func checkFields() throws(DescriptorError) {
        while try self.next() != nil {}
    }

    /// Reads one varint; a packed field is nothing but one after another.
    mutating func readVarint() throws(DescriptorError) -> UInt64 {
        let start = self.position
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard self.position < self.end else { throw .truncated(offset: start) }
            let byte = self.buffer[self.position]
            self.position += 1
            // The tenth byte has room for one bit only.
            guard shift < 63 || byte <= 1 else { throw .malformedVarint(offset: start) }
            result |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
    }

    private mutating func readTag() throws(DescriptorError) -> (number: Int32, wireType: UInt8) {
        let start = self.position
        let tag = try self.readVarint()
        guard tag <= UInt64(UInt32.max), let number = Int32(exactly: tag >> 3), number > 0 else {
            throw .invalidTag(offset: start)
        }
        return (number, UInt8(tag & 7))
    }

    private mutating func readFixed(_ byteCount: Int) throws(DescriptorError) -> UInt64 {
        guard self.end - self.position >= byteCount else { throw .truncated(offset: self.position) }
        var result: UInt64 = 0
        for index in 0..<byteCount {
            result |= UInt64(self.buffer[self.position + index]) << UInt64(8 * index)
        }
        self.position += byteCount
        return result
    }

    /// Moves past the end-group tag of group `number` and returns where its content ends.
    private mutating func skipGroup(number: Int32, depth: Int) throws(DescriptorError) -> Int {
        guard depth <= DescriptorLimits.recursionDepth else {
            throw .tooDeep(offset: self.position)
        }
        while true {
            let start = self.position
            guard start < self.end else { throw .truncated(offset: start) }
            let (inner, wireType) = try self.readTag()
            switch wireType {
            case 0:
                _ = try self.readVarint()
            case 1:
                _ = try self.readFixed(8)
            case 2:
                let length = try self.readVarint()
                guard length <= UInt64(self.end - self.position) else {
                    throw .truncated(offset: start)
                }
                self.position += Int(length)
            case 3:
                _ = try self.skipGroup(number: inner, depth: depth + 1)
            case 4 where inner == number:
                return start
            case 5:
                _ = try self.readFixed(4)
            default:
                throw .invalidTag(offset: start)
            }
        }
    }
}

// MARK: - Typed values

extension DescriptorReader.Field {
    /// The field as a string.
    func string() throws(DescriptorError) -> String {
        let reader = try self.lengthDelimited()
        guard let text = String(validating: reader.remaining, as: UTF8.self) else {
            throw .invalidUTF8(fieldNumber: self.number, offset: self.offset)
        }
        return text
    }

    /// The field as a signed 32-bit number.
    func int32() throws(DescriptorError) -> Int32 {
        // Negative numbers travel sign-extended to 64 bits; readers keep the low half.
        Int32(truncatingIfNeeded: try self.varint())
    }

    /// The field as a bool.
    func bool() throws(DescriptorError) -> Bool {
        try self.varint() != 0
    }

    /// The field as a number of a closed enum.
    func enumeration<E: RawRepresentable<Int32>>(_: E.Type) throws(DescriptorError) -> E {
        guard let value = E(rawValue: try self.int32()) else {
            throw .invalidValue(fieldNumber: self.number, offset: self.offset)
        }
        return value
    }

    /// The field as a parsed message.
    func message<M: DescriptorMessage>(_: M.Type) throws(DescriptorError) -> M {
        var message = M()
        try message.merge(from: try self.lengthDelimited())
        return message
    }

    /// The field as 32-bit numbers, packed or not.
    func appendInt32s(to list: inout [Int32]) throws(DescriptorError) {
        if case .lengthDelimited(var reader) = self.value {
            while !reader.isAtEnd {
                list.append(Int32(truncatingIfNeeded: try reader.readVarint()))
            }
        } else {
            list.append(try self.int32())
        }
    }

    /// Adds the field to options; a message that comes twice is merged, which is concatenation.
    func append(to options: inout DescriptorOptions) throws(DescriptorError) {
        let reader = try self.lengthDelimited()
        try reader.checkFields()
        options.isPresent = true
        options.bytes.append(contentsOf: reader.remaining)
    }

    private func varint() throws(DescriptorError) -> UInt64 {
        guard case .varint(let value) = self.value else {
            throw .wrongWireType(fieldNumber: self.number, offset: self.offset)
        }
        return value
    }

    private func lengthDelimited() throws(DescriptorError) -> DescriptorReader {
        guard case .lengthDelimited(let reader) = self.value else {
            throw .wrongWireType(fieldNumber: self.number, offset: self.offset)
        }
        return reader
    }
}
