// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
import HTTP
import NIOPosix

/// Memory in which header fields are laid out for nghttp2, used again for each block by all sessions
/// of a thread.
final class HeaderVector {
    private var base: UnsafeMutablePointer<nghttp2_nv>
    private(set) var count = 0
    private var capacity = 16

    init() {
        self.base = .allocate(capacity: self.capacity)
    }

    deinit { self.base.deallocate() }

    // SAFETY: each thread sees its own value, which is all that the variable is for.
    private nonisolated(unsafe) static let current = ThreadSpecificVariable<HeaderVector>()

    static func ofCurrentThread() -> HeaderVector {
        if let vector = self.current.currentValue { return vector }
        let vector = HeaderVector()
        self.current.currentValue = vector
        return vector
    }

    var pointer: UnsafePointer<nghttp2_nv> { UnsafePointer(self.base) }

    func removeAll() { self.count = 0 }

    /// Appends `:status`.
    func append(status: HTTPStatus) {
        self.append(
            name: WellKnownHeaderName.statusPseudo.bytes,
            value: StatusDigits.bytes(of: status),
            flags: NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue,
        )
    }

    /// Appends the fields of a block, pseudo-header fields only when `pseudo`. Fields that belong
    /// to an HTTP/1.1 connection (RFC 9113 section 8.2.2) stay behind.
    func append(_ storage: HeaderStorage, pseudo: Bool) {
        for index in (pseudo ? 0 : storage.pseudoCount)..<storage.count {
            let entry = storage.entry(at: index)
            var flags: UInt32 = entry.isSensitive ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : 0
            if let known = entry.wellKnown {
                switch known {
                case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade,
                    .host:
                    continue
                case .te:
                    // RFC 9113 section 8.2.2: nothing but "trailers".
                    if storage.valueBytes(at: index).count != 8 { continue }
                default: break
                }
                flags |= NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue
            }
            self.append(
                name: storage.nameBytes(at: index),
                value: storage.valueBytes(at: index),
                flags: flags,
            )
        }
    }

    private func append(
        name: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer,
        flags: UInt32,
    ) {
        if self.count == self.capacity {
            let larger = UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: self.capacity * 2)
            larger.update(from: self.base, count: self.count)
            self.base.deallocate()
            self.base = larger
            self.capacity *= 2
        }
        // nghttp2 reads through these pointers and never writes.
        (self.base + self.count).initialize(
            to: nghttp2_nv(
                name: UnsafeMutableRawPointer(mutating: name.baseAddress)?
                    .assumingMemoryBound(to: UInt8.self),
                value: UnsafeMutableRawPointer(mutating: value.baseAddress)?
                    .assumingMemoryBound(to: UInt8.self),
                namelen: name.count,
                valuelen: value.count,
                flags: UInt8(truncatingIfNeeded: flags),
            )
        )
        self.count &+= 1
    }
}

/// The three digits of each status code, at addresses that live as long as the process.
enum StatusDigits {
    // SAFETY: filled once when first used and only read afterwards; never freed.
    private nonisolated(unsafe) static let digits: UnsafeMutablePointer<UInt8> = {
        let digits = UnsafeMutablePointer<UInt8>.allocate(capacity: 900 * 3)
        for code in 100..<1000 {
            let start = digits + (code - 100) * 3
            start.initialize(to: UInt8(ascii: "0") + UInt8(code / 100))
            (start + 1).initialize(to: UInt8(ascii: "0") + UInt8(code / 10 % 10))
            (start + 2).initialize(to: UInt8(ascii: "0") + UInt8(code % 10))
        }
        return digits
    }()

    static func bytes(of status: HTTPStatus) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.digits + (status.rawValue - 100) * 3, count: 3)
    }

    /// The code that three digits spell, 100 to 999.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> HTTPStatus? {
        guard bytes.count == 3, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return HTTPStatus(
            peer: Int(bytes[0] - 0x30) * 100 + Int(bytes[1] - 0x30) * 10 + Int(bytes[2] - 0x30)
        )
    }
}
