// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors

/// Reads one schema file into declarations.
///
/// A recursive-descent parser with one token of lookahead. A statement that cannot be read is
/// reported, skipped up to its `;` or closing brace, and parsing goes on behind it, so one run shows
/// the errors of the whole file.
struct Parser {
    /// Unwinds to the nearest statement; what went wrong has been reported already.
    struct Failure: Error {}

    let file: FileDeclaration
    private let diagnostics: DiagnosticCollector
    private var lexer: Lexer
    private(set) var current: Token
    private var previous: Token?
    private var pendingDetached: [String] = []
    private var pendingLeading = ""
    /// The package, when its statement stands behind declarations.
    var latePackage: NameSyntax?
    /// Whether the package was found in an earlier run.
    private(set) var isPackageKnown = false
    private var nesting = 0
    /// Braces opened and not yet closed.
    private var openBraces = 0

    init(name: String, bytes: [UInt8], diagnostics: DiagnosticCollector) {
        self.file = FileDeclaration(name: name)
        self.diagnostics = diagnostics
        self.lexer = Lexer(file: name, bytes: bytes, diagnostics: diagnostics)
        self.current = self.lexer.next()
        let comments = self.commentsBeforeCurrent()
        self.pendingDetached = comments.detached
        self.pendingLeading = comments.leading
    }

    /// Parses a whole file.
    static func parse(
        name: String,
        bytes: [UInt8],
        diagnostics: DiagnosticCollector,
    ) -> FileDeclaration {
        let errorsBefore = diagnostics.errorCount
        var parser = Parser(name: name, bytes: bytes, diagnostics: diagnostics)
        parser.parseFile()
        if let package = parser.latePackage {
            // Declarations before the package statement got names without it: read them again.
            parser.file.dismantle()
            parser = Parser(name: name, bytes: bytes, diagnostics: diagnostics)
            parser.file.package = package
            parser.isPackageKnown = true
            parser.parseFile()
        }
        parser.file.hasSyntaxErrors = diagnostics.errorCount > errorsBefore
        return parser.file
    }

    // MARK: - Tokens

    func text(_ token: Token) -> String {
        String(decoding: self.lexer.bytes[token.range], as: UTF8.self)
    }

    func bytes(_ token: Token) -> ArraySlice<UInt8> {
        self.lexer.bytes[token.range]
    }

    mutating func advance() {
        if self.looksAt(symbol: "{") { self.openBraces += 1 }
        if self.looksAt(symbol: "}") { self.openBraces -= 1 }
        self.previous = self.current
        self.current = self.lexer.next()
    }

    func looksAt(_ word: StaticString) -> Bool {
        self.current.kind == .identifier && self.matches(self.current.range, word)
    }

    func looksAt(symbol: Unicode.Scalar) -> Bool {
        self.current.isSymbol(symbol)
    }

    /// Consumes the keyword if it is next.
    mutating func take(_ word: StaticString) -> Bool {
        guard self.looksAt(word) else { return false }
        self.advance()
        return true
    }

    /// Consumes the punctuation mark if it is next.
    mutating func take(symbol: Unicode.Scalar) -> Bool {
        guard self.looksAt(symbol: symbol) else { return false }
        self.advance()
        return true
    }

    /// Consumes the punctuation mark or fails; `place` completes "expected X ...".
    mutating func expect(symbol: Unicode.Scalar, _ place: String) throws(Failure) {
        guard self.take(symbol: symbol) else {
            throw self.failure("expected \"\(symbol)\" \(place)")
        }
    }

    /// Consumes an identifier or fails; `what` completes "expected ...".
    mutating func identifier(_ what: String) throws(Failure) -> NameSyntax {
        guard self.current.kind == .identifier else { throw self.failure("expected \(what)") }
        let name = NameSyntax(text: self.text(self.current), position: self.current.start)
        self.advance()
        return name
    }

