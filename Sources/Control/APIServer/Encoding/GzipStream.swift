// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CZlib
import MediaTypes
import NIOCore

/// Compresses an answer piece by piece.
final class GzipStream {
    private var stream = z_stream()

    /// nil when zlib has no memory; the answer then goes out as it is.
    init?() {
        let size = Int32(MemoryLayout<z_stream>.size)
        let result = deflateInit2_(
            &self.stream,
            Int32(ContentCoding.gzipLevel),
            Z_DEFLATED,
            MAX_WBITS + 16,
            MAX_MEM_LEVEL,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            size
        )
        guard result == Z_OK else { return nil }
    }

    deinit {
        deflateEnd(&self.stream)
    }

    /// What comes out of a piece; everything that is left with the last one.
    func compress(_ piece: ByteBuffer, isLast: Bool) -> ByteBuffer {
        var out = ByteBuffer()
        var input = piece
        let flush = isLast ? Z_FINISH : Z_NO_FLUSH
        input.withUnsafeMutableReadableBytes { bytes in
            self.stream.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            self.stream.avail_in = UInt32(bytes.count)
            while true {
                var result = Z_OK
                let room = 32 << 10
                out.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                    let count = min(target.count, Int(Int32.max))
                    self.stream.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    self.stream.avail_out = UInt32(count)
                    result = deflate(&self.stream, flush)
                    return count - Int(self.stream.avail_out)
                }
                if result == Z_STREAM_END || result == Z_BUF_ERROR { return }
                if self.stream.avail_out > 0, !isLast { return }
                guard result == Z_OK else { return }
            }
        }
        return out
    }
}
