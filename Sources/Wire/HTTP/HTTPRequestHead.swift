// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a request says before its body.
///
/// Method, scheme, authority and path lie in the same block of memory as the fields, so a head is
/// one reference and is handed on without a copy. A head that came from a peer has been checked:
/// the path starts with "/" (or is "*" of OPTIONS, or the request is a CONNECT), has no control
/// byte, and the method is a token.
public struct HTTPRequestHead: Sendable, Equatable {
    private var list: HeaderFields

    /// The fields, without the pseudo-header fields. For an HTTP/1.1 request `host` has become
    /// ``authority``, and the fields of the connection (RFC 9110 section 7.6.1) are not here.
    public var fields: HeaderFields {
        get { self.list }
        set {
            guard let old = self.list.storage else { return }
            let block = Self.pseudoOnly(of: old, extra: newValue.storage)
            var list = HeaderFields(storage: block)
            list.append(contentsOf: newValue)
            self.list = list
        }
    }

    /// A head from its parts.
    ///
    /// - Parameter path: path and query as they go on the wire. Bytes that may not stand there
    ///   (controls, space) are written percent-encoded.
    public init(
        method: HTTPMethod,
        scheme: String = "https",
        authority: String,
        path: String,
        fields: HeaderFields = HeaderFields(),
    ) {
        let block = HeaderStorage(
            entryCapacity: fields.count + 6,
            byteCapacity: (fields.storage?.byteCount ?? 0) + authority.utf8.count
                + path.utf8.count + 48,
        )
        Self.append(.methodPseudo, method.name, to: block)
        Self.append(.schemePseudo, scheme, to: block)
        if !authority.isEmpty { Self.append(.authorityPseudo, authority, to: block) }
        if method != .connect { Self.append(.pathPseudo, Self.sanitized(path), to: block) }
        block.pseudoCount = block.count
        var list = HeaderFields(storage: block)
        list.append(contentsOf: fields)
        self.list = list
    }

    /// A head from a block that a transport filled and checked.
    package init(storage: HeaderStorage) {
        self.list = HeaderFields(storage: storage)
    }

    /// The block with pseudo-header fields and fields.
    package var storage: HeaderStorage? { self.list.storage }

    public var method: HTTPMethod {
        self.pseudo(.methodPseudo).flatMap(HTTPMethod.init) ?? .get
    }

    /// "http" or "https".
    public var scheme: String { self.pseudo(.schemePseudo) ?? "" }

    /// The `:authority` or `Host` of the request; empty when there was none.
    public var authority: String { self.pseudo(.authorityPseudo) ?? "" }

    /// Path and query, as they came.
    public var path: String { self.pseudo(.pathPseudo) ?? "" }

    /// The `:protocol` of an extended CONNECT (RFC 8441).
    public var extendedConnectProtocol: String? { self.pseudo(.protocolPseudo) }

    /// Runs `body` on the bytes of path and query.
    public func withPath<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let storage = self.list.storage,
            let index = storage.firstIndex(of: .pathPseudo, from: 0),
            index < storage.pseudoCount
        else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        defer { withExtendedLifetime(storage) {} }
        return try body(storage.valueBytes(at: index))
    }

    /// Whether the method is exactly this token; cheaper than comparing ``method``.
    public func methodIs(_ token: StaticString) -> Bool {
        guard let storage = self.list.storage,
            let index = storage.firstIndex(of: .methodPseudo, from: 0)
        else { return false }
        return FieldSyntax.equal(
            storage.valueBytes(at: index),
            UnsafeRawBufferPointer(start: token.utf8Start, count: token.utf8CodeUnitCount),
        )
    }

    /// Whether both heads share the same memory, which implies that they are equal. See
    /// ``HeaderFields/isIdentical(to:)``.
    public func isIdentical(to other: HTTPRequestHead) -> Bool {
        self.list.isIdentical(to: other.list)
    }

    /// Whether every component would read the path the same way: it starts with "/", and its part
    /// before "?" has no empty, "." or ".." segment in the middle, no encoded slash, backslash or
    /// dot segment, and no "#". What authorizes by path has to refuse any other
    /// (grpc-go CVE-2026-33186).
    public var pathIsUnambiguous: Bool {
        self.withPath { PathSyntax.isUnambiguous($0) }
    }

    private func pseudo(_ name: WellKnownHeaderName) -> String? {
        guard let storage = self.list.storage,
            let index = storage.firstIndex(of: name, from: 0), index < storage.pseudoCount
        else { return nil }
        return String(decoding: storage.valueBytes(at: index), as: UTF8.self)
    }

    private static func append(
        _ name: WellKnownHeaderName,
        _ value: String,
        to block: HeaderStorage,
    ) {
        var value = value
        value.withUTF8 { block.append(name, value: UnsafeRawBufferPointer($0)) }
        block.sanitizeLastValue()
    }

    private static func pseudoOnly(of old: HeaderStorage, extra: HeaderStorage?) -> HeaderStorage {
        let block = HeaderStorage(
            entryCapacity: old.pseudoCount + (extra?.count ?? 0),
            byteCapacity: old.byteCount + (extra?.byteCount ?? 0),
        )
        for index in 0..<old.pseudoCount { block.appendEntry(of: old, at: index) }
        block.pseudoCount = old.pseudoCount
        return block
    }

    private static func sanitized(_ path: String) -> String {
        guard path.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else { return path }
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in path.utf8 {
            if byte <= 0x20 || byte == 0x7F {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    public static func == (left: HTTPRequestHead, right: HTTPRequestHead) -> Bool {
        left.isIdentical(to: right)
            || (left.method == right.method && left.scheme == right.scheme
                && left.authority == right.authority && left.path == right.path
                && left.list == right.list)
    }
}

extension HTTPRequestHead: CustomStringConvertible {
    public var description: String {
        "\(self.method) \(self.scheme)://\(self.authority)\(self.path) \(self.fields)"
    }
}
