// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import Protobuf
import Testing

/// Bytes that are not a message: each is answered with a typed error and never a trap.
@Suite("Malformed binary messages")
struct BinaryBadInputTests {
    struct Row: Sendable {
        let name: String
        let bytes: [UInt8]
        let error: DecodingError
    }

    /// Against Pod: metadata = 1, spec = 2, status = 3.
    static let rows: [Row] = [
        Row(name: "tag without value", bytes: [0x0A], error: .truncated(offset: 1)),
        Row(name: "length beyond the end", bytes: [0x0A, 5, 1], error: .truncated(offset: 1)),
        Row(name: "length one beyond the end", bytes: [0x0A, 1], error: .truncated(offset: 1)),
        Row(
            name: "length of 4 GiB",
            bytes: [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            error: .truncated(offset: 1)
        ),
        Row(
            name: "length of 2^63",
            bytes: [0x0A] + [UInt8](repeating: 0x80, count: 9) + [1],
            error: .truncated(offset: 1)
        ),
        Row(
            name: "length of 2^64 - 1",
            bytes: [0x0A] + [UInt8](repeating: 0xFF, count: 9) + [1],
            error: .truncated(offset: 1)
        ),
        Row(name: "cut tag", bytes: [0x80], error: .truncated(offset: 0)),
        Row(name: "cut length", bytes: [0x0A, 0x80], error: .truncated(offset: 1)),
        Row(
            name: "overlong tag",
            bytes: [UInt8](repeating: 0x80, count: 10) + [1],
            error: .malformedVarint(offset: 0)
        ),
        Row(
            name: "overlong length",
            bytes: [0x0A] + [UInt8](repeating: 0x80, count: 10) + [1],
            error: .malformedVarint(offset: 1)
        ),
        Row(
            name: "tenth byte above 1",
            bytes: [0x0A] + [UInt8](repeating: 0xFF, count: 9) + [2],
            error: .malformedVarint(offset: 1)
        ),
        Row(name: "field number 0", bytes: [0x00, 0x00], error: .invalidFieldNumber(offset: 0)),
        Row(
            name: "field number 0 with bytes",
            bytes: [0x02, 0x00],
            error: .invalidFieldNumber(offset: 0)
        ),
        Row(
            name: "field number 2^29",
            bytes: [0x80, 0x80, 0x80, 0x80, 0x10, 0],
            error: .invalidFieldNumber(offset: 0)
        ),
        Row(
            name: "metadata as varint",
            bytes: [0x08, 1],
            error: .wrongWireType(field: 1, wireType: 0, offset: 1)
        ),
        Row(
            name: "metadata as 64 bits",
            bytes: [0x09] + [UInt8](repeating: 0, count: 8),
            error: .wrongWireType(field: 1, wireType: 1, offset: 1)
        ),
        Row(
            name: "metadata as 32 bits",
            bytes: [0x0D, 0, 0, 0, 0],
            error: .wrongWireType(field: 1, wireType: 5, offset: 1)
        ),
        Row(
            name: "metadata as group",
            bytes: [0x0B, 0x0C],
            error: .wrongWireType(field: 1, wireType: 3, offset: 1)
        ),
        Row(name: "wire type 6", bytes: [0x7E], error: .invalidWireType(wireType: 6, offset: 1)),
        Row(name: "wire type 7", bytes: [0x7F], error: .invalidWireType(wireType: 7, offset: 1)),
        Row(
            name: "end of no group",
            bytes: [0x7C],
            error: .invalidWireType(wireType: 4, offset: 1)
        ),
        Row(
            name: "group that does not end",
            bytes: [0x7B, 0x08, 1],
            error: .truncated(offset: 3)
        ),
        Row(
            name: "group that ends as another",
            bytes: [0x7B, 0x74],
            error: .invalidWireType(wireType: 4, offset: 2)
        ),
        Row(name: "unknown 64 bits cut", bytes: [0x79, 1, 2, 3], error: .truncated(offset: 1)),
        Row(name: "unknown 32 bits cut", bytes: [0x7D, 1, 2, 3], error: .truncated(offset: 1)),
        Row(name: "unknown varint cut", bytes: [0x78, 0x80], error: .truncated(offset: 1)),
        Row(name: "unknown bytes cut", bytes: [0x7A, 2, 1], error: .truncated(offset: 1)),
        Row(
            name: "unknown varint overlong",
            bytes: [0x78] + [UInt8](repeating: 0xFF, count: 10) + [1],
            error: .malformedVarint(offset: 1)
        ),
        Row(
            name: "name that is not UTF-8",
            bytes: [0x0A, 3, 0x0A, 1, 0xFF],
            error: .invalidUTF8(field: 1, offset: 4)
        ),
        Row(
            name: "name cut inside a character",
            bytes: [0x0A, 4, 0x0A, 2, 0x61, 0xC3],
            error: .invalidUTF8(field: 1, offset: 5)
        ),
        Row(
            name: "name with a surrogate",
            bytes: [0x0A, 5, 0x0A, 3, 0xED, 0xA0, 0x80],
            error: .invalidUTF8(field: 1, offset: 4)
        ),
        Row(
            name: "name with an overlong slash",
            bytes: [0x0A, 4, 0x0A, 2, 0xC0, 0xAF],
            error: .invalidUTF8(field: 1, offset: 4)
        ),
        Row(
            name: "inner length beyond its message",
            bytes: [0x0A, 2, 0x0A, 9],
            error: .truncated(offset: 3)
        ),
        Row(
            name: "inner tag at the end of its message",
            bytes: [0x0A, 1, 0x0A, 1, 0x61],
            error: .truncated(offset: 3)
        ),
        Row(
            name: "label with a wrong key type",
            bytes: [0x0A, 4, 0x5A, 2, 0x08, 1],
            error: .wrongWireType(field: 11, wireType: 0, offset: 5)
        ),
        Row(
            name: "label as varint",
            bytes: [0x0A, 2, 0x58, 1],
            error: .wrongWireType(field: 11, wireType: 0, offset: 2)
        ),
        Row(
            name: "label key that is not UTF-8",
            bytes: [0x0A, 5, 0x5A, 3, 0x0A, 1, 0x80],
            error: .invalidUTF8(field: 11, offset: 6)
        ),
        Row(
            name: "label entry cut",
            bytes: [0x0A, 4, 0x5A, 2, 0x0A, 5],
            error: .truncated(offset: 5)
        ),
        Row(name: "generation cut", bytes: [0x0A, 2, 0x38, 0x80], error: .truncated(offset: 3)),
        Row(
            name: "generation overlong",
            bytes: [0x0A, 12, 0x38] + [UInt8](repeating: 0x80, count: 10) + [1],
            error: .malformedVarint(offset: 3)
        ),
    ]

    @Test("is refused with the reason and the place", arguments: rows)
    func refuses(row: Row) {
        #expect(throws: row.error, "\(row.name)") { try CoreV1.Pod(serialized: row.bytes) }
    }

    @Test("cut at any byte is an error or a shorter message")
    func truncation() throws {
        let bytes = MessageValueTests.pod().serialized()
        var errors = 0
        for count in 0..<bytes.count {
            do throws(DecodingError) {
                _ = try CoreV1.Pod(serialized: Array(bytes.prefix(count)))
            } catch {
                errors += 1
            }
        }
        // Whole are only the cuts between the three fields of the outermost message.
        #expect(errors >= bytes.count - 3)
    }

    @Test("any single byte changed is an error or another message")
    func corruption() throws {
        let bytes = MessageValueTests.pod().serialized()
        for index in bytes.indices {
            for change in [0x01, 0x80, 0xFF] as [UInt8] {
                var copy = bytes
                copy[index] ^= change
                if let pod = try? CoreV1.Pod(serialized: copy) {
                    #expect(try CoreV1.Pod(serialized: pod.serialized()) == pod)
                }
            }
        }
    }

    @Test("nests as deep as the limit and no deeper")
    func depth() throws {
        // JSONSchemaProps.not = 28 is a JSONSchemaProps.
        func nested(_ depth: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            for _ in 0..<depth {
                var length = bytes.count
                var prefix: [UInt8] = [0xE2, 0x01]
                while length > 0x7F {
                    prefix.append(UInt8(length & 0x7F | 0x80))
                    length >>= 7
                }
                bytes = prefix + [UInt8(length)] + bytes
            }
            return bytes
        }
        let limits = DecodingLimits(depth: 20)
        _ = try ApiextensionsV1.JSONSchemaProps(serialized: nested(18), limits: limits)
        _ = try ApiextensionsV1.JSONSchemaProps(serialized: nested(19), limits: limits)
        #expect(throws: DecodingError.tooDeep(limit: 20, offset: 60)) {
            try ApiextensionsV1.JSONSchemaProps(serialized: nested(20), limits: limits)
        }
        #expect(throws: DecodingError.self) {
            try ApiextensionsV1.JSONSchemaProps(serialized: nested(5000))
        }
        let groups = [UInt8](repeating: 0x7B, count: 100_000)
        #expect(throws: DecodingError.self) { try CoreV1.Pod(serialized: groups) }
    }

    @Test("that would take far more memory than it has bytes is refused")
    func amplification() throws {
        // Pod.spec.containers[]: two bytes each, hundreds in memory.
        let containers = (0..<200_000).flatMap { _ in [0x12, 0x00] as [UInt8] }
        var spec: [UInt8] = [0x12]
        var length = containers.count
        while length > 0x7F {
            spec.append(UInt8(length & 0x7F | 0x80))
            length >>= 7
        }
        spec += [UInt8(length)] + containers
        #expect(throws: DecodingError.tooLarge(limit: spec.count * 32 + 1 << 20)) {
            try CoreV1.Pod(serialized: spec)
        }
        let few = DecodingLimits(treeBytesPerInputByte: 200)
        #expect(try CoreV1.Pod(serialized: spec, limits: few).spec.containers.count == 200_000)
    }

    @Test("unknown fields are dropped by Kubernetes' messages and kept by others")
    func unknownFields() throws {
        let unknown: [UInt8] = [
            0xA0, 0x3F, 0x2A, 0xAA, 0x3F, 2, 0x68, 0x69, 0xA3, 0x3F, 0xA4, 0x3F,
        ]
        let name: [UInt8] = [0x0A, 1, 0x61]
        let reference = try CoreV1.LocalObjectReference(serialized: unknown + name + unknown)
        #expect(reference.serialized() == name)
        let spec = try CRI.ImageSpec(serialized: unknown + name + unknown)
        #expect(spec.serialized() == name + unknown + unknown)
        #expect(spec != CRI.ImageSpec.with { $0.image = "a" })
        var changed = spec
        changed.image = "b"
        #expect(changed.serialized() == [0x0A, 1, 0x62] + unknown + unknown)
    }

    @Test("the last of a repeated single field wins, messages merge")
    func repetition() throws {
        let bytes: [UInt8] = [
            0x0A, 3, 0x0A, 1, 0x61,  // metadata.name = a
            0x0A, 3, 0x1A, 1, 0x62,  // metadata.namespace = b
            0x0A, 3, 0x0A, 1, 0x63,  // metadata.name = c
        ]
        let pod = try CoreV1.Pod(serialized: bytes)
        #expect(pod.metadata.name == "c")
        #expect(pod.metadata.namespace == "b")
    }
}
