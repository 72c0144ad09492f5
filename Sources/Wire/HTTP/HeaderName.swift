// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The name of a header field: lower case, a token of RFC 9110 section 5.1.
///
/// Names that the system itself uses are well known: they are one byte, compare as one byte and
/// take no room in a ``HeaderFields``. Any other name is kept as text.
public struct HeaderName: Hashable, Sendable {
    /// The well-known name, or nil for one that is kept as text.
    package let wellKnown: WellKnownHeaderName?

    /// The text of a name that is not well known; empty otherwise.
    private let custom: String

    package init(_ wellKnown: WellKnownHeaderName) {
        self.wellKnown = wellKnown
        self.custom = ""
    }

    /// A name from text in any case; nil when it is not a token, or longer than
    /// ``maximumByteCount``.
    public init?(_ text: some StringProtocol) {
        var lowered: [UInt8] = []
        lowered.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            guard FieldSyntax.isToken(byte) else { return nil }
            lowered.append(FieldSyntax.lowered(byte))
        }
        guard !lowered.isEmpty, lowered.count <= Self.maximumByteCount else { return nil }
        let known = lowered.withUnsafeBytes { WellKnownHeaderName(matching: $0) }
        if let known {
            self.init(known)
        } else {
            self.init(custom: String(decoding: lowered, as: UTF8.self))
        }
    }

    private init(custom: String) {
        self.wellKnown = nil
        self.custom = custom
    }

    /// A name from bytes that are known to be a lower-case token.
    package init(validated bytes: UnsafeRawBufferPointer) {
        self.init(custom: String(decoding: bytes, as: UTF8.self))
    }

    /// The longest name, in bytes, that is accepted from anywhere.
    public static var maximumByteCount: Int { 1 << 14 }

    /// The name as text.
    public var text: String {
        if let wellKnown = self.wellKnown { return wellKnown.text }
        return self.custom
    }

    /// Runs `body` on the bytes of the name.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if let wellKnown = self.wellKnown {
            return body(wellKnown.bytes)
        }
        var custom = self.custom
        return custom.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

extension HeaderName: CustomStringConvertible {
    public var description: String { self.text }
}

// MARK: - The well-known names

extension HeaderName {
    public static var accept: HeaderName { HeaderName(.accept) }
    public static var acceptEncoding: HeaderName { HeaderName(.acceptEncoding) }
    public static var age: HeaderName { HeaderName(.age) }
    public static var allow: HeaderName { HeaderName(.allow) }
    public static var auditID: HeaderName { HeaderName(.auditID) }
    public static var authorization: HeaderName { HeaderName(.authorization) }
    public static var cacheControl: HeaderName { HeaderName(.cacheControl) }
    public static var connection: HeaderName { HeaderName(.connection) }
    public static var contentEncoding: HeaderName { HeaderName(.contentEncoding) }
    public static var contentLength: HeaderName { HeaderName(.contentLength) }
    public static var contentType: HeaderName { HeaderName(.contentType) }
    public static var cookie: HeaderName { HeaderName(.cookie) }
    public static var date: HeaderName { HeaderName(.date) }
    public static var etag: HeaderName { HeaderName(.etag) }
    public static var expect: HeaderName { HeaderName(.expect) }
    public static var grpcAcceptEncoding: HeaderName { HeaderName(.grpcAcceptEncoding) }
    public static var grpcEncoding: HeaderName { HeaderName(.grpcEncoding) }
    public static var grpcMessage: HeaderName { HeaderName(.grpcMessage) }
    public static var grpcMessageType: HeaderName { HeaderName(.grpcMessageType) }
    public static var grpcStatus: HeaderName { HeaderName(.grpcStatus) }
    public static var grpcStatusDetails: HeaderName { HeaderName(.grpcStatusDetails) }
    public static var grpcTimeout: HeaderName { HeaderName(.grpcTimeout) }
    public static var host: HeaderName { HeaderName(.host) }
    public static var ifMatch: HeaderName { HeaderName(.ifMatch) }
    public static var ifNoneMatch: HeaderName { HeaderName(.ifNoneMatch) }
    public static var keepAlive: HeaderName { HeaderName(.keepAlive) }
    public static var location: HeaderName { HeaderName(.location) }
    public static var origin: HeaderName { HeaderName(.origin) }
    public static var proxyConnection: HeaderName { HeaderName(.proxyConnection) }
    public static var retryAfter: HeaderName { HeaderName(.retryAfter) }
    public static var server: HeaderName { HeaderName(.server) }
    public static var te: HeaderName { HeaderName(.te) }
    public static var trailer: HeaderName { HeaderName(.trailer) }
    public static var transferEncoding: HeaderName { HeaderName(.transferEncoding) }
    public static var upgrade: HeaderName { HeaderName(.upgrade) }
    public static var userAgent: HeaderName { HeaderName(.userAgent) }
    public static var vary: HeaderName { HeaderName(.vary) }
    public static var warning: HeaderName { HeaderName(.warning) }
    public static var wwwAuthenticate: HeaderName { HeaderName(.wwwAuthenticate) }
}
