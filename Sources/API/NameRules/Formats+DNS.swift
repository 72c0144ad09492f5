// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// The patterns of DNS names, as messages show them.
private let labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
private let subdomainPattern = labelPattern + "(\\." + labelPattern + ")*"
private let underscoreLabelPattern = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
private let underscoreSubdomainPattern =
    underscoreLabelPattern + "(\\." + underscoreLabelPattern + ")*"

extension Formats {
    // MARK: - Labels

    /// Whether the text is a DNS label (RFC 1123) of at most 63 bytes.
    public static func isDNS1123Label(_ text: String) -> Bool {
        self.isDNS1123Label(text.utf8.span)
    }

    /// Whether the bytes are a DNS label (RFC 1123) of at most 63 bytes.
    public static func isDNS1123Label(_ text: borrowing Span<UInt8>) -> Bool {
        text.count <= APILimits.dns1123LabelMaxLength && self.matchesLabel(text)
    }

    /// Why the text is no DNS label (RFC 1123).
    public static func dns1123Label(
        _ text: String,
        unit: LengthUnit = .characters
    ) -> [String] {
        let isLabel = self.matchesLabel(text.utf8.span)
        if isLabel && text.utf8.count <= APILimits.dns1123LabelMaxLength { return [] }
        var messages: [String] = []
        if text.utf8.count > APILimits.dns1123LabelMaxLength {
            messages.append(self.lengthMessage(APILimits.dns1123LabelMaxLength, unit))
        }
        if !isLabel {
            // A subdomain that is no label has dots.
            messages.append(
                self.matchesSubdomain(text.utf8.span)
                    ? "must not contain dots"
                    : self.patternMessage(
                        "a lowercase RFC 1123 label must consist of lower case alphanumeric "
                            + "characters or '-', and must start and end with an alphanumeric "
                            + "character",
                        labelPattern,
                        "my-name",
                        "123-abc"
                    )
            )
        }
        return messages
    }

    /// Whether the text is a DNS label that starts with a letter (RFC 1035), at most 63 bytes.
    public static func isDNS1035Label(_ text: String) -> Bool {
        let bytes = text.utf8.span
        return bytes.count <= APILimits.dns1035LabelMaxLength && self.matchesLabel(bytes)
            && bytes[0].isLower
    }

    /// Why the text is no DNS label that starts with a letter (RFC 1035).
    public static func dns1035Label(_ text: String) -> [String] {
        if self.isDNS1035Label(text) { return [] }
        var messages: [String] = []
        let bytes = text.utf8.span
        if bytes.count > APILimits.dns1035LabelMaxLength {
            messages.append(self.lengthMessage(APILimits.dns1035LabelMaxLength))
        }
        if !self.matchesLabel(bytes) || !bytes[0].isLower {
            messages.append(
                self.patternMessage(
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
                        + "start with an alphabetic character, and end with an alphanumeric "
                        + "character",
                    "[a-z]([-a-z0-9]*[a-z0-9])?",
                    "my-name",
                    "abc-123"
                )
            )
        }
        return messages
    }

    // MARK: - Subdomains

    /// Whether the text is a DNS subdomain (RFC 1123) of at most 253 bytes.
    public static func isDNS1123Subdomain(_ text: String) -> Bool {
        self.isDNS1123Subdomain(text.utf8.span)
    }

    /// Whether the bytes are a DNS subdomain (RFC 1123) of at most 253 bytes.
    public static func isDNS1123Subdomain(_ text: borrowing Span<UInt8>) -> Bool {
        text.count <= APILimits.dns1123SubdomainMaxLength && self.matchesSubdomain(text)
    }

    /// Why the text is no DNS subdomain (RFC 1123).
    public static func dns1123Subdomain(
        _ text: String,
        unit: LengthUnit = .characters
    ) -> [String] {
        if self.isDNS1123Subdomain(text) { return [] }
        return self.subdomainMessages(
            text,
            unit,
            self.matchesSubdomain(text.utf8.span),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
                + "'-' or '.', and must start and end with an alphanumeric character",
            subdomainPattern,
            "example.com"
        )
    }

