// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Formats {
    /// Whether the text can be one segment of a request path and of a storage key.
    ///
    /// For historical reasons the empty text can.
    public static func isPathSegmentName(_ text: String) -> Bool {
        text != "." && text != ".." && !text.contains(byte: UInt8(ascii: "/"))
            && !text.contains(byte: UInt8(ascii: "%"))
    }

    /// Why the text cannot be one segment of a path.
    public static func pathSegmentName(_ text: String) -> [String] {
        if text == "." || text == ".." { return ["may not be '\(text)'"] }
        return self.pathSegmentPrefix(text)
    }

    /// Why the text cannot start one segment of a path.
    public static func pathSegmentPrefix(_ text: String) -> [String] {
        var messages: [String] = []
        if text.contains(byte: UInt8(ascii: "/")) { messages.append("may not contain '/'") }
        if text.contains(byte: UInt8(ascii: "%")) { messages.append("may not contain '%'") }
        return messages
    }

    /// Whether the text is not empty and all its bytes may stand in the path of a URL (RFC 3986
    /// section 3.3).
    static func isHTTPPath(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                if byte.isAlphanumeric { return true }
                switch byte {
                case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: "!"), UInt8(ascii: "$"),
                    UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
                    UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
                    UInt8(ascii: "="), UInt8(ascii: ":"):
                    return true
                default:
                    return false
                }
            }
    }

    /// The pattern of paths that messages show.
    static let httpPathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
}
