// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CZlib
import RPCInterface

/// Compresses and decompresses whole messages with zlib.
///
/// Not for use by two threads at once. Its streams are made when first needed and used again.
final class ZlibCodec {
    private var deflater: UnsafeMutablePointer<z_stream>?
    private var inflater: UnsafeMutablePointer<z_stream>?
    private let windowBits: Int32

    /// What can go wrong.
    enum Failure: Error, Equatable {
        /// The bytes are not in the format, or end early, or go on after its end.
        case malformed
        /// The decompressed message is above the limit.
        case tooLarge(limit: Int)
        /// zlib has no memory.
        case outOfMemory
    }

    /// A codec for `gzip` or `deflate`; `nil` for `identity`, which needs none.
    init?(_ compression: RPCCompression) {
        switch compression {
        case .identity: return nil
        case .gzip: self.windowBits = MAX_WBITS + 16
        case .deflate: self.windowBits = MAX_WBITS
        }
    }

    deinit {
        if let deflater = self.deflater {
            deflateEnd(deflater)
            deflater.deallocate()
        }
        if let inflater = self.inflater {
            inflateEnd(inflater)
            inflater.deallocate()
        }
    }

    /// Bytes that zlib may be handed at once; its counters have 32 bits.
    private static let stepBytes = 1 << 30
    /// First guess for decompressed memory beyond the size of the input.
    private static let growthBytes = 16 << 10

    /// Appends the compressed form of `bytes` to `sink`.
    func compress(
        _ bytes: UnsafeRawBufferPointer,
        to sink: inout RPCByteSink
    ) throws(Failure) {
        let stream = try self.readyDeflater()
        var remaining = bytes
        var isDone = false
        while !isDone {
            let step = min(remaining.count, Self.stepBytes)
            let flush = step == remaining.count ? Z_FINISH : Z_NO_FLUSH
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: remaining.baseAddress?.assumingMemoryBound(to: UInt8.self)
            )
            stream.pointee.avail_in = UInt32(step)
            repeat {
                let bound = min(
                    Int(deflateBound(stream, uLong(stream.pointee.avail_in))),
                    Self.stepBytes
                )
                let room = max(bound, 64)
                let before = sink.byteCount
                var result: Int32 = Z_OK
                var produced = 0
                sink.append(byteCount: room) { memory in
                    stream.pointee.next_out = memory.baseAddress?.assumingMemoryBound(
                        to: UInt8.self
                    )
                    stream.pointee.avail_out = UInt32(room)
                    result = deflate(stream, flush)
                    produced = room - Int(stream.pointee.avail_out)
                }
                sink.truncate(toByteCount: before + produced)
                if result == Z_STREAM_END {
                    isDone = true
                } else if result != Z_OK && result != Z_BUF_ERROR {
                    throw .outOfMemory
                }
            } while !isDone && (stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0)
            remaining = UnsafeRawBufferPointer(rebasing: remaining[step...])
        }
    }

    /// Appends the decompressed form of `bytes` to `sink`, at most `limit` bytes.
    ///
    /// Memory grows with what was really decompressed, so a small message that claims to be large
    /// costs nothing before it is.
    func decompress(
        _ bytes: UnsafeRawBufferPointer,
        to sink: inout RPCByteSink,
        limit: Int
    ) throws(Failure) {
        guard bytes.count <= Self.stepBytes else { throw .tooLarge(limit: Self.stepBytes) }
        let stream = try self.readyInflater()
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        stream.pointee.avail_in = UInt32(bytes.count)
        var total = 0
        while true {
            // One byte more than the limit tells "exactly the limit" from "more".
            let left = limit - total + 1
            let room = min(left, max(bytes.count, Self.growthBytes))
            let before = sink.byteCount
            var result: Int32 = Z_OK
            var produced = 0
            sink.append(byteCount: room) { memory in
                stream.pointee.next_out = memory.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(room)
                result = inflate(stream, Z_NO_FLUSH)
                produced = room - Int(stream.pointee.avail_out)
            }
            sink.truncate(toByteCount: before + produced)
            total += produced
            guard total <= limit else { throw .tooLarge(limit: limit) }
            switch result {
            case Z_STREAM_END:
                guard stream.pointee.avail_in == 0 else { throw .malformed }
                return
            case Z_OK:
                guard stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0 else {
                    throw .malformed
                }
            case Z_MEM_ERROR:
                throw .outOfMemory
            default:
                throw .malformed
            }
        }
    }

    private func readyDeflater() throws(Failure) -> UnsafeMutablePointer<z_stream> {
        if let stream = self.deflater {
            guard deflateReset(stream) == Z_OK else { throw .outOfMemory }
            return stream
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit2_(
            stream,
            Z_DEFAULT_COMPRESSION,
            Z_DEFLATED,
            self.windowBits,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard result == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
        self.deflater = stream
        return stream
    }

    private func readyInflater() throws(Failure) -> UnsafeMutablePointer<z_stream> {
        if let stream = self.inflater {
            guard inflateReset(stream) == Z_OK else { throw .outOfMemory }
            return stream
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = inflateInit2_(
            stream,
            self.windowBits,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard result == Z_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
        self.inflater = stream
        return stream
    }
}
