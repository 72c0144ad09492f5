// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Cuts the bytes of a schema file into tokens.
///
/// Bytes that start no token are reported once per run and skipped, so the parser sees only good
/// tokens and goes on behind the damage.
struct Lexer {
    let bytes: [UInt8]
    private let file: String
    private let diagnostics: DiagnosticCollector
    /// Where the first byte that counts is.
    let startOffset: Int
    private var offset: Int
    private var position = SourcePosition.start

    init(file: String, bytes: [UInt8], diagnostics: DiagnosticCollector) {
        self.file = file
        self.bytes = bytes
        self.diagnostics = diagnostics
        // A byte order mark is allowed in front and counts for nothing.
        self.startOffset = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        self.offset = self.startOffset
    }

    /// The next token; `.endOfFile` again and again once the end is reached.
    mutating func next() -> Token {
        while true {
            self.skipBlanksAndComments()
            guard let byte = self.peek() else {
                return self.token(.endOfFile, from: self.offset, self.position)
            }
            let from = self.offset
            let start = self.position
            switch byte {
            case _ where CharacterClass.isLetter(byte):
                self.advanceWhile { CharacterClass.isLetter($0) || CharacterClass.isDigit($0) }
                return self.token(.identifier, from: from, start)
            case _ where CharacterClass.isDigit(byte):
                return self.number(from: from, start)
            case UInt8(ascii: ".") where self.peek(1).map(CharacterClass.isDigit) ?? false:
                return self.number(from: from, start)
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                return self.string(quote: byte, from: from, start)
            case 0x21...0x7e:
                self.advance()
                return self.token(.symbol(byte), from: from, start)
            default:
                self.advanceWhile { !(0x20...0x7e).contains($0) && $0 != UInt8(ascii: "\n") }
                let what = byte < 0x80 ? "a control character" : "a character outside ASCII"
                self.report(
                    start,
                    "expected a token, found \(what); allowed only in comments and strings"
                )
            }
        }
    }

    private func token(_ kind: Token.Kind, from: Int, _ start: SourcePosition) -> Token {
        Token(kind: kind, range: from..<self.offset, start: start, end: self.position)
    }

    private func report(_ position: SourcePosition, _ message: String) {
        self.diagnostics.error(self.file, position, message)
    }

    // MARK: - Characters

    private func peek(_ ahead: Int = 0) -> UInt8? {
        let index = self.offset + ahead
        return index < self.bytes.count ? self.bytes[index] : nil
    }

    private mutating func advance() {
        switch self.bytes[self.offset] {
        case UInt8(ascii: "\n"):
            self.position.line += 1
            self.position.column = 0
        case UInt8(ascii: "\t"):
            self.position.column += 8 - self.position.column % 8
        default:
            self.position.column += 1
        }
        self.offset += 1
    }

    private mutating func advanceWhile(_ predicate: (UInt8) -> Bool) {
        while let byte = self.peek(), predicate(byte) { self.advance() }
    }

    private mutating func skipBlanksAndComments() {
        while let byte = self.peek() {
            if CharacterClass.isBlank(byte) || byte == UInt8(ascii: "\n") {
                self.advance()
            } else if byte == UInt8(ascii: "/"), self.peek(1) == UInt8(ascii: "/") {
                self.advanceWhile { $0 != UInt8(ascii: "\n") }
            } else if byte == UInt8(ascii: "/"), self.peek(1) == UInt8(ascii: "*") {
                self.skipBlockComment()
            } else {
                return
            }
        }
    }

    private mutating func skipBlockComment() {
        let start = self.position
        self.advance()
        self.advance()
        while let byte = self.peek() {
            if byte == UInt8(ascii: "*"), self.peek(1) == UInt8(ascii: "/") {
                self.advance()
                self.advance()
                return
            }
            if byte == UInt8(ascii: "/"), self.peek(1) == UInt8(ascii: "*") {
                self.report(
                    self.position,
                    "\"/*\" inside a block comment: comments cannot be nested"
                )
                self.advance()
            }
            self.advance()
        }
        self.report(
            start,
            "expected \"*/\" to close the block comment that starts here, found end of file"
        )
    }

    // MARK: - Literals

