// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NameRules

extension LabelSelector {
    /// Reads the text of a selector, such as `app=web,tier in (front, back),!legacy,size>10`.
    ///
    /// Whatever upstream reads, with one exception: a NUL byte ends the text there and is part of a
    /// key or value here, and so refused.
    ///
    /// - Parameter path: where the text stands, for messages about keys and values.
    /// - Complexity: linear in the length of the text, besides sorting keys and values.
    public init(parsing text: String, at path: FieldPath = FieldPath()) throws(SelectorError) {
        if text.isEmpty {
            self = .everything
            return
        }
        guard text.utf8.count <= Self.maximumTextBytes else {
            throw SelectorError("label selector is longer than \(Self.maximumTextBytes) bytes")
        }
        var parser = LabelSelectorParser(text, path)
        self.init(try parser.parse())
    }
}

/// A recursive descent over the tokens, with one token ahead.
private struct LabelSelectorParser {
    private var lexer: LabelSelectorLexer
    private var next: LabelSelectorLexer.Token
    private let path: FieldPath

    init(_ text: String, _ path: FieldPath) {
        self.lexer = LabelSelectorLexer(text)
        self.next = self.lexer.token()
        self.path = path
    }

    private mutating func take() -> LabelSelectorLexer.Token {
        let token = self.next
        self.next = self.lexer.token()
        return token
    }

    /// Requirements with commas between them.
    mutating func parse() throws(SelectorError) -> [LabelRequirement] {
        var requirements: [LabelRequirement] = []
        while true {
            if self.next.kind == .end { return requirements }
            guard self.next.isIdentifier || self.next.kind == .not else {
                throw SelectorError(
                    "found '\(self.next.text)', expected: !, identifier, or 'end of string'"
                )
            }
            do throws(SelectorError) {
                requirements.append(try self.requirement())
            } catch {
                throw SelectorError("unable to parse requirement: \(error.description)")
            }
            let token = self.take()
            if token.kind == .end { return requirements }
            guard token.kind == .comma else {
                throw SelectorError(
                    "found '\(token.text)', expected: ',' or 'end of string'"
                )
            }
            guard self.next.isIdentifier || self.next.kind == .not else {
                throw SelectorError(
                    "found '\(self.next.text)', expected: identifier after ','"
                )
            }
        }
    }

    private mutating func requirement() throws(SelectorError) -> LabelRequirement {
        var token = self.take()
        let isNegated = token.kind == .not
        if isNegated { token = self.take() }
        guard token.isIdentifier else {
            throw SelectorError("found '\(token.text)', expected: identifier")
        }
        let key = token.text
        if !Formats.isLabelKey(key) {
            let reasons = Formats.labelKey(key).joined(separator: "; ")
            throw SelectorError(
                FieldError.invalid(self.path, .string(key), reasons).description
            )
        }
        if isNegated { return LabelRequirement(checked: key, .doesNotExist, []) }
        if self.next.kind == .end || self.next.kind == .comma {
            return LabelRequirement(checked: key, .exists, [])
        }
        let comparison = try self.comparison()
        let values =
            comparison == .isIn || comparison == .notIn
            ? LabelRequirement.distinct(try self.valueSet()) : [try self.value()]
        return try LabelRequirement(key, comparison, values, at: self.path)
    }

    private mutating func comparison() throws(SelectorError) -> LabelRequirement.Operator {
        let token = self.take()
        switch token.kind {
        case .isIn: return .isIn
        case .notIn: return .notIn
        case .equals: return .equals
        case .doubleEquals: return .doubleEquals
        case .notEquals: return .notEquals
        case .greaterThan: return .greaterThan
        case .lessThan: return .lessThan
        case .identifier, .end, .comma, .not, .open, .close:
            throw SelectorError(
                "found '\(token.text)', expected: in, notin, =, ==, !=, gt, lt"
            )
        }
    }

