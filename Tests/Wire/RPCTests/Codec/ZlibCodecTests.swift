// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Testing

@testable import RPC

@Suite("zlib")
struct ZlibCodecTests {
    static func compressed(_ bytes: [UInt8], _ compression: RPCCompression) throws -> [UInt8] {
        var sink = RPCByteSink()
        try #require(ZlibCodec(compression)).compress(bytes, to: &sink)
        return sink.withBytes { [UInt8]($0) }
    }

    static func decompressed(
        _ bytes: [UInt8],
        _ compression: RPCCompression,
        limit: Int
    ) throws -> [UInt8] {
        var sink = RPCByteSink()
        try #require(ZlibCodec(compression)).decompress(bytes, to: &sink, limit: limit)
        return sink.withBytes { [UInt8]($0) }
    }

    @Test(
        "holds the decompressed size to the limit",
        arguments: [RPCCompression.gzip, .deflate],
        [0, 1, 1000, 100_000]
    )
    func limit(_ compression: RPCCompression, _ size: Int) throws {
        let plain = [UInt8](repeating: 65, count: size)
        let packed = try Self.compressed(plain, compression)
        #expect(try Self.decompressed(packed, compression, limit: size) == plain)
        #expect(try Self.decompressed(packed, compression, limit: size + 1) == plain)
        if size > 0 {
            #expect(throws: ZlibCodec.Failure.tooLarge(limit: size - 1)) {
                try Self.decompressed(packed, compression, limit: size - 1)
            }
        }
    }

    @Test("stops a bomb at the limit, not at its end")
    func bomb() throws {
        let packed = try Self.compressed([UInt8](repeating: 0, count: 64 << 20), .gzip)
        #expect(packed.count < 100_000)
        var sink = RPCByteSink()
        let codec = try #require(ZlibCodec(.gzip))
        #expect(throws: ZlibCodec.Failure.tooLarge(limit: 1 << 20)) {
            try packed.withUnsafeBytes {
                try codec.decompress($0, to: &sink, limit: 1 << 20)
            }
        }
        #expect(sink.capacity < 4 << 20)
    }

    @Test("refuses what is cut, longer or damaged", arguments: [RPCCompression.gzip, .deflate])
    func damaged(_ compression: RPCCompression) throws {
        let plain = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        let packed = try Self.compressed(plain, compression)
        for count in 0..<packed.count {
            #expect(throws: ZlibCodec.Failure.malformed) {
                try Self.decompressed(Array(packed[..<count]), compression, limit: 1 << 20)
            }
        }
        #expect(throws: ZlibCodec.Failure.malformed) {
            try Self.decompressed(packed + [0], compression, limit: 1 << 20)
        }
        var flipped = packed
        flipped[packed.count / 2] ^= 0x55
        #expect(throws: ZlibCodec.Failure.self) {
            try Self.decompressed(flipped, compression, limit: 1 << 20)
        }
        #expect(throws: ZlibCodec.Failure.malformed) {
            try Self.decompressed(
                packed,
                compression == .gzip ? .deflate : .gzip,
                limit: 1 << 20
            )
        }
    }

    @Test("one codec serves message after message, also after an error")
    func reuse() throws {
        let codec = try #require(ZlibCodec(.gzip))
        for size in [10, 0, 5000, 1] {
            let plain = [UInt8](repeating: 7, count: size)
            var packed = RPCByteSink()
            try plain.withUnsafeBytes { try codec.compress($0, to: &packed) }
            var back = RPCByteSink()
            try packed.withBytes { try codec.decompress($0, to: &back, limit: 10_000) }
            #expect(back.withBytes { [UInt8]($0) } == plain)
            var waste = RPCByteSink()
            #expect(throws: ZlibCodec.Failure.self) {
                try [1, 2, 3].withUnsafeBytes {
                    try codec.decompress($0, to: &waste, limit: 10)
                }
            }
        }
    }
}

extension ZlibCodec {
    fileprivate func compress(_ bytes: [UInt8], to sink: inout RPCByteSink) throws {
        try bytes.withUnsafeBytes { try self.compress($0, to: &sink) }
    }

    fileprivate func decompress(
        _ bytes: [UInt8],
        to sink: inout RPCByteSink,
        limit: Int
    ) throws {
        try bytes.withUnsafeBytes { try self.decompress($0, to: &sink, limit: limit) }
    }
}
