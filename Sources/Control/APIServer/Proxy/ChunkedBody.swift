// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore

/// The body of a short answer in chunks (RFC 9112 section 7.1).
enum ChunkedBody {
    /// The bytes of a body that is there as a whole; nil when it is not, or is malformed.
    static func decode(_ encoded: ByteBuffer) -> ByteBuffer? {
        var rest = encoded.readableBytesView
        var body = ByteBuffer()
        while let end = rest.firstIndex(of: 0x0A) {
            let line = rest[rest.startIndex..<end].prefix { $0 != UInt8(ascii: ";") && $0 != 0x0D }
            let text = String(decoding: line, as: UTF8.self)
            guard !text.isEmpty, text.utf8.count <= 8, let count = Int(text, radix: 16), count >= 0
            else { return nil }
            rest = rest[(end + 1)...]
            if count == 0 { return body }
            // The bytes and the end of their line.
            guard rest.count >= count + 2 else { return nil }
            body.writeBytes(rest.prefix(count))
            rest = rest.dropFirst(count + 2)
        }
        return nil
    }

    /// Fields without those that say where the body ends.
    static func unframed(_ fields: HeaderFields) -> HeaderFields {
        var fields = fields
        fields.remove(.contentLength)
        fields.remove(.transferEncoding)
        return fields
    }
}
