// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface
import Synchronization

/// Codecs that are not in use; a codec has some 300 KiB of memory, so calls do not keep their own.
final class ZlibPool: Sendable {
    /// Codecs of each format that are kept.
    static let keptCodecs = 4

    static let gzip = ZlibPool(.gzip)
    static let deflate = ZlibPool(.deflate)

    private let compression: RPCCompression
    private let idle = Mutex<[Lent]>([])

    /// A codec on its way between threads.
    private struct Lent: @unchecked Sendable {
        // SAFETY: whoever took the codec out of the pool is the only one to have it.
        let codec: ZlibCodec
    }

    private init(_ compression: RPCCompression) { self.compression = compression }

    /// Runs `body` with a codec for `compression`; `body` gets `nil` for `identity`.
    static func withCodec<R>(
        for compression: RPCCompression,
        _ body: (ZlibCodec?) throws(ZlibCodec.Failure) -> R
    ) throws(ZlibCodec.Failure) -> R {
        switch compression {
        case .identity: try body(nil)
        case .gzip: try Self.gzip.withCodec(body)
        case .deflate: try Self.deflate.withCodec(body)
        }
    }

    private func withCodec<R>(
        _ body: (ZlibCodec?) throws(ZlibCodec.Failure) -> R
    ) throws(ZlibCodec.Failure) -> R {
        let kept = self.idle.withLock { $0.popLast() }
        let codec = kept?.codec ?? ZlibCodec(self.compression)
        defer {
            if let codec {
                let lent = Lent(codec: codec)
                self.idle.withLock { idle in
                    if idle.count < Self.keptCodecs { idle.append(lent) }
                }
            }
        }
        return try body(codec)
    }
}