    /// Why the text is no DNS subdomain when letters may have either case.
    ///
    /// Names of CSI and device drivers; "Foo" and "foo" stay different values. Upstream also takes
    /// U+017F and U+212A for an s and a k, which is not repeated here.
    public static func dns1123SubdomainCaseless(_ text: String) -> [String] {
        self.subdomainMessages(
            text,
            .bytes,
            self.matchesSubdomain(text.utf8.span, upperCase: true),
            "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must "
                + "start and end with an alphanumeric character",
            subdomainPattern,
            "Example.com"
        )
    }

    /// Why the text is no DNS subdomain when labels may also hold, and start with, underscores.
    ///
    /// Search domains of a pod's DNS configuration.
    public static func dns1123SubdomainWithUnderscore(_ text: String) -> [String] {
        self.subdomainMessages(
            text,
            .characters,
            self.matchesSubdomain(text.utf8.span, underscore: true),
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
                + "'_', '-' or '.', and must start and end with an alphanumeric character",
            underscoreSubdomainPattern,
            "example.com"
        )
    }

    /// Why the text is no DNS subdomain after `*.` (RFC 1034 section 4.3.3).
    public static func wildcardDNS1123Subdomain(_ text: String) -> [String] {
        let bytes = text.utf8.span
        let matches =
            bytes.count > 2 && bytes[0] == UInt8(ascii: "*") && bytes[1] == UInt8(ascii: ".")
            && self.matchesSubdomain(bytes.extracting(2...))
        return self.subdomainMessages(
            text,
            .characters,
            matches,
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
                + "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' "
                + "and end with an alphanumeric character",
            "\\*\\." + subdomainPattern,
            "*.example.com"
        )
    }

    private static func subdomainMessages(
        _ text: String,
        _ unit: LengthUnit,
        _ matches: Bool,
        _ message: String,
        _ pattern: String,
        _ example: String
    ) -> [String] {
        var messages: [String] = []
        if text.utf8.count > APILimits.dns1123SubdomainMaxLength {
            messages.append(self.lengthMessage(APILimits.dns1123SubdomainMaxLength, unit))
        }
        if !matches { messages.append(self.patternMessage(message, pattern, example)) }
        return messages
    }

    // MARK: - Matching

    /// Whether the bytes have the form of a label, whatever their number.
    private static func matchesLabel(_ text: borrowing Span<UInt8>) -> Bool {
        guard !text.isEmpty, text[0].isLowerAlphanumeric,
            text[text.count - 1].isLowerAlphanumeric
        else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            if !byte.isLowerAlphanumeric && byte != UInt8(ascii: "-") { return false }
        }
        return true
    }

    /// Whether the bytes are labels with dots between them, whatever their number.
    private static func matchesSubdomain(
        _ text: borrowing Span<UInt8>,
        upperCase: Bool = false,
        underscore: Bool = false
    ) -> Bool {
        /// What the last byte was: the start of a label, an underscore that starts one, a letter
        /// or digit, or something that a label cannot end with.
        enum Last {
            case start
            case leadingUnderscore
            case alphanumeric
            case inner
        }
        var last = Last.start
        for index in 0..<text.count {
            let byte = text[index]
            if byte.isLowerAlphanumeric || (upperCase && byte.isLetter) {
                last = .alphanumeric
                continue
            }
            switch last {
            case .start:
                guard underscore, byte == UInt8(ascii: "_") else { return false }
                last = .leadingUnderscore
            case .leadingUnderscore:
                return false
            case .alphanumeric where byte == UInt8(ascii: "."):
                last = .start
            case .alphanumeric, .inner:
                guard byte == UInt8(ascii: "-") || (underscore && byte == UInt8(ascii: "_")) else {
                    return false
                }
                last = .inner
            }
        }
        return last == .alphanumeric
    }
}
