// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

/// A condition on fields of an object: all of its terms.
///
/// Which fields there are, and what text their values have, is a matter of the kind.
///
/// Source: upstream k8s.io/apimachinery 0.36 `pkg/fields/selector.go`.
public struct FieldSelector: Sendable, Hashable {
    /// A condition on one field.
    public struct Term: Sendable, Hashable {
        public let field: String
        public let value: String
        /// Whether the field must have another value.
        public let isNegated: Bool

        public init(_ field: String, _ value: String, isNegated: Bool = false) {
            self.field = field
            self.value = value
            self.isNegated = isNegated
        }
    }

    /// The longest text of a selector that is read, in bytes.
    public static let maximumTextBytes = 1 << 20

    /// The terms, all of which must hold.
    public let terms: [Term]

    /// The selector of those terms.
    public init(_ terms: [Term]) {
        self.terms = terms
    }

    /// Matches all objects.
    public static let everything = FieldSelector([])

    /// Whether the selector matches all objects.
    public var isEmpty: Bool { self.terms.isEmpty }

    /// The value that a field must have for the selector to match, or nil when several may do.
    public func requiredValue(of field: String) -> String? {
        for term in self.terms where !term.isNegated && term.field == field { return term.value }
        return nil
    }

    /// The selector with each term put into the names and values of the kind; terms that become
    /// empty are left out.
    ///
    /// - Throws: what `convert` throws, for a field that the kind does not have.
    public func mapped<E: Error>(
        _ convert: (_ field: String, _ value: String) throws(E) -> (String, String)
    ) throws(E) -> FieldSelector {
        var terms: [Term] = []
        terms.reserveCapacity(self.terms.count)
        for term in self.terms {
            let (field, value) = try convert(term.field, term.value)
            if field.isEmpty && value.isEmpty { continue }
            terms.append(Term(field, value, isNegated: term.isNegated))
        }
        return FieldSelector(terms)
    }

    /// The conversion of kinds that have only the fields that all objects have.
    public static func convertMetadata(
        _ field: String,
        _ value: String
    ) throws(SelectorError) -> (String, String) {
        guard field == "metadata.name" || field == "metadata.namespace" else {
            throw SelectorError(
                "\(GoText.quoted(field)) is not a known field selector: only "
                    + "\"metadata.name\", \"metadata.namespace\""
            )
        }
        return (field, value)
    }
}

// MARK: - Matching

extension FieldSelector {
    /// Whether the fields that a function looks up meet all terms; an absent field is empty.
    @inlinable
    public func matches(lookup: (String) -> String?) -> Bool {
        for term in self.terms where !term.matches(lookup(term.field) ?? "") { return false }
        return true
    }

    /// Whether fields meet all terms.
    public func matches(_ fields: [String: String]) -> Bool {
        self.matches { fields[$0] }
    }
}

extension FieldSelector.Term {
    /// Whether the text of the field meets the term. Bytes are compared, not characters.
    public func matches(_ text: String) -> Bool {
        text.utf8.elementsEqual(self.value.utf8) != self.isNegated
    }
}

// MARK: - Text

extension FieldSelector: CustomStringConvertible {
    /// The text, which reads back as the same selector: `spec.nodeName=a,status.phase!=Failed`.
    public var description: String {
        self.terms
            .map { $0.field + ($0.isNegated ? "!=" : "=") + Self.escaped($0.value) }
            .joined(separator: ",")
    }

    /// The value with a backslash before each backslash, comma and equals sign.
    public static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: Self.isSpecial) else { return value }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.utf8.count + 8)
        for byte in value.utf8 {
            if self.isSpecial(byte) { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\\") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=")
    }
}
