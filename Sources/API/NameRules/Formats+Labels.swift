// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

private let namePattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
private let nameMessage =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    + "alphanumeric character"

extension Formats {
    /// Whether the text is a label key: a name of at most 63 bytes, after an optional DNS subdomain
    /// and a slash. Also called a qualified name.
    public static func isLabelKey(_ text: String) -> Bool {
        self.isLabelKey(text.utf8.span)
    }

    /// Whether the bytes are a label key.
    public static func isLabelKey(_ text: borrowing Span<UInt8>) -> Bool {
        var slash = -1
        for index in 0..<text.count where text[index] == UInt8(ascii: "/") {
            if slash >= 0 { return false }
            slash = index
        }
        if slash >= 0, !self.isDNS1123Subdomain(text.extracting(..<slash)) { return false }
        let nameByteCount = text.count - slash - 1
        return nameByteCount <= APILimits.labelKeyNameMaxLength
            && self.matchesName(text.extracting((slash + 1)...))
    }

    /// Why the text is no label key (qualified name).
    public static func labelKey(_ text: String) -> [String] {
        if self.isLabelKey(text) { return [] }
        let pattern = self.patternMessage(nameMessage, namePattern, "MyName", "my.name", "123-abc")
        let parts = text.split(at: UInt8(ascii: "/"))
        guard let name = parts.last, parts.count <= 2 else {
            return [
                "a valid label key \(pattern) with an optional DNS subdomain prefix and '/' "
                    + "(e.g. 'example.com/MyName')"
            ]
        }
        var messages: [String] = []
        if parts.count == 2, let prefix = parts.first {
            let reasons =
                prefix.isEmpty
                ? [self.emptyMessage] : self.dns1123Subdomain(String(prefix), unit: .bytes)
            messages = reasons.map { "prefix part \($0)" }
        }
        if name.isEmpty {
            messages.append("name part \(self.emptyMessage)")
        } else if name.utf8.count > APILimits.labelKeyNameMaxLength {
            messages.append(
                "name part \(self.lengthMessage(APILimits.labelKeyNameMaxLength, .bytes))"
            )
        }
        if !self.matchesName(String(name).utf8.span) { messages.append("name part \(pattern)") }
        return messages
    }

    /// Whether the text is a label value: empty, or at most 63 bytes of a restricted alphabet.
    public static func isLabelValue(_ text: String) -> Bool {
        self.isLabelValue(text.utf8.span)
    }

    /// Whether the bytes are a label value.
    public static func isLabelValue(_ text: borrowing Span<UInt8>) -> Bool {
        text.isEmpty
            || (text.count <= APILimits.labelValueMaxLength && self.matchesName(text))
    }

    /// Why the text is no label value.
    public static func labelValue(_ text: String) -> [String] {
        if self.isLabelValue(text) { return [] }
        var messages: [String] = []
        if text.utf8.count > APILimits.labelValueMaxLength {
            messages.append(self.lengthMessage(APILimits.labelValueMaxLength, .bytes))
        }
        if !self.matchesName(text.utf8.span) {
            messages.append(
                self.patternMessage(
                    "a valid label must be an empty string or consist of alphanumeric characters, "
                        + "'-', '_' or '.', and must start and end with an alphanumeric character",
                    "(\(namePattern))?",
                    "MyValue",
                    "my_value",
                    "12345"
                )
            )
        }
        return messages
    }

    /// Why the text is no annotation key: a label key in which letters of the prefix may have
    /// either case.
    public static func annotationKey(_ text: String) -> [String] {
        self.isLabelKey(text) ? [] : self.labelKey(text.lowercased())
    }

    /// Whether the bytes are a non-empty run of letters, digits, `-`, `_` and `.`, with a letter or
    /// digit at both ends.
    private static func matchesName(_ text: borrowing Span<UInt8>) -> Bool {
        guard !text.isEmpty, text[0].isAlphanumeric, text[text.count - 1].isAlphanumeric else {
            return false
        }
        for index in 0..<text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): continue
            default: if !byte.isAlphanumeric { return false }
            }
        }
        return true
    }
}
