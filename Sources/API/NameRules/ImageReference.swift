// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The name of a container image: `registry.example:5000/team/app:1.2@sha256:…`.
///
/// Source: the grammar of github.com/distribution/reference, with Docker's short forms: a name
/// whose first part is no host lies in `docker.io`, and there without a slash in `library/`.
public struct ImageReference: Sendable, Hashable {
    /// `docker.io`, or what the name says.
    public let domain: String
    /// The name within the domain: `library/nginx`.
    public let path: String
    /// Nil when none is written.
    public let tag: String?
    /// Nil when none is written; `sha256:…`.
    public let digest: String?

    /// The tag that is meant: `latest` when the name has neither tag nor digest.
    public var effectiveTag: String? {
        self.tag ?? (self.digest == nil ? "latest" : nil)
    }

    /// The most bytes of domain and path together.
    public static let maximumNameBytes = 255

    /// - Returns: nil when the text is not a reference.
    public init?(parsing text: String) {
        if text.utf8.count == 64 && text.utf8.allSatisfy(\.isLowercaseHex) { return nil }
        var rest = Substring(text)
        var digest: Substring?
        if let at = rest.firstIndex(of: "@") {
            digest = rest[rest.index(after: at)...]
            rest = rest[..<at]
        }
        var domain: Substring = "docker.io"
        if let slash = rest.firstIndex(of: "/") {
            let first = rest[..<slash]
            let isHost =
                first.contains(where: { $0 == "." || $0 == ":" }) || first == "localhost"
                || first.utf8.contains { $0.isLetter && !$0.isLower }
            if isHost {
                domain = first == "index.docker.io" ? "docker.io" : first
                rest = rest[rest.index(after: slash)...]
            }
        }
        var tag: Substring?
        if let colon = rest.firstIndex(of: ":") {
            tag = rest[rest.index(after: colon)...]
            rest = rest[..<colon]
        }
        let path = domain == "docker.io" && !rest.contains("/") ? "library/\(rest)" : String(rest)
        guard Self.isDomain(domain), Self.isPath(path[...]), tag.map(Self.isTag) ?? true,
            digest.map(Self.isDigest) ?? true,
            domain.utf8.count + 1 + path.utf8.count <= Self.maximumNameBytes
        else { return nil }
        self.domain = String(domain)
        self.path = path
        self.tag = tag.map { String($0) }
        self.digest = digest.map { String($0) }
    }

    // MARK: - Grammar

    private static func isDomain(_ text: Substring) -> Bool {
        var host = text
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<end]
            guard !address.isEmpty,
                address.utf8.allSatisfy({ $0.isHexDigit || $0 == UInt8(ascii: ":") })
            else { return false }
            let after = text[text.index(after: end)...]
            return after.isEmpty || after.first == ":" && Self.isPort(after.dropFirst())
        }
        if let colon = text.firstIndex(of: ":") {
            guard Self.isPort(text[text.index(after: colon)...]) else { return false }
            host = text[..<colon]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.utf8.first, let last = part.utf8.last else { return false }
            return first.isAlphanumeric && last.isAlphanumeric
                && part.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(\.isDigit)
    }

    /// Parts of small letters and digits, joined within by a point, one or two underscores or any
    /// number of hyphens.
    private static func isPath(_ text: Substring) -> Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            var separator: [UInt8] = []
            var hasLetter = false
            for byte in part.utf8 {
                if byte.isLowerAlphanumeric {
                    guard separator.isEmpty || hasLetter && Self.isSeparator(separator) else {
                        return false
                    }
                    separator = []
                    hasLetter = true
                } else {
                    separator.append(byte)
                }
            }
            return hasLetter && separator.isEmpty
        }
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        bytes == [UInt8(ascii: ".")] || bytes == [UInt8(ascii: "_")]
            || bytes == [UInt8(ascii: "_"), UInt8(ascii: "_")]
            || bytes.allSatisfy { $0 == UInt8(ascii: "-") }
    }

    private static func isTag(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        return (first.isAlphanumeric || first == UInt8(ascii: "_"))
            && text.utf8.allSatisfy { byte in
                byte.isAlphanumeric || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "-")
            }
    }

    private static func isDigest(_ text: Substring) -> Bool {
        guard let colon = text.firstIndex(of: ":") else { return false }
        let digits = text[text.index(after: colon)...].utf8
        let length: Int
        switch text[..<colon] {
        case "sha256": length = 64
        case "sha384": length = 96
        case "sha512": length = 128
        default: return false
        }
        return digits.count == length && digits.allSatisfy(\.isLowercaseHex)
    }
}

extension UInt8 {
    fileprivate var isLowercaseHex: Bool {
        self.isDigit || self &- UInt8(ascii: "a") < 6
    }

    fileprivate var isHexDigit: Bool {
        self.isLowercaseHex || self &- UInt8(ascii: "A") < 6
    }
}
