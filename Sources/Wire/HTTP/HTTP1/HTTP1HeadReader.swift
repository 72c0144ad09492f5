// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOHTTP1

/// Turns NIOHTTP1's heads into ours and applies the rules that it leaves open.
enum HTTP1HeadReader {
    /// What is wrong with a request, as the status to answer.
    struct Refusal: Error {
        let status: HTTPStatus
    }

    struct Result {
        let head: HTTPRequestHead
        let isHTTP10: Bool
        let keepsAlive: Bool
        let wantsUpgrade: Bool
    }

    /// RFC 9112 sections 3 and 6, RFC 9110 section 7.
    static func request(
        _ source: NIOHTTP1.HTTPRequestHead,
        isSecure: Bool,
        limits: HTTPLimits,
    ) throws(Refusal) -> Result {
        guard source.version.major == 1 else { throw Refusal(status: .versionNotSupported) }
        guard let method = HTTPMethod(source.method.rawValue) else {
            throw Refusal(status: .badRequest)
        }
        let isHTTP10 = source.version.minor == 0
        let fields = try self.fields(source.headers, limits: limits)
        let hosts = source.headers["host"]
        guard hosts.count == 1 || (hosts.isEmpty && isHTTP10) else {
            throw Refusal(status: .badRequest)
        }
        try self.checkFraming(source.headers, isHTTP10: isHTTP10)
        var authority = hosts.first ?? ""
        guard authority.utf8.allSatisfy(self.isAuthority) else {
            throw Refusal(status: .badRequest)
        }
        var path = source.uri
        guard path.utf8.count <= PathSyntax.maximumByteCount else {
            throw Refusal(status: .uriTooLong)
        }
        if method == .connect { throw Refusal(status: .methodNotAllowed) }
        if path.hasPrefix("http://") || path.hasPrefix("https://") {
            // Absolute form (RFC 9112 section 3.2.2): its authority counts, not Host.
            let rest = path.drop { $0 != "/" }.dropFirst(2)
            authority = String(rest.prefix { $0 != "/" && $0 != "?" })
            let tail = rest.dropFirst(authority.count)
            path = tail.hasPrefix("/") ? String(tail) : "/" + tail
        }
        let isAsterisk = path == "*" && method == .options
        let isOrigin = Array(path.utf8).withUnsafeBytes { PathSyntax.isOriginForm($0) }
        guard isAsterisk || isOrigin else { throw Refusal(status: .badRequest) }
        let connection = source.headers[canonicalForm: "connection"].map { $0.lowercased() }
        let head = HTTPRequestHead(
            method: method,
            scheme: isSecure ? "https" : "http",
            authority: authority,
            path: path,
            fields: fields,
        )
        return Result(
            head: head,
            isHTTP10: isHTTP10,
            keepsAlive: isHTTP10
                ? connection.contains("keep-alive") : !connection.contains("close"),
            wantsUpgrade: !isHTTP10 && connection.contains("upgrade")
                && source.headers.contains(name: "upgrade")
                // Go's clients, kubectl among them, announce the body that a POST does not have.
                && source.headers["content-length"].allSatisfy { $0 == "0" }
                && !source.headers.contains(name: "transfer-encoding"),
        )
    }

    /// Fields in lower case, without those of the connection. `upgrade` stays for who handles it, and
    /// `connection` for who passes a message on: the fields that it names end there (RFC 9110
    /// section 7.6.1). They are not dropped here, where they would be what a client can hide from
    /// this server behind a front end that has added them.
    static func fields(
        _ source: NIOHTTP1.HTTPHeaders,
        limits: HTTPLimits,
    ) throws(Refusal) -> HeaderFields {
        guard source.count <= limits.headerCount else {
            throw Refusal(status: .headerFieldsTooLarge)
        }
        var fields = HeaderFields()
        var bytes = 0
        for (name, value) in source {
            bytes += name.utf8.count + value.utf8.count + 32
            guard bytes <= limits.headerListBytes else {
                throw Refusal(status: .headerFieldsTooLarge)
            }
            guard let name = HeaderName(name), value.utf8.allSatisfy(FieldSyntax.isValue) else {
                throw Refusal(status: .badRequest)
            }
            switch name.wellKnown {
            case .keepAlive, .proxyConnection, .transferEncoding, .host: continue
            default: fields.append(name, value)
            }
        }
        return fields
    }

    /// Refuses every message whose end two implementations could see in different places.
    static func checkFraming(
        _ headers: NIOHTTP1.HTTPHeaders,
        isHTTP10: Bool,
    ) throws(Refusal) {
        let lengths = headers["content-length"]
        let codings = headers["transfer-encoding"]
        guard lengths.count <= 1, codings.count <= 1, lengths.isEmpty || codings.isEmpty else {
            throw Refusal(status: .badRequest)
        }
        if let length = lengths.first {
            guard !length.isEmpty, length.utf8.count <= 18,
                length.utf8.allSatisfy({ (0x30...0x39).contains($0) })
            else { throw Refusal(status: .badRequest) }
        }
        if let coding = codings.first {
            guard !isHTTP10 else { throw Refusal(status: .badRequest) }
            guard coding.lowercased() == "chunked" else { throw Refusal(status: .notImplemented) }
        }
    }

    private static func isAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "@"),
            UInt8(ascii: "\\"):
            false
        default: byte > 0x20 && byte < 0x7F
        }
    }
}