    /// The value after `=` and its kin; nothing there means the empty value.
    private mutating func value() throws(SelectorError) -> String {
        if self.next.kind == .end || self.next.kind == .comma { return "" }
        let token = self.take()
        guard token.isIdentifier else {
            throw SelectorError("found '\(token.text)', expected: identifier")
        }
        return token.text
    }

    /// Values in parentheses; nothing between commas means the empty value.
    private mutating func valueSet() throws(SelectorError) -> [String] {
        let open = self.take()
        guard open.kind == .open else {
            throw SelectorError("found '\(open.text)' expected: '('")
        }
        if self.next.kind == .close {
            _ = self.take()
            return [""]
        }
        guard self.next.isIdentifier || self.next.kind == .comma else {
            throw SelectorError(
                "found '\(self.next.text)', expected: ',', ')' or identifier"
            )
        }
        var values: [String] = []
        while true {
            let token = self.take()
            if token.isIdentifier {
                values.append(token.text)
                guard self.next.kind == .comma || self.next.kind == .close else {
                    throw SelectorError("found '\(self.next.text)', expected: ',' or ')'")
                }
            } else if token.kind == .comma {
                if values.isEmpty { values.append("") }
                if self.next.kind == .comma || self.next.kind == .close { values.append("") }
            } else {
                throw SelectorError("found '\(token.text)', expected: ',', or identifier")
            }
            if self.next.kind == .close {
                _ = self.take()
                return values
            }
        }
    }
}

/// Cuts the text of a label selector into tokens.
private struct LabelSelectorLexer {
    enum Kind {
        case identifier
        case end
        case comma
        case not
        case open
        case close
        case equals
        case doubleEquals
        case notEquals
        case greaterThan
        case lessThan
        case isIn
        case notIn
    }

    struct Token {
        let kind: Kind
        let text: String

        /// Whether the token can be a key or a value: the words `in` and `notin` are operators only
        /// where an operator is due.
        var isIdentifier: Bool {
            self.kind == .identifier || self.kind == .isIn || self.kind == .notIn
        }
    }

    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    /// The next token; at the end, and from then on, `.end`.
    mutating func token() -> Token {
        while self.position < self.bytes.count, Self.isSpace(self.bytes[self.position]) {
            self.position += 1
        }
        guard self.position < self.bytes.count else { return Token(kind: .end, text: "") }
        switch self.bytes[self.position] {
        case UInt8(ascii: ")"): return self.symbol(.close, ")")
        case UInt8(ascii: "("): return self.symbol(.open, "(")
        case UInt8(ascii: ","): return self.symbol(.comma, ",")
        case UInt8(ascii: ">"): return self.symbol(.greaterThan, ">")
        case UInt8(ascii: "<"): return self.symbol(.lessThan, "<")
        case UInt8(ascii: "!"): return self.symbol(.not, "!", beforeEquals: .notEquals, "!=")
        case UInt8(ascii: "="): return self.symbol(.equals, "=", beforeEquals: .doubleEquals, "==")
        default: return self.word()
        }
    }

    private mutating func symbol(
        _ kind: Kind,
        _ text: String,
        beforeEquals longer: Kind? = nil,
        _ longerText: String = ""
    ) -> Token {
        self.position += 1
        guard let longer, self.position < self.bytes.count,
            self.bytes[self.position] == UInt8(ascii: "=")
        else { return Token(kind: kind, text: text) }
        self.position += 1
        return Token(kind: longer, text: longerText)
    }

    private mutating func word() -> Token {
        let start = self.position
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            if Self.isSpace(byte) || Self.isSymbol(byte) { break }
            self.position += 1
        }
        let word = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        switch word {
        case "in": return Token(kind: .isIn, text: word)
        case "notin": return Token(kind: .notIn, text: word)
        default: return Token(kind: .identifier, text: word)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }

    private static func isSymbol(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: ","), UInt8(ascii: ">"), UInt8(ascii: "<"):
            true
        default:
            false
        }
    }
}
