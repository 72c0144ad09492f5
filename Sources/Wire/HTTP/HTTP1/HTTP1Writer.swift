// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore

/// Writes the messages of HTTP/1.1 (RFC 9112).
enum HTTP1Writer {
    /// The framing field that is added to a head.
    enum Framing {
        case none
        case length(Int)
        case chunked
    }

    private static let allocator = ByteBufferAllocator()

    static func head(
        _ head: HTTPResponseHead,
        framing: Framing,
        closes: Bool,
        isHTTP10: Bool,
    ) -> ByteBuffer {
        var out = self.allocator.buffer(capacity: 256)
        self.statusLine(head.status, to: &out)
        self.fields(head.fields, to: &out)
        switch framing {
        case .none: break
        case .length(let count): out.writeString("content-length: \(count)\r\n")
        case .chunked: out.writeStaticString("transfer-encoding: chunked\r\n")
        }
        if closes {
            out.writeStaticString("connection: close\r\n")
        } else if isHTTP10 {
            out.writeStaticString("connection: keep-alive\r\n")
        }
        out.writeStaticString("\r\n")
        return out
    }

    static func interim(_ head: HTTPResponseHead) -> ByteBuffer {
        var out = self.allocator.buffer(capacity: 64)
        self.statusLine(head.status, to: &out)
        self.fields(head.fields, to: &out)
        out.writeStaticString("\r\n")
        return out
    }

    static func switching(to protocolName: String, fields: HeaderFields) -> ByteBuffer {
        var out = self.allocator.buffer(capacity: 128)
        self.statusLine(.switchingProtocols, to: &out)
        out.writeStaticString("connection: Upgrade\r\nupgrade: ")
        out.writeString(FieldSyntax.isProtocol(protocolName) ? protocolName : "unknown")
        out.writeStaticString("\r\n")
        self.fields(fields, to: &out)
        out.writeStaticString("\r\n")
        return out
    }

    /// The answer to a request that could not be understood; the connection ends with it.
    static func failure(_ status: HTTPStatus) -> ByteBuffer {
        var out = self.allocator.buffer(capacity: 96)
        self.statusLine(status, to: &out)
        out.writeStaticString("content-length: 0\r\nconnection: close\r\n\r\n")
        return out
    }

    static func lastChunk(_ trailers: HeaderFields?) -> ByteBuffer {
        var out = self.allocator.buffer(capacity: 64)
        out.writeStaticString("0\r\n")
        if let trailers { self.fields(trailers, to: &out) }
        out.writeStaticString("\r\n")
        return out
    }

    static func chunkHead(_ byteCount: Int) -> ByteBuffer {
        var out = self.allocator.buffer(capacity: 16)
        out.writeString(String(byteCount, radix: 16))
        out.writeStaticString("\r\n")
        return out
    }

    /// The `content-length` among the fields when it is a number.
    static func contentLength(_ fields: HeaderFields) -> Int? {
        fields[.contentLength].flatMap { text in
            text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
        }
    }

    private static func statusLine(_ status: HTTPStatus, to out: inout ByteBuffer) {
        out.writeStaticString("HTTP/1.1 ")
        out.writeString(String(status.rawValue))
        out.writeStaticString(" ")
        out.writeStaticString(status.reasonPhrase)
        out.writeStaticString("\r\n")
    }

    /// Writes fields; those that say how the message is framed are the writer's own.
    private static func fields(_ fields: HeaderFields, to out: inout ByteBuffer) {
        guard let storage = fields.storage else { return }
        for index in storage.pseudoCount..<storage.count {
            switch storage.entry(at: index).wellKnown {
            case .transferEncoding, .keepAlive, .proxyConnection, .connection, .upgrade:
                continue
            default: break
            }
            out.writeBytes(storage.nameBytes(at: index))
            out.writeStaticString(": ")
            out.writeBytes(storage.valueBytes(at: index))
            out.writeStaticString("\r\n")
        }
    }
}
