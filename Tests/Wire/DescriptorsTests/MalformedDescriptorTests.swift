// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import Testing

/// Bytes that are no file descriptor, with the error they give.
private struct Malformed: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var error: DescriptorError

    var testDescription: String { self.name }

    init(_ name: String, _ bytes: [UInt8], _ error: DescriptorError) {
        self.name = name
        self.bytes = bytes
        self.error = error
    }
}

private let cases: [Malformed] = [
    Malformed("a cut tag", [0x80], .truncated(offset: 0)),
    Malformed("a cut varint", [0x50, 0x80], .truncated(offset: 1)),
    Malformed("a cut length", [0x0a], .truncated(offset: 1)),
    Malformed("a cut string", [0x0a, 0x05, 0x61], .truncated(offset: 0)),
    Malformed("a cut fixed64", [0xa1, 0x3f, 1, 2, 3, 4, 5, 6, 7], .truncated(offset: 2)),
    Malformed("a cut fixed32", [0xa5, 0x3f, 1, 2, 3], .truncated(offset: 2)),
    Malformed("a length beyond 63 bits", [0x0a] + overlong(last: 0x01), .truncated(offset: 0)),
    Malformed(
        "a varint of eleven bytes",
        [0x50] + overlong(last: 0x81),
        .malformedVarint(offset: 1)
    ),
    Malformed("a varint above 64 bits", [0x50] + overlong(last: 0x02), .malformedVarint(offset: 1)),
    Malformed("field number zero", [0x02, 0x00], .invalidTag(offset: 0)),
    Malformed("a field number of 30 bits", [0x80, 0x80, 0x80, 0x80, 0x10], .invalidTag(offset: 0)),
    Malformed("a tag above 32 bits", [0x82, 0x80, 0x80, 0x80, 0x80, 0x01], .invalidTag(offset: 0)),
    Malformed("wire type 6", [0x0e], .invalidTag(offset: 0)),
    Malformed("wire type 7", [0x0f], .invalidTag(offset: 0)),
    Malformed("an end of no group", [0x0c], .invalidTag(offset: 0)),
    Malformed("a group without end", [0x0b, 0x08, 0x01], .truncated(offset: 3)),
    Malformed("a group with another's end", [0x0b, 0x14], .invalidTag(offset: 1)),
    Malformed("a cut field in a group", [0x0b, 0x12, 0x05], .truncated(offset: 1)),
    Malformed("wire type 7 in a group", [0x0b, 0x0f], .invalidTag(offset: 1)),
    Malformed("a name that is a number", [0x08, 0x01], .wrongWireType(fieldNumber: 1, offset: 0)),
    Malformed(
        "a message that is a number",
        [0x20, 0x01],
        .wrongWireType(fieldNumber: 4, offset: 0)
    ),
    Malformed(
        "options that are a number",
        [0x40, 0x01],
        .wrongWireType(fieldNumber: 8, offset: 0)
    ),
    Malformed(
        "a number that is a string",
        [0x72, 0x00],
        .wrongWireType(fieldNumber: 14, offset: 0)
    ),
    Malformed(
        "a list of numbers that is fixed32",
        [0x55, 0, 0, 0, 0],
        .wrongWireType(fieldNumber: 10, offset: 0),
    ),
    Malformed("a cut number in a packed list", [0x52, 0x01, 0x80], .truncated(offset: 2)),
    Malformed(
        "a name that is not UTF-8",
        [0x0a, 0x01, 0xff],
        .invalidUTF8(fieldNumber: 1, offset: 0)
    ),
    Malformed(
        "a name with a surrogate",
        [0x0a, 0x03, 0xed, 0xa0, 0x80],
        .invalidUTF8(fieldNumber: 1, offset: 0),
    ),
    Malformed("an unknown syntax", [0x62, 0x01, 0x78], .invalidValue(fieldNumber: 12, offset: 0)),
    Malformed(
        "an unknown field type",
        [0x22, 0x04, 0x12, 0x02, 0x28, 0x13],
        .invalidValue(fieldNumber: 5, offset: 4),
    ),
    Malformed(
        "an unknown label",
        [0x22, 0x04, 0x12, 0x02, 0x20, 0x00],
        .invalidValue(fieldNumber: 4, offset: 4),
    ),
    Malformed("options that are cut", [0x42, 0x01, 0x08], .truncated(offset: 3)),
    Malformed("options with a wrong tag", [0x42, 0x01, 0x07], .invalidTag(offset: 2)),
]