    /// Consumes `a.b.c`, with a leading dot where `allowsLeadingDot`.
    mutating func qualifiedName(
        _ what: String,
        allowsLeadingDot: Bool = true,
    ) throws(Failure) -> NameSyntax {
        let position = self.current.start
        var text = ""
        if allowsLeadingDot, self.take(symbol: ".") { text = "." }
        text += try self.identifier(what).text
        while self.take(symbol: ".") {
            text += "." + (try self.identifier("an identifier behind \".\" in \(what)")).text
        }
        return NameSyntax(text: text, position: position)
    }

    /// Consumes one or more adjacent string literals.
    mutating func string(_ what: String) throws(Failure) -> [UInt8] {
        guard self.current.kind == .string else { throw self.failure("expected \(what)") }
        var value: [UInt8] = []
        while self.current.kind == .string {
            value += Literal.string(self.bytes(self.current))
            self.advance()
        }
        return value
    }

    /// Consumes an integer up to `limit`, with a minus sign where `allowsNegative`.
    ///
    /// A number that is out of range is reported and read as zero: what follows may still be good.
    mutating func integer(
        _ what: String,
        limit: Int32 = .max,
        allowsNegative: Bool = false,
    ) throws(Failure) -> Int32 {
        let position = self.current.start
        let isNegative = allowsNegative && self.take(symbol: "-")
        guard self.current.kind == .integer else { throw self.failure("expected \(what)") }
        let magnitude = Literal.integer(self.bytes(self.current))
        self.advance()
        let bound = UInt64(limit) + (isNegative ? 1 : 0)
        guard let magnitude, magnitude <= bound else {
            let range = isNegative ? "from -\(bound)" : "up to \(bound)"
            self.report(position, "expected \(what) in the range \(range)")
            return 0
        }
        return isNegative ? Int32(truncatingIfNeeded: -Int64(magnitude)) : Int32(magnitude)
    }

    /// Reports "`expectation`, found ..." at the current token and returns the failure to throw.
    func failure(_ expectation: String) -> Failure {
        self.report(self.current.start, "\(expectation), found \(self.describe(self.current))")
        return Failure()
    }

    func report(_ position: SourcePosition, _ message: String) {
        self.diagnostics.error(self.file.name, position, message)
    }

    func warn(_ position: SourcePosition?, _ message: String) {
        self.diagnostics.warning(self.file.name, position, message)
    }

    private func describe(_ token: Token) -> String {
        switch token.kind {
        case .endOfFile:
            return "end of file"
        case .string:
            return "a string"
        case .identifier, .integer, .float, .symbol:
            let text = self.bytes(token)
            let quoted = String(
                decoding: text.prefix(SchemaLimits.quotedTokenBytes),
                as: UTF8.self,
            )
            return text.count > SchemaLimits.quotedTokenBytes ? "\"\(quoted)...\"" : "\"\(quoted)\""
        }
    }

    private func matches(_ range: Range<Int>, _ word: StaticString) -> Bool {
        range.count == word.utf8CodeUnitCount
            && word.withUTF8Buffer { $0.elementsEqual(self.lexer.bytes[range]) }
    }

    // MARK: - Locations and comments

    /// Opens a location at the current token; `end` or a declaration's end completes it.
    mutating func beginLocation(_ path: [Int32]) -> Int {
        let start = self.current.start
        self.file.locations.append(SourceLocation(path: path, span: [start.line, start.column]))
        return self.file.locations.count - 1
    }

    /// Closes a location behind the last token consumed.
    mutating func endLocation(_ index: Int) {
        let end = self.previous?.end ?? .start
        var span = Array(self.file.locations[index].span.prefix(2))
        if end.line != span[0] { span.append(end.line) }
        span.append(end.column)
        self.file.locations[index].span = span
    }

    /// Takes back the location opened last but for those inside it.
    ///
    /// Statements such as options take the comments around them, but are not documented.
    mutating func dropLocation(_ index: Int) {
        self.file.locations.remove(at: index)
    }

    /// Consumes the `;` or `{` that ends a declaration's head and hands out the comments around it.
    mutating func endDeclaration(
        _ symbol: Unicode.Scalar,
        _ place: String,
        location: Int?,
    ) throws(Failure) {
        guard self.takeDeclarationEnd(symbol, location: location) else {
            throw self.failure("expected \"\(symbol)\" \(place)")
        }
    }

