// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension FieldSelector {
    /// Reads terms with commas between them, such as `spec.nodeName=a,status.phase!=Failed`.
    ///
    /// In values a backslash makes a comma, an equals sign or a backslash plain. Empty terms are
    /// skipped. Terms are kept in the order of their texts, as upstream has it.
    ///
    /// - Complexity: linear in the length of the text, besides sorting the terms.
    public init(parsing text: String) throws(SelectorError) {
        if text.isEmpty {
            self = .everything
            return
        }
        guard text.utf8.count <= Self.maximumTextBytes else {
            throw SelectorError("field selector is longer than \(Self.maximumTextBytes) bytes")
        }
        var terms: [Term] = []
        for part in Self.sortedTerms(of: text) {
            guard let term = try Self.term(part) else {
                throw SelectorError("invalid selector: '\(text)'; can't understand '\(part)'")
            }
            // A lone operator is no condition at all.
            if term.field.isEmpty && term.value.isEmpty { continue }
            terms.append(term)
        }
        self.init(terms)
    }

    /// The texts between commas that are not escaped, but for empty ones, in the order of bytes.
    private static func sortedTerms(of text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isEscaped = false
        var index = start
        while index < text.endIndex {
            let byte = text.utf8[index]
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: ",") {
                if start < index { parts.append(text[start..<index]) }
                start = text.utf8.index(after: index)
            }
            index = text.utf8.index(after: index)
        }
        if start < text.endIndex { parts.append(text[start...]) }
        if parts.count > 1 { parts.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
        return parts
    }

    /// One term, cut at its first operator; nil when there is none.
    private static func term(_ text: Substring) throws(SelectorError) -> Term? {
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text.utf8[index]
            let next = text.utf8.index(after: index)
            let isBeforeEquals = next < text.endIndex && text.utf8[next] == UInt8(ascii: "=")
            let isNegated = byte == UInt8(ascii: "!") && isBeforeEquals
            if isNegated || byte == UInt8(ascii: "=") {
                let start = isBeforeEquals ? text.utf8.index(after: next) : next
                return Term(
                    String(text[..<index]),
                    try self.unescaped(text[start...]),
                    isNegated: isNegated
                )
            }
            index = next
        }
        return nil
    }

    /// The value without its escapes.
    static func unescaped(_ text: Substring) throws(SelectorError) -> String {
        guard text.utf8.contains(where: self.isSpecial) else { return String(text) }
        var value = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                guard scalar == "\\" || scalar == "," || scalar == "=" else {
                    throw SelectorError(
                        "invalid field selector: invalid escape sequence: \\\(scalar)"
                    )
                }
                value.append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == "," || scalar == "=" {
                throw SelectorError(
                    "invalid field selector: unescaped character in value: \(scalar.value)"
                )
            } else {
                value.append(scalar)
            }
        }
        if isEscaped {
            throw SelectorError("invalid field selector: invalid escape sequence: \\")
        }
        return String(value)
    }
}