/// A varint of nine bytes with the high bit set, and a last one.
private func overlong(last: UInt8) -> [UInt8] {
    [UInt8](repeating: 0xff, count: 9) + [last]
}

/// `depth` messages, one in the other, the file being the first.
private func nested(_ depth: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for level in 0..<(depth - 1) {
        var length: [UInt8] = []
        var rest = bytes.count
        while rest >= 0x80 {
            length.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        length.append(UInt8(rest))
        // nested_type within messages, message_type in the file.
        bytes = [level == depth - 2 ? 0x22 : 0x1a] + length + bytes
    }
    return bytes
}

@Suite("Malformed descriptors")
struct MalformedDescriptorTests {
    @Test("give a typed error with its place", arguments: cases)
    private func errors(_ malformed: Malformed) {
        #expect(throws: malformed.error) { try FileDescriptor(parsing: malformed.bytes) }
        #expect(throws: malformed.error) {
            try malformed.bytes.withUnsafeBytes { try FileDescriptor(parsing: $0) }
        }
    }

    @Test("nest up to the limit", arguments: [-1, 0, 1])
    func depth(_ excess: Int) {
        let bytes = nested(DescriptorLimits.recursionDepth + excess)
        if excess > 0 {
            #expect(throws: DescriptorError.self) { try FileDescriptor(parsing: bytes) }
        } else {
            #expect(throws: Never.self) { try FileDescriptor(parsing: bytes) }
        }
    }

    @Test("nest groups up to the limit", arguments: [-1, 0, 1])
    func groupDepth(_ excess: Int) {
        // The file itself is the first level.
        let depth = DescriptorLimits.recursionDepth + excess - 1
        let groups: [UInt8] =
            [UInt8](repeating: 0x93, count: depth).flatMap { (byte: UInt8) -> [UInt8] in
                [byte, 0x3f]
            }
            + [UInt8](repeating: 0x94, count: depth).flatMap { (byte: UInt8) -> [UInt8] in
                [byte, 0x3f]
            }
        if excess > 0 {
            #expect(throws: DescriptorError.self) { try FileDescriptor(parsing: groups) }
        } else {
            #expect(throws: Never.self) { try FileDescriptor(parsing: groups) }
        }
    }

    @Test("have a limit of size", arguments: [-1, 0, 1])
    func size(_ excess: Int) {
        let count = DescriptorLimits.inputBytes + excess
        // One unknown field fills the whole input.
        var bytes: [UInt8] = [0xa2, 0x3f]
        var rest = count - 6
        for _ in 0..<3 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        bytes += [UInt8](repeating: 0, count: count - bytes.count)
        if excess > 0 {
            #expect(throws: DescriptorError.tooLarge(byteCount: count)) {
                try FileDescriptor(parsing: bytes)
            }
        } else {
            #expect(throws: Never.self) { try FileDescriptor(parsing: bytes) }
        }
    }

    @Test("never trap, whatever bytes are changed")
    func mutations() throws {
        let file = FileDescriptor(
            name: "a.proto",
            messages: [
                MessageDescriptor(
                    name: "M",
                    fields: [FieldDescriptor(name: "f", number: 1, type: .int32, jsonName: "f")],
                    options: DescriptorOptions(bytes: [0x18, 0x01]),
                )
            ],
            services: [ServiceDescriptor(name: "S", methods: [MethodDescriptor(name: "m")])],
            sourceCodeInfo: SourceCodeInfo(locations: [SourceLocation(path: [1], span: [1, 2, 3])]),
            syntax: .proto3,
        )
        let bytes = file.serialized()
        var good = 0
        for index in bytes.indices {
            for value in UInt8.min...UInt8.max {
                var changed = bytes
                changed[index] = value
                guard let parsed = try? FileDescriptor(parsing: changed) else { continue }
                good += 1
                // What was read is written in a form that reads the same.
                #expect(try FileDescriptor(parsing: parsed.serialized()) == parsed)
            }
            _ = try? FileDescriptor(parsing: Array(bytes[..<index]))
        }
        #expect(good > bytes.count)
    }
}
