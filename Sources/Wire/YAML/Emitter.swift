// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Document {
    /// The document as YAML text in block style.
    mutating func yaml(limits: YAML.Limits) throws(YAMLError) -> [UInt8] {
        var emitter = Emitter(maximumBytes: limits.outputBytes)
        emitter.out.reserveCapacity(self.text.count * 2)
        try emitter.write(&self)
        return emitter.out
    }
}

/// A collection that is being written.
private struct Frame {
    /// Sequence: the next element. Mapping: the next entry.
    var next: Int
    /// Sequence: the index behind the last element. Mapping: the number of entries.
    var end: Int
    /// Mapping: where its entries start. Sequence: -1.
    var firstEntry: Int
    /// The indentation of what is around.
    var outerIndent: Int
}

/// Writes block style as go.yaml.in/yaml/v2 does with its defaults (`emitterc.go`): two spaces, lines
/// folded at spaces behind column 80, Unicode of the basic plane unescaped.
struct Emitter {
    /// Where lines are folded: at the first space behind this column.
    static let bestWidth = 80
    static let indentStep = 2
    /// Longer keys are written behind a question mark.
    static let maximumSimpleKeyBytes = 128

    var out: [UInt8] = []
    let maximumBytes: Int
    private var entries: [Entry] = []
    private var frames: [Frame] = []
    /// -1 outside of all collections.
    var indent = -1
    /// In characters, from zero.
    var column = 0
    /// Whether the last character was white space, so that an indicator can follow.
    var isAfterSpace = true
    /// Whether the line has nothing but indentation and indicators so far.
    var isIndentation = true

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    mutating func write(_ document: inout Document) throws(YAMLError) {
        try self.open(0, of: &document, isMappingValue: false)
        while let frame = self.frames.last {
            guard frame.next < frame.end else {
                self.frames.removeLast()
                self.indent = frame.outerIndent
                if frame.firstEntry >= 0 {
                    self.entries.removeLast(self.entries.count - frame.firstEntry)
                }
                continue
            }
            self.writeIndent()
            if frame.firstEntry < 0 {
                self.writeIndicator(UInt8(ascii: "-"), needsSpace: true, isIndentation: true)
                self.frames[self.frames.count - 1].next = Int(document.nodes[frame.next].end)
                try self.open(frame.next, of: &document, isMappingValue: false)
            } else {
                let entry = self.entries[frame.next]
                self.frames[self.frames.count - 1].next += 1
                try self.writeKey(document.text.span.extracting(entry.keyRange))
                try self.open(entry.value, of: &document, isMappingValue: true)
            }
        }
        self.indent = -1
        self.writeIndent()
    }

    /// A key and the colon behind it.
    private mutating func writeKey(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        let analysis = ScalarAnalysis(text)
        if !analysis.isMultiline, text.count <= Emitter.maximumSimpleKeyBytes {
            try self.writeString(text, analysis, isSimpleKey: true)
            self.writeIndicator(UInt8(ascii: ":"), needsSpace: false, isIndentation: false)
        } else {
            self.writeIndicator(UInt8(ascii: "?"), needsSpace: true, isIndentation: true)
            try self.writeString(text, analysis, isSimpleKey: false)
            self.writeIndent()
            self.writeIndicator(UInt8(ascii: ":"), needsSpace: true, isIndentation: true)
        }
    }

    /// Writes a scalar or an empty collection, or starts a collection.
    private mutating func open(
        _ index: Int,
        of document: inout Document,
        isMappingValue: Bool
    ) throws(YAMLError) {
        let node = document.nodes[index]
        let outerIndent = self.indent
        switch node.kind {
        case .alias:
            try self.open(Int(node.target), of: &document, isMappingValue: isMappingValue)
        case .scalar:
            try self.writeScalar(node, of: document)
        case .sequence:
            guard Int(node.end) > index + 1 else {
                self.writeEmpty(UInt8(ascii: "["), UInt8(ascii: "]"))
                return
            }
            // The elements of a mapping's value stand right below the key.
            if !isMappingValue || self.isIndentation || self.indent < 0 {
                self.indent = self.indent < 0 ? 0 : self.indent + Emitter.indentStep
            }
            self.frames.append(
                Frame(next: index + 1, end: Int(node.end), firstEntry: -1, outerIndent: outerIndent)
            )
        case .mapping:
            guard Int(node.end) > index + 1 else {
                self.writeEmpty(UInt8(ascii: "{"), UInt8(ascii: "}"))
                return
            }
            self.indent = self.indent < 0 ? 0 : self.indent + Emitter.indentStep
            let first = self.entries.count
            try document.appendEntries(ofMapping: index, to: &self.entries, order: .natural)
            self.frames.append(
                Frame(
                    next: first,
                    end: self.entries.count,
                    firstEntry: first,
                    outerIndent: outerIndent
                )
            )
        }
    }

    private mutating func writeEmpty(_ first: UInt8, _ second: UInt8) {
        self.writeIndicator(first, needsSpace: true, isIndentation: false)
        self.writeIndicator(second, needsSpace: false, isIndentation: false)
    }

    // MARK: - Characters

    mutating func writeIndicator(
        _ indicator: UInt8,
        needsSpace: Bool,
        isIndentation: Bool
    ) {
        if needsSpace, !self.isAfterSpace {
            self.put(UInt8(ascii: " "))
        }
        self.put(indicator)
        self.isAfterSpace = false
        self.isIndentation = self.isIndentation && isIndentation
    }

    /// Goes to the indentation, on a new line where needed.
    mutating func writeIndent() {
        let indent = max(self.indent, 0)
        if !self.isIndentation || self.column > indent
            || self.column == indent && !self.isAfterSpace
        {
            self.putLineFeed()
        }
        while self.column < indent {
            self.put(UInt8(ascii: " "))
        }
        self.isAfterSpace = true
        self.isIndentation = true
    }

    mutating func put(_ byte: UInt8) {
        self.out.append(byte)
        self.column += 1
    }

    mutating func putLineFeed() {
        self.out.append(UInt8(ascii: "\n"))
        self.column = 0
    }

    /// Copies a character.
    mutating func copy(_ text: borrowing Span<UInt8>, _ index: inout Int) {
        let end = index + CharacterClass(text, at: index).width
        while index < end {
            self.out.append(text[index])
            index += 1
        }
        self.column += 1
    }

    /// Copies a line break.
    mutating func copyBreak(_ text: borrowing Span<UInt8>, _ index: inout Int) {
        self.copy(text, &index)
        self.column = 0
    }
}
