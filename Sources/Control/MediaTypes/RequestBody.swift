// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The media type of a request's body.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/negotiation/negotiate.go`; RFC 2045
/// section 5.1 as Go's `mime.ParseMediaType` reads it.
public enum RequestBody {
    /// The type that a Content-Type names; the first of the accepted ones without the field.
    ///
    /// Parameters are ignored, but must be well formed.
    public static func mediaType(
        of contentType: String?,
        accepted: [MediaType] = MediaType.all
    ) throws(NegotiationError) -> MediaType {
        guard let contentType, !contentType.isEmpty else { return accepted.first ?? .json }
        if let type = MediaType(rawValue: contentType), accepted.contains(type) { return type }
        if let essence = ContentType.essence(of: contentType),
            let type = MediaType(rawValue: essence), accepted.contains(type)
        {
            return type
        }
        throw .unsupportedMediaType(MediaType.names(accepted))
    }
}

/// Reads the value of a Content-Type field.
enum ContentType {
    /// The longest value that is read, in bytes.
    static let maximumBytes = 8192

    /// The media type in lower case without parameters, or nil when the value is malformed.
    static func essence(of text: String) -> String? {
        guard text.utf8.count <= self.maximumBytes else { return nil }
        let end = text.utf8.firstIndex(of: UInt8(ascii: ";")) ?? text.endIndex
        let essence = self.trimmed(text[..<end]).lowercased()
        guard self.isMediaType(essence), self.hasValidParameters(text[end...]) else { return nil }
        return essence
    }

    /// Whether the text is a token, or two with a slash between them.
    private static func isMediaType(_ text: String) -> Bool {
        let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        let type = text[..<slash]
        guard !type.isEmpty, type.utf8.allSatisfy(self.isToken) else { return false }
        if slash == text.endIndex { return true }
        let subtype = text[text.utf8.index(after: slash)...]
        return !subtype.isEmpty && subtype.utf8.allSatisfy(self.isToken)
    }

    /// Whether the text is a sequence of `; name=value`; a semicolon may end it. A name may come
    /// again with the same value.
    private static func hasValidParameters(_ text: Substring) -> Bool {
        var values: [String: [UInt8]] = [:]
        var rest = self.trimmedStart(text)
        while !rest.isEmpty {
            guard rest.utf8.first == UInt8(ascii: ";") else { return false }
            rest = self.trimmedStart(rest.dropFirst())
            if rest.isEmpty { return true }
            let name = self.token(&rest).lowercased()
            rest = self.trimmedStart(rest)
            guard !name.isEmpty, rest.utf8.first == UInt8(ascii: "=") else { return false }
            rest = self.trimmedStart(rest.dropFirst())
            guard let value = self.value(&rest) else { return false }
            if let known = values.updateValue(value, forKey: name), known != value { return false }
            rest = self.trimmedStart(rest)
        }
        return true
    }

    /// Drops a token or a quoted string and answers it; nil when there is none.
    private static func value(_ rest: inout Substring) -> [UInt8]? {
        guard rest.utf8.first == UInt8(ascii: "\"") else {
            let token = self.token(&rest)
            return token.isEmpty ? nil : Array(token.utf8)
        }
        var value: [UInt8] = []
        var bytes = rest.utf8.dropFirst()
        while var byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\"") {
                rest = Substring(bytes)
                return value
            }
            // A backslash before something that needs none is kept: paths of old browsers.
            if byte == UInt8(ascii: "\\"), let next = bytes.first, self.isSeparator(next) {
                byte = next
                bytes.removeFirst()
            } else if byte == 0x0A || byte == 0x0D {
                return nil
            }
            value.append(byte)
        }
        return nil
    }

    /// Drops the token at the start and answers it, empty when there is none.
    private static func token(_ rest: inout Substring) -> Substring {
        let end = rest.utf8.firstIndex { !self.isToken($0) } ?? rest.endIndex
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    private static func trimmedStart(_ text: Substring) -> Substring {
        text.drop(while: \.isWhitespace)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var result = self.trimmedStart(text)
        while result.last?.isWhitespace == true { result.removeLast() }
        return result
    }

    /// Whether the byte may stand in a token (RFC 9110 section 5.6.2).
    private static func isToken(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !self.isSeparator(byte)
    }

    /// Whether the byte is one of the `tspecials` (RFC 2045 section 5.1).
    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "@"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"),
            UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "?"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
