// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The names that header fields refer to by one byte, pseudo-header fields included.
package enum WellKnownHeaderName: UInt8, CaseIterable, Sendable {
    // RFC 9113 section 8.3 and RFC 8441: these never appear among the regular fields.
    case authorityPseudo = 1
    case methodPseudo
    case pathPseudo
    case schemePseudo
    case statusPseudo
    case protocolPseudo
    // Regular fields.
    case accept
    case acceptEncoding
    case age
    case allow
    case auditID
    case authorization
    case cacheControl
    case connection
    case contentEncoding
    case contentLength
    case contentType
    case cookie
    case date
    case etag
    case expect
    case grpcAcceptEncoding
    case grpcEncoding
    case grpcMessage
    case grpcMessageType
    case grpcStatus
    case grpcStatusDetails
    case grpcTimeout
    case host
    case ifMatch
    case ifNoneMatch
    case keepAlive
    case location
    case origin
    case proxyConnection
    case retryAfter
    case server
    case te
    case trailer
    case transferEncoding
    case upgrade
    case userAgent
    case vary
    case warning
    case wwwAuthenticate

    /// Whether this is a pseudo-header field.
    package var isPseudo: Bool { self.rawValue <= WellKnownHeaderName.protocolPseudo.rawValue }

    private var spelling: StaticString {
        switch self {
        case .authorityPseudo: ":authority"
        case .methodPseudo: ":method"
        case .pathPseudo: ":path"
        case .schemePseudo: ":scheme"
        case .statusPseudo: ":status"
        case .protocolPseudo: ":protocol"
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .age: "age"
        case .allow: "allow"
        case .auditID: "audit-id"
        case .authorization: "authorization"
        case .cacheControl: "cache-control"
        case .connection: "connection"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
        case .contentType: "content-type"
        case .cookie: "cookie"
        case .date: "date"
        case .etag: "etag"
        case .expect: "expect"
        case .grpcAcceptEncoding: "grpc-accept-encoding"
        case .grpcEncoding: "grpc-encoding"
        case .grpcMessage: "grpc-message"
        case .grpcMessageType: "grpc-message-type"
        case .grpcStatus: "grpc-status"
        case .grpcStatusDetails: "grpc-status-details-bin"
        case .grpcTimeout: "grpc-timeout"
        case .host: "host"
        case .ifMatch: "if-match"
        case .ifNoneMatch: "if-none-match"
        case .keepAlive: "keep-alive"
        case .location: "location"
        case .origin: "origin"
        case .proxyConnection: "proxy-connection"
        case .retryAfter: "retry-after"
        case .server: "server"
        case .te: "te"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .upgrade: "upgrade"
        case .userAgent: "user-agent"
        case .vary: "vary"
        case .warning: "warning"
        case .wwwAuthenticate: "www-authenticate"
        }
    }

    /// The name's bytes, which live as long as the process.
    package var bytes: UnsafeRawBufferPointer {
        Self.table.spellings[Int(self.rawValue)]
    }

    /// The name as text.
    package var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// The well-known name that these lower-case bytes spell, or nil.
    package init?(matching bytes: UnsafeRawBufferPointer) {
        guard let code = Self.table.find(bytes) else { return nil }
        self.init(rawValue: code)
    }

    /// An open-addressed table from a cheap hash of the bytes to the code.
    private struct Table {
        static let slotCount = 256
        let spellings: UnsafeMutablePointer<UnsafeRawBufferPointer>
        let slots: UnsafeMutablePointer<UInt8>

        init() {
            let count = WellKnownHeaderName.allCases.count + 1
            self.spellings = .allocate(capacity: count)
            self.spellings.initialize(
                repeating: UnsafeRawBufferPointer(start: nil, count: 0),
                count: count,
            )
            self.slots = .allocate(capacity: Self.slotCount)
            self.slots.initialize(repeating: 0, count: Self.slotCount)
            for name in WellKnownHeaderName.allCases {
                let spelling = name.spelling
                let bytes = UnsafeRawBufferPointer(
                    start: spelling.utf8Start,
                    count: spelling.utf8CodeUnitCount,
                )
                self.spellings[Int(name.rawValue)] = bytes
                var slot = Self.hash(bytes)
                while self.slots[slot] != 0 { slot = (slot + 1) % Self.slotCount }
                self.slots[slot] = name.rawValue
            }
        }

        static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
            guard bytes.count > 0 else { return 0 }
            let first = Int(bytes[0])
            let last = Int(bytes[bytes.count &- 1])
            let middle = Int(bytes[bytes.count / 2])
            return (first &* 7 &+ last &* 31 &+ middle &* 113 &+ bytes.count &* 17)
                & (Self.slotCount - 1)
        }

        func find(_ bytes: UnsafeRawBufferPointer) -> UInt8? {
            var slot = Self.hash(bytes)
            while true {
                let code = self.slots[slot]
                guard code != 0 else { return nil }
                let spelling = self.spellings[Int(code)]
                if FieldSyntax.equal(spelling, bytes) { return code }
                slot = (slot + 1) & (Self.slotCount - 1)
            }
        }
    }

    // SAFETY: filled once by its initialiser and only read afterwards; never freed.
    private nonisolated(unsafe) static let table = Table()
}
