// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Document {
    /// The document as compact JSON: keys sorted, text escaped as Go's encoder does.
    mutating func json(limits: YAML.Limits) throws(YAMLError) -> [UInt8] {
        var writer = JSONWriter(maximumBytes: limits.outputBytes)
        writer.out.reserveCapacity(self.text.count * 2)
        try writer.write(&self)
        return writer.out
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
}

private struct JSONWriter {
    var out: [UInt8] = []
    let maximumBytes: Int
    /// The entries of all mappings that are open.
    private var entries: [Entry] = []
    private var frames: [Frame] = []

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    mutating func write(_ document: inout Document) throws(YAMLError) {
        try self.open(0, of: &document)
        while let frame = self.frames.last {
            guard frame.next < frame.end else {
                self.close(frame)
                continue
            }
            if frame.firstEntry < 0 {
                if self.out.last != UInt8(ascii: "[") {
                    self.out.append(UInt8(ascii: ","))
                }
                self.frames[self.frames.count - 1].next = Int(document.nodes[frame.next].end)
                try self.open(frame.next, of: &document)
            } else {
                if frame.next > frame.firstEntry {
                    self.out.append(UInt8(ascii: ","))
                }
                let entry = self.entries[frame.next]
                self.frames[self.frames.count - 1].next += 1
                try self.appendString(document.text.span.extracting(entry.keyRange))
                self.out.append(UInt8(ascii: ":"))
                try self.open(entry.value, of: &document)
            }
        }
    }

    private mutating func close(_ frame: Frame) {
        self.frames.removeLast()
        if frame.firstEntry < 0 {
            self.out.append(UInt8(ascii: "]"))
        } else {
            self.out.append(UInt8(ascii: "}"))
            self.entries.removeLast(self.entries.count - frame.firstEntry)
        }
    }

    /// Writes a scalar, or the start of a collection.
    private mutating func open(
        _ index: Int,
        of document: inout Document
    ) throws(YAMLError) {
        let node = document.nodes[index]
        switch node.kind {
        case .alias:
            // An alias never stands for another one.
            try self.open(Int(node.target), of: &document)
        case .scalar:
            try self.appendScalar(node, of: document)
        case .sequence:
            self.out.append(UInt8(ascii: "["))
            self.frames.append(Frame(next: index + 1, end: Int(node.end), firstEntry: -1))
        case .mapping:
            self.out.append(UInt8(ascii: "{"))
            let first = self.entries.count
            try document.appendEntries(ofMapping: index, to: &self.entries, order: .bytes)
            self.frames.append(Frame(next: first, end: self.entries.count, firstEntry: first))
        }
        guard self.out.count <= self.maximumBytes else {
            throw .limit(.outputBytes, maximum: self.maximumBytes)
        }
    }

    private mutating func appendScalar(
        _ node: Node,
        of document: Document
    ) throws(YAMLError) {
        switch node.value {
        case .null, .unresolved:
            self.out.append(contentsOf: "null".utf8)
        case .boolean:
            self.out.append(contentsOf: (node.bits != 0 ? "true" : "false").utf8)
        case .integer:
            self.out.append(contentsOf: String(Int64(bitPattern: node.bits)).utf8)
        case .unsigned:
            self.out.append(contentsOf: String(node.bits).utf8)
        case .float:
            let value = Double(bitPattern: node.bits)
            guard value.isFinite else {
                let name = value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf"
                throw .notRepresentable("json: unsupported value: \(name)")
            }
            self.out.append(contentsOf: jsonFloatText(value).utf8)
        case .string, .binary:
            try self.appendString(document.text.span.extracting(node.textRange))
        }
    }

    /// Appends a JSON string. `<`, `>`, `&` and the separators U+2028 and U+2029 are escaped, bytes that
    /// are not UTF-8 become U+FFFD.
    private mutating func appendString(_ text: borrowing Span<UInt8>) throws(YAMLError) {
        guard self.out.count + text.count <= self.maximumBytes else {
            throw .limit(.outputBytes, maximum: self.maximumBytes)
        }
        self.out.append(UInt8(ascii: "\""))
        var runStart = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                if !needsEscape(byte) {
                    index += 1
                    continue
                }
                self.appendRun(text, runStart..<index)
                self.appendEscape(byte)
                index += 1
                runStart = index
                continue
            }
            let width = scalarWidth(text, at: index)
            if width == 0 {
                self.appendRun(text, runStart..<index)
                self.out.append(contentsOf: "\\ufffd".utf8)
                index += 1
                runStart = index
            } else if width == 3, byte == 0xE2, text[index + 1] == 0x80,
                text[index + 2] & ~1 == 0xA8
            {
                self.appendRun(text, runStart..<index)
                self.out.append(contentsOf: "\\u202".utf8)
                self.out.append(text[index + 2] == 0xA8 ? UInt8(ascii: "8") : UInt8(ascii: "9"))
                index += 3
                runStart = index
            } else {
                index += width
            }
        }
        self.appendRun(text, runStart..<index)
        self.out.append(UInt8(ascii: "\""))
    }

    private mutating func appendRun(_ text: borrowing Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        unsafe text.extracting(range).withUnsafeBufferPointer {
            unsafe self.out.append(contentsOf: $0)
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        self.out.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): self.out.append(byte)
        case 0x08: self.out.append(UInt8(ascii: "b"))
        case 0x0C: self.out.append(UInt8(ascii: "f"))
        case 0x0A: self.out.append(UInt8(ascii: "n"))
        case 0x0D: self.out.append(UInt8(ascii: "r"))
        case 0x09: self.out.append(UInt8(ascii: "t"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            self.out.append(contentsOf: "u00".utf8)
            self.out.append(digits[Int(byte >> 4)])
            self.out.append(digits[Int(byte & 15)])
        }
    }
}

@inline(__always)
private func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "&")
}

/// The bytes of the UTF-8 sequence at `index`, or zero when there is none. The byte is not ASCII.
func scalarWidth(_ text: borrowing Span<UInt8>, at index: Int) -> Int {
    let first = text[index]
    let left = text.count - index
    func isTrailing(_ text: borrowing Span<UInt8>, _ offset: Int) -> Bool {
        text[index + offset] & 0xC0 == 0x80
    }
    switch first {
    case 0xC2...0xDF:
        return left >= 2 && isTrailing(text, 1) ? 2 : 0
    case 0xE0...0xEF:
        guard left >= 3, isTrailing(text, 1), isTrailing(text, 2) else { return 0 }
        let second = text[index + 1]
        if first == 0xE0 && second < 0xA0 || first == 0xED && second > 0x9F {
            return 0
        }
        return 3
    case 0xF0...0xF4:
        guard left >= 4, isTrailing(text, 1), isTrailing(text, 2), isTrailing(text, 3) else {
            return 0
        }
        let second = text[index + 1]
        if first == 0xF0 && second < 0x90 || first == 0xF4 && second > 0x8F {
            return 0
        }
        return 4
    default:
        return 0
    }
}
