// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Document {
    /// Reads a JSON value. Strings stay strings; numbers mean what they mean in YAML, where large
    /// integers keep all their digits.
    init(parsingJSON bytes: UnsafeRawBufferPointer, limits: YAML.Limits) throws(YAMLError) {
        try limits.checkInput(bytes.count)
        let bytes = unsafe bytes.assumingMemoryBound(to: UInt8.self)
        var parser = JSONParser(limits: limits)
        try unsafe parser.parse(bytes.span)
        self = parser.document
    }

    /// Reads YAML that is JSON, or gives nil when it is none: the common case of flow style, for which
    /// libyaml takes six times as long, and more the deeper it nests.
    init?(parsingYAMLAsJSON bytes: UnsafeRawBufferPointer, limits: YAML.Limits) throws(YAMLError) {
        guard
            let first = unsafe bytes.first(where: { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        else { return nil }
        do throws(YAMLError) {
            try unsafe self.init(parsingJSON: bytes, limits: limits)
        } catch .invalidJSON {
            return nil
        }
    }
}

private struct JSONParser {
    var document = Document()
    private let limits: YAML.Limits
    private var position = 0
    private var line: UInt32 = 0
    /// The collections that are open.
    private var open: [Int] = []

    init(limits: YAML.Limits) {
        self.limits = limits
    }

    mutating func parse(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        self.document.text.reserveCapacity(text.count)
        self.document.nodes.reserveCapacity(text.count / 12 + 4)
        try self.value(text)
        while !self.open.isEmpty {
            try self.next(text)
        }
        self.skipSpace(text)
        guard self.position == text.count else { throw self.error("text after the value") }
    }

    /// Goes on in the innermost collection: with its next value, or to its end.
    private mutating func next(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        guard let index = self.open.last else { return }
        let isMapping = self.document.nodes[index].kind == .mapping
        let isFirst = index == self.document.nodes.count - 1
        self.skipSpace(text)
        let close = isMapping ? UInt8(ascii: "}") : UInt8(ascii: "]")
        if self.position < text.count, text[self.position] == close {
            self.position += 1
            self.open.removeLast()
            self.document.nodes[index].end = UInt32(self.document.nodes.count)
            return
        }
        if !isFirst {
            try self.expect(UInt8(ascii: ","), text, "',' or the end of the collection")
            self.skipSpace(text)
        }
        if isMapping {
            guard self.position < text.count, text[self.position] == UInt8(ascii: "\"") else {
                throw self.error("expected a key")
            }
            try self.string(text)
            self.skipSpace(text)
            try self.expect(UInt8(ascii: ":"), text, "':'")
        }
        try self.value(text)
    }

    private mutating func value(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        self.skipSpace(text)
        guard self.position < text.count else { throw self.error("unexpected end") }
        switch text[self.position] {
        case UInt8(ascii: "{"):
            try self.start(.mapping)
        case UInt8(ascii: "["):
            try self.start(.sequence)
        case UInt8(ascii: "\""):
            try self.string(text)
        case UInt8(ascii: "t"):
            try self.word("true", .boolean(true), text)
        case UInt8(ascii: "f"):
            try self.word("false", .boolean(false), text)
        case UInt8(ascii: "n"):
            try self.word("null", .null, text)
        default:
            try self.number(text)
        }
    }

    private mutating func start(_ kind: Node.Kind) throws(YAMLError) {
        self.position += 1
        try self.limits.check(.depth, self.open.count + 1, maximum: self.limits.depth)
        self.open.append(self.document.nodes.count)
        try self.append(Node(kind: kind, line: self.line))
    }

    private mutating func append(_ node: Node) throws(YAMLError) {
        let count = self.document.nodes.count + 1
        try self.limits.check(.nodes, count, maximum: self.limits.nodes)
        self.document.nodes.append(node)
        self.document.nodes[count - 1].end = UInt32(count)
    }

    private mutating func appendScalar(
        from textStart: Int,
        _ resolution: ScalarResolution
    ) throws(YAMLError) {
        try self.append(
            Node(
                kind: .scalar,
                value: resolution.type,
                line: self.line,
                textStart: UInt32(textStart),
                textCount: UInt32(self.document.text.count - textStart),
                bits: resolution.bits
            )
        )
    }

    private mutating func word(
        _ word: StaticString,
        _ resolution: ScalarResolution,
        _ text: borrowing Span<UInt8>
    ) throws(YAMLError) {
        let count = word.utf8CodeUnitCount
        guard text.count - self.position >= count else { throw self.error("expected a value") }
        for index in 0..<count {
            guard unsafe text[self.position + index] == word.utf8Start[index] else {
                throw self.error("expected a value")
            }
        }
        self.position += count
        try self.appendScalar(from: self.document.text.count, resolution)
    }

    // MARK: - Numbers

    private mutating func number(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        let start = self.position
        if text[start] == UInt8(ascii: "-") {
            self.position += 1
        }
        let integerStart = self.position
        try self.digits(text)
        if text[integerStart] == UInt8(ascii: "0"), self.position > integerStart + 1 {
            self.position = integerStart
            throw self.error("leading zero")
        }
        if self.position < text.count, text[self.position] == UInt8(ascii: ".") {
            self.position += 1
            try self.digits(text)
        }
        if self.position < text.count, text[self.position] | 0x20 == UInt8(ascii: "e") {
            self.position += 1
            if self.position < text.count,
                text[self.position] == UInt8(ascii: "+")
                    || text[self.position] == UInt8(ascii: "-")
            {
                self.position += 1
            }
            try self.digits(text)
        }
        let number = text.extracting(start..<self.position)
        let resolution = ScalarResolution(resolving: number)
        let textStart = self.document.text.count
        if resolution.type == .string {
            // Out of range of a floating-point number: goyaml makes a string of it.
            unsafe number.withUnsafeBufferPointer {
                unsafe self.document.text.append(contentsOf: $0)
            }
        }
        try self.appendScalar(from: textStart, resolution)
    }

    private mutating func digits(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        let start = self.position
        while self.position < text.count, isDigit(text[self.position]) {
            self.position += 1
        }
        guard self.position > start else { throw self.error("expected a digit") }
    }

    // MARK: - Strings

    private mutating func string(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        self.position += 1
        let textStart = self.document.text.count
        var runStart = self.position
        while true {
            guard self.position < text.count else { throw self.error("unexpected end") }
            let byte = text[self.position]
            switch byte {
            case UInt8(ascii: "\""):
                self.appendRun(text, runStart..<self.position)
                self.position += 1
                try self.appendScalar(from: textStart, .string)
                return
            case UInt8(ascii: "\\"):
                self.appendRun(text, runStart..<self.position)
                try self.escape(text)
                runStart = self.position
            case ..<0x20:
                throw self.error("control character in a string")
            case ..<0x80:
                self.position += 1
            default:
                let width = scalarWidth(text, at: self.position)
                guard width > 0 else { throw self.error("invalid UTF-8") }
                self.position += width
            }
        }
    }

    private mutating func appendRun(_ text: borrowing Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        unsafe text.extracting(range).withUnsafeBufferPointer {
            unsafe self.document.text.append(contentsOf: $0)
        }
    }

    private mutating func escape(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        guard self.position + 1 < text.count else { throw self.error("unexpected end") }
        let byte = text[self.position + 1]
        let plain: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = byte
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"):
            var unit = try self.unit(text)
            // A surrogate without its other half becomes U+FFFD, as in Go.
            if unit & 0xFC00 == 0xD800, self.position + 1 < text.count,
                text[self.position] == UInt8(ascii: "\\"),
                text[self.position + 1] == UInt8(ascii: "u")
            {
                let afterFirst = self.position
                let low = try self.unit(text)
                if low & 0xFC00 == 0xDC00 {
                    unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
                } else {
                    self.position = afterFirst
                }
            }
            let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
            self.document.text.append(
                contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            )
            return
        default:
            throw self.error("unknown escape")
        }
        self.document.text.append(plain)
        self.position += 2
    }

    /// The four hexadecimal digits of `\uXXXX`.
    private mutating func unit(_ text: borrowing Span<UInt8>) throws(YAMLError) -> UInt32 {
        guard text.count - self.position >= 6 else { throw self.error("unexpected end") }
        var unit: UInt32 = 0
        for index in self.position + 2..<self.position + 6 {
            let digit: UInt8
            switch text[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = text[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = text[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = text[index] - UInt8(ascii: "A") + 10
            default: throw self.error("expected a hexadecimal digit")
            }
            unit = unit << 4 | UInt32(digit)
        }
        self.position += 6
        return unit
    }

    // MARK: - Helpers

    private mutating func skipSpace(_ text: borrowing Span<UInt8>) {
        while self.position < text.count {
            switch text[self.position] {
            case 0x20, 0x09, 0x0D:
                self.position += 1
            case 0x0A:
                self.position += 1
                self.line += 1
            default: return
            }
        }
    }

    private mutating func expect(
        _ byte: UInt8,
        _ text: borrowing Span<UInt8>,
        _ what: String
    ) throws(YAMLError) {
        guard self.position < text.count, text[self.position] == byte else {
            throw self.error("expected \(what)")
        }
        self.position += 1
    }

    private func error(_ problem: String) -> YAMLError {
        .invalidJSON(offset: self.position, problem: problem)
    }
}