    private mutating func number(from: Int, _ start: SourcePosition) -> Token {
        var kind = Token.Kind.integer
        if self.peek() == UInt8(ascii: "0"), self.peek(1).map({ $0 | 0x20 }) == UInt8(ascii: "x") {
            self.advance()
            self.advance()
            let digits = self.offset
            self.advanceWhile { CharacterClass.hexValue($0) != nil }
            if self.offset == digits {
                self.report(start, "expected hexadecimal digits behind \"0x\"")
            }
        } else {
            self.advanceWhile(CharacterClass.isDigit)
            if self.peek() == UInt8(ascii: ".") {
                kind = .float
                self.advance()
                self.advanceWhile(CharacterClass.isDigit)
            }
            if let byte = self.peek(), byte | 0x20 == UInt8(ascii: "e") {
                kind = .float
                self.advance()
                if self.peek() == UInt8(ascii: "-") || self.peek() == UInt8(ascii: "+") {
                    self.advance()
                }
                let digits = self.offset
                self.advanceWhile(CharacterClass.isDigit)
                if self.offset == digits { self.report(start, "expected digits of the exponent") }
            }
            if kind == .integer { self.checkOctal(from: from, start) }
        }
        if let byte = self.peek() {
            if CharacterClass.isLetter(byte) {
                self.report(self.position, "expected a space between number and identifier")
                self.advanceWhile { CharacterClass.isLetter($0) || CharacterClass.isDigit($0) }
            } else if byte == UInt8(ascii: "."), self.peek(1).map(CharacterClass.isDigit) ?? false {
                self.report(self.position, "expected one decimal point at most in a number")
                self.advanceWhile { $0 == UInt8(ascii: ".") || CharacterClass.isDigit($0) }
            }
        }
        return self.token(kind, from: from, start)
    }

    private func checkOctal(from: Int, _ start: SourcePosition) {
        guard self.offset - from > 1, self.bytes[from] == UInt8(ascii: "0") else { return }
        if self.bytes[from..<self.offset].contains(where: { $0 >= UInt8(ascii: "8") }) {
            self.report(start, "expected octal digits (0-7) in a number that starts with 0")
        }
    }

    private mutating func string(quote: UInt8, from: Int, _ start: SourcePosition) -> Token {
        self.advance()
        while let byte = self.peek() {
            switch byte {
            case quote:
                self.advance()
                return self.token(.string, from: from, start)
            case UInt8(ascii: "\n"):
                self.report(start, "expected a closing quote before the end of the line")
                return self.token(.string, from: from, start)
            case 0:
                self.report(self.position, "a string cannot hold a NUL character; write \\0")
                self.advance()
            case UInt8(ascii: "\\"):
                self.skipEscape()
            default:
                self.advance()
            }
        }
        self.report(start, "expected a closing quote, found end of file")
        return self.token(.string, from: from, start)
    }

    /// Moves past one escape sequence and reports it when it is none.
    private mutating func skipEscape() {
        let start = self.position
        self.advance()
        guard let byte = self.peek(), byte != UInt8(ascii: "\n") else { return }
        self.advance()
        switch byte {
        case UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "v"), UInt8(ascii: "\\"),
            UInt8(ascii: "?"), UInt8(ascii: "'"), UInt8(ascii: "\""),
            UInt8(ascii: "0")...UInt8(ascii: "7"):
            break
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            if self.skipHexDigits(limit: 2) == 0 {
                self.report(start, "expected hexadecimal digits behind \"\\x\"")
            }
        case UInt8(ascii: "u"):
            if self.skipHexDigits(limit: 4) != 4 {
                self.report(start, "expected four hexadecimal digits behind \"\\u\"")
            }
        case UInt8(ascii: "U"):
            let from = self.offset
            let isComplete = self.skipHexDigits(limit: 8) == 8
            let value = self.bytes[from..<self.offset].reduce(UInt64(0)) {
                $0 << 4 | UInt64(CharacterClass.hexValue($1) ?? 0)
            }
            if !isComplete || value > 0x10ffff {
                self.report(
                    start,
                    "expected eight hexadecimal digits up to 0010ffff behind \"\\U\""
                )
            }
        default:
            self.report(start, "expected an escape sequence; a lone backslash is written \"\\\\\"")
        }
    }

    private mutating func skipHexDigits(limit: Int) -> Int {
        var count = 0
        while count < limit, let byte = self.peek(), CharacterClass.hexValue(byte) != nil {
            self.advance()
            count += 1
        }
        return count
    }
}
