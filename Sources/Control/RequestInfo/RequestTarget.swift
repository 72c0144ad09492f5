// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The path and the query of a request, parsed once and for all.
///
/// Routing, authorization and the building of storage keys read this one value, so that none of
/// them can see another path than the others. A target that could be read in two ways is refused:
/// what does not start with one slash, empty and dot segments, encoded slashes, control characters,
/// bytes that are not UTF-8. A single slash at the end is allowed.
///
/// After the `proxy` subresource the path belongs to the backend: there empty segments and encoded
/// slashes pass (``proxyPath`` keeps them as they came), dot segments do not.
///
/// Source: RFC 9112 section 3.2.1, RFC 3986 section 3.3; the lessons of CVE-2022-3162 and
/// CVE-2026-33186.
public struct RequestTarget: Sendable, Hashable {
    /// The longest target that is read, in bytes; HTTP limits usually end it earlier.
    public static let maximumBytes = 1 << 20

    /// The most segments of a path.
    public static let maximumSegments = 1024

    /// The decoded path, with its slash at the end if it has one.
    public let path: String

    /// The decoded segments.
    public let segments: [String]

    /// The path after the `proxy` subresource as it came, with its slash at the start; nil when the
    /// path has no such subresource, empty when nothing follows it.
    public let proxyPath: String?

    /// The text after the question mark as it came, or empty.
    public let rawQuery: String

    /// The parameters of the query.
    public let query: QueryParameters

    /// Reads the target of a request.
    public init(parsing text: String) throws(RequestTargetError) {
        guard text.utf8.count <= Self.maximumBytes else { throw .tooLong }
        try self.init(Array(text.utf8))
    }

    /// Reads the target of a request from the bytes of its start line or `:path` field.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(RequestTargetError) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLong }
        try self.init(unsafe Array(bytes))
    }

    private init(_ bytes: [UInt8]) throws(RequestTargetError) {
        let mark = try Self.check(bytes)
        let path = try RequestPath(parsing: bytes[..<mark])
        self.path = path.text
        self.segments = path.segments
        self.proxyPath = path.proxyPath
        if mark < bytes.count {
            let query = bytes[(mark + 1)...]
            self.rawQuery = String(decoding: query, as: UTF8.self)
            self.query = try QueryParameters(parsing: query)
        } else {
            self.rawQuery = ""
            self.query = QueryParameters()
        }
    }

    /// Refuses spaces, control characters, fragments and what is not UTF-8; answers where the query
    /// starts, or the end.
    private static func check(_ bytes: [UInt8]) throws(RequestTargetError) -> Int {
        var mark = bytes.count
        var isASCII = true
        for index in bytes.indices {
            let byte = bytes[index]
            if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "#") {
                throw .invalidCharacter
            }
            if byte >= 0x80 { isASCII = false }
            if byte == UInt8(ascii: "?"), mark == bytes.count { mark = index }
        }
        if !isASCII, String(validating: bytes, as: UTF8.self) == nil { throw .invalidUTF8 }
        return mark
    }
}

/// The path of a target while it is parsed.
private struct RequestPath {
    var text = "/"
    var segments: [String] = []
    var proxyPath: String?

    init(parsing bytes: ArraySlice<UInt8>) throws(RequestTargetError) {
        guard bytes.first == UInt8(ascii: "/") else { throw .notAbsolute }
        self.segments.reserveCapacity(8)
        var isPlain = true
        var start = bytes.startIndex + 1
        while start < bytes.endIndex {
            var end = start
            var hasEscape = false
            while end < bytes.endIndex, bytes[end] != UInt8(ascii: "/") {
                hasEscape = hasEscape || bytes[end] == UInt8(ascii: "%")
                end += 1
            }
            isPlain = isPlain && !hasEscape
            try self.append(bytes[start..<end], hasEscape)
            if self.proxyPath == nil, self.isAtProxy {
                self.proxyPath = String(decoding: bytes[end...], as: UTF8.self)
            }
            start = end + 1
        }
        if isPlain {
            self.text = String(decoding: bytes, as: UTF8.self)
        } else {
            self.text += self.segments.joined(separator: "/")
            if bytes.last == UInt8(ascii: "/") { self.text += "/" }
        }
    }

    private mutating func append(
        _ bytes: ArraySlice<UInt8>,
        _ hasEscape: Bool
    ) throws(RequestTargetError) {
        guard self.segments.count < RequestTarget.maximumSegments else { throw .tooManySegments }
        let isProxied = self.proxyPath != nil
        if bytes.isEmpty && !isProxied { throw .emptySegment }
        if hasEscape {
            let decoded = try PercentEncoding.decode(bytes, plusIsSpace: false)
            for byte in decoded {
                if byte < 0x20 || byte == 0x7F { throw .invalidCharacter }
                if byte == UInt8(ascii: "/") && !isProxied { throw .encodedSlash }
            }
            // A dot segment may stand between slashes that were encoded.
            for part in decoded.split(separator: UInt8(ascii: "/")) where Self.isDots(part) {
                throw .dotSegment
            }
            self.segments.append(try PercentEncoding.text(decoded[...]))
        } else {
            if Self.isDots(bytes) { throw .dotSegment }
            self.segments.append(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Whether the bytes are `.` or `..`.
    private static func isDots(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.first == UInt8(ascii: "."), bytes.count <= 2 else { return false }
        return bytes.last == UInt8(ascii: ".")
    }

    /// Whether the last segment is the `proxy` subresource of the API.
    private var isAtProxy: Bool {
        guard self.segments.count >= 5, self.segments[self.segments.count - 1] == "proxy" else {
            return false
        }
        let start: Int
        switch self.segments[0] {
        case "api": start = 2
        case "apis": start = 3
        default: return false
        }
        // The name and the subresource follow the resource, which may stand in a namespace.
        let isNamespaced =
            self.segments.count > start + 2 && self.segments[start] == "namespaces"
            && !RequestInfo.isNamespaceSubresource(self.segments[start + 2])
        return self.segments.count == start + (isNamespaced ? 5 : 3)
    }
}
