// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CZlib

/// Compresses header blocks: one stream of zlib for all blocks that one side sends.
final class HeaderDeflater {
    /// At one address for its life: zlib checks that it is.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        self.stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        let code = deflateInit_(self.stream, Z_DEFAULT_COMPRESSION, ZLIB_VERSION, size)
        self.isReady =
            code == Z_OK
            && HeaderDictionary.withBytes { [stream] in
                deflateSetDictionary(stream, $0.baseAddress, UInt32($0.count)) == Z_OK
            }
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// The block compressed, flushed so that the other side can read it at once.
    func compress(_ block: [UInt8]) throws(SPDYError) -> [UInt8] {
        guard self.isReady else { throw .compression }
        var output: [UInt8] = []
        var input = block
        var chunk = [UInt8](repeating: 0, count: 4096)
        let isDone = input.withUnsafeMutableBufferPointer { source in
            self.stream.pointee.next_in = source.baseAddress
            self.stream.pointee.avail_in = UInt32(source.count)
            while true {
                let (code, count) = chunk.withUnsafeMutableBufferPointer { target in
                    self.stream.pointee.next_out = target.baseAddress
                    self.stream.pointee.avail_out = UInt32(target.count)
                    let code = deflate(self.stream, Z_SYNC_FLUSH)
                    return (code, target.count - Int(self.stream.pointee.avail_out))
                }
                output += chunk[..<count]
                guard code == Z_OK || code == Z_BUF_ERROR else { return false }
                if self.stream.pointee.avail_out != 0 { return true }
            }
        }
        guard isDone else { throw .compression }
        return output
    }
}

/// Decompresses the header blocks that one side sends.
final class HeaderInflater {
    /// At one address for its life: zlib checks that it is.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        self.stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        self.isReady = inflateInit_(self.stream, ZLIB_VERSION, size) == Z_OK
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// The block; at most `limit` bytes.
    func decompress(_ block: ArraySlice<UInt8>, limit: Int) throws(SPDYError) -> [UInt8] {
        guard self.isReady else { throw .compression }
        var output: [UInt8] = []
        var input = Array(block)
        var chunk = [UInt8](repeating: 0, count: 4096)
        let problem = input.withUnsafeMutableBufferPointer { source -> SPDYError? in
            self.stream.pointee.next_in = source.baseAddress
            self.stream.pointee.avail_in = UInt32(source.count)
            while true {
                let (code, count) = chunk.withUnsafeMutableBufferPointer { target in
                    self.stream.pointee.next_out = target.baseAddress
                    self.stream.pointee.avail_out = UInt32(target.count)
                    let code = inflate(self.stream, Z_SYNC_FLUSH)
                    return (code, target.count - Int(self.stream.pointee.avail_out))
                }
                output += chunk[..<count]
                if output.count > limit { return .headersTooLarge }
                switch code {
                case Z_NEED_DICT:
                    let code = HeaderDictionary.withBytes {
                        inflateSetDictionary(self.stream, $0.baseAddress, UInt32($0.count))
                    }
                    guard code == Z_OK else { return .compression }
                case Z_OK, Z_BUF_ERROR:
                    if self.stream.pointee.avail_out != 0 { return nil }
                default:
                    return .compression
                }
            }
        }
        if let problem { throw problem }
        return output
    }
}