    /// Consumes `symbol` if it is next and hands out the comments around it.
    ///
    /// The leading comments of a declaration were read behind the one before it; those read here are
    /// kept for the next.
    mutating func takeDeclarationEnd(_ symbol: Unicode.Scalar, location: Int?) -> Bool {
        guard self.take(symbol: symbol) else { return false }
        let comments = self.commentsBeforeCurrent()
        let leading = self.pendingLeading
        self.pendingLeading = comments.leading
        if let location {
            let detached = self.pendingDetached
            self.pendingDetached = comments.detached
            if !leading.isEmpty { self.file.locations[location].leadingComments = leading }
            if !comments.trailing.isEmpty {
                self.file.locations[location].trailingComments = comments.trailing
            }
            self.file.locations[location].leadingDetachedComments = detached
        } else if symbol == "}" {
            self.pendingDetached = comments.detached
        } else {
            self.pendingDetached += comments.detached
        }
        return true
    }

    private func commentsBeforeCurrent() -> Comments {
        let from = self.previous?.range.upperBound ?? self.lexer.startOffset
        let next =
            self.current.kind == .endOfFile ? nil : self.lexer.bytes[self.current.range.lowerBound]
        return Comments.between(
            self.lexer.bytes[from..<self.current.range.lowerBound],
            isFileStart: self.previous == nil,
            next: next,
        )
    }

    // MARK: - Recovery

    /// Runs one statement; when it fails, moves behind its end.
    mutating func recovering(_ statement: (inout Parser) throws(Failure) -> Void) {
        let openBraces = self.openBraces
        do throws(Failure) {
            try statement(&self)
        } catch {
            self.skipStatement(openBraces: openBraces)
        }
    }

    /// Parses statements up to the closing brace of a block whose opening brace is consumed.
    mutating func block(
        _ what: String,
        openedAt: SourcePosition,
        _ statement: (inout Parser) throws(Failure) -> Void,
    ) {
        while !self.takeDeclarationEnd("}", location: nil) {
            guard self.current.kind != .endOfFile, !self.diagnostics.isFull else {
                if self.current.kind == .endOfFile {
                    self.report(
                        self.current.start,
                        "expected \"}\" to close the \(what) that starts at line \(openedAt.line + 1), "
                            + "found end of file",
                    )
                }
                // Nothing sensible can follow: let every open block see the end.
                while self.current.kind != .endOfFile { self.advance() }
                return
            }
            self.recovering(statement)
        }
    }

    /// Runs `body` one level deeper, unless the level is beyond `SchemaLimits.messageNesting`.
    mutating func nested(
        _ position: SourcePosition,
        _ body: (inout Parser) throws(Failure) -> Void,
    ) throws(Failure) {
        guard self.nesting < SchemaLimits.messageNesting else {
            self.report(
                position,
                "expected messages nested at most \(SchemaLimits.messageNesting) deep",
            )
            throw Failure()
        }
        self.nesting += 1
        defer { self.nesting -= 1 }
        try body(&self)
    }

    /// Moves behind the statement that began when `openBraces` braces were open.
    private mutating func skipStatement(openBraces: Int) {
        while self.openBraces > openBraces, self.current.kind != .endOfFile { self.advance() }
        while true {
            switch self.current.kind {
            case .endOfFile, .symbol(UInt8(ascii: "}")):
                return
            case .symbol(UInt8(ascii: ";")):
                _ = self.takeDeclarationEnd(";", location: nil)
                return
            case .symbol(UInt8(ascii: "{")):
                self.skipBlock()
                return
            case .identifier, .integer, .float, .string, .symbol:
                self.advance()
            }
        }
    }

    private mutating func skipBlock() {
        var depth = 0
        while self.current.kind != .endOfFile {
            if self.looksAt(symbol: "{") { depth += 1 }
            if self.looksAt(symbol: "}") {
                depth -= 1
                if depth == 0 {
                    _ = self.takeDeclarationEnd("}", location: nil)
                    return
                }
            }
            self.advance()
        }
    }
}
