// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Scalars, in the styles that goyaml chooses.
extension Emitter {
    mutating func writeScalar(
        _ node: Node,
        of document: Document
    ) throws(YAMLError) {
        switch node.value {
        case .null, .unresolved: self.writeWord("null")
        case .boolean: self.writeWord(node.bits != 0 ? "true" : "false")
        case .integer: self.writeWord(String(Int64(bitPattern: node.bits)))
        case .unsigned: self.writeWord(String(node.bits))
        case .float: self.writeWord(goFloatText(Double(bitPattern: node.bits)))
        case .string, .binary:
            let text = document.text.span.extracting(node.textRange)
            try self.writeString(text, ScalarAnalysis(text), isSimpleKey: false)
        }
    }

    private mutating func writeWord(_ word: String) {
        if !self.isAfterSpace {
            self.put(UInt8(ascii: " "))
        }
        for byte in word.utf8 {
            self.put(byte)
        }
        self.isAfterSpace = false
        self.isIndentation = false
    }

    /// Writes ASCII text without spaces.
    private mutating func writeWord(_ text: borrowing Span<UInt8>) {
        if !self.isAfterSpace {
            self.put(UInt8(ascii: " "))
        }
        unsafe text.withUnsafeBufferPointer { unsafe self.out.append(contentsOf: $0) }
        self.column += text.count
        self.isAfterSpace = false
        self.isIndentation = false
    }

    /// Writes a string in the style that goyaml chooses: literal when it has line feeds, plain when
    /// it then is read as the same string, double-quoted when it would be read as something else.
    mutating func writeString(
        _ text: borrowing Span<UInt8>,
        _ analysis: ScalarAnalysis,
        isSimpleKey: Bool
    ) throws(YAMLError) {
        // Indentation of folded lines is on top of this: at most some bytes for each.
        guard self.out.count + text.count <= self.maximumBytes else {
            throw .limit(.outputBytes, maximum: self.maximumBytes)
        }
        let outerIndent = self.indent
        self.indent = self.indent < 0 ? Emitter.indentStep : self.indent + Emitter.indentStep
        defer { self.indent = outerIndent }
        if analysis.hasLineFeed {
            if analysis.isBlockAllowed, !isSimpleKey {
                self.writeLiteral(text)
            } else {
                self.writeDoubleQuoted(text, mayFold: !isSimpleKey)
            }
        } else if !mayBePlain(text) || isSimpleKey && analysis.isMultiline {
            self.writeDoubleQuoted(text, mayFold: !isSimpleKey)
        } else if analysis.isWord {
            self.writeWord(text)
        } else if analysis.isPlainAllowed {
            self.writePlain(text, mayFold: !isSimpleKey)
        } else if analysis.isSingleQuotedAllowed {
            self.writeSingleQuoted(text, mayFold: !isSimpleKey)
        } else {
            self.writeDoubleQuoted(text, mayFold: !isSimpleKey)
        }
        guard self.out.count <= self.maximumBytes else {
            throw .limit(.outputBytes, maximum: self.maximumBytes)
        }
    }

    private mutating func writePlain(_ text: borrowing Span<UInt8>, mayFold: Bool) {
        if !self.isAfterSpace {
            self.put(UInt8(ascii: " "))
        }
        var isAfterSpaces = false
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: " ") {
                if mayFold, !isAfterSpaces, self.column > Emitter.bestWidth,
                    !isSpace(text, at: index + 1)
                {
                    self.writeIndent()
                    index += 1
                } else {
                    self.copy(text, &index)
                }
                isAfterSpaces = true
            } else {
                self.copy(text, &index)
                self.isIndentation = false
                isAfterSpaces = false
            }
        }
        self.isAfterSpace = false
        self.isIndentation = false
    }

    private mutating func writeSingleQuoted(_ text: borrowing Span<UInt8>, mayFold: Bool) {
        self.writeIndicator(UInt8(ascii: "'"), needsSpace: true, isIndentation: false)
        var isAfterSpaces = false
        var isAfterBreaks = false
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: " ") {
                if mayFold, !isAfterSpaces, self.column > Emitter.bestWidth, index > 0,
                    index < text.count - 1, !isSpace(text, at: index + 1)
                {
                    self.writeIndent()
                    index += 1
                } else {
                    self.copy(text, &index)
                }
                isAfterSpaces = true
            } else if CharacterClass(text, at: index).isBreak {
                // Never a line feed: a text with one is a literal or double-quoted.
                self.copyBreak(text, &index)
                self.isIndentation = true
                isAfterBreaks = true
            } else {
                if isAfterBreaks {
                    self.writeIndent()
                }
                if byte == UInt8(ascii: "'") {
                    self.put(byte)
                }
                self.copy(text, &index)
                self.isIndentation = false
                isAfterSpaces = false
                isAfterBreaks = false
            }
        }
        self.writeIndicator(UInt8(ascii: "'"), needsSpace: false, isIndentation: false)
        self.isAfterSpace = false
        self.isIndentation = false
    }

    private mutating func writeDoubleQuoted(_ text: borrowing Span<UInt8>, mayFold: Bool) {
        self.writeIndicator(UInt8(ascii: "\""), needsSpace: true, isIndentation: false)
        // goyaml looks for a byte order mark at the start of the text each time: when there is one, it
        // escapes all that follows.
        let startsWithMark =
            text.count >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF
        var isAfterSpaces = false
        var index = 0
        while index < text.count {
            let byte = text[index]
            let character = CharacterClass(text, at: index)
            if !character.isPrintable || startsWithMark || character.isBreak
                || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            {
                self.writeEscape(scalar(text, at: index, width: character.width))
                index += character.width
                isAfterSpaces = false
            } else if byte == UInt8(ascii: " ") {
                if mayFold, !isAfterSpaces, self.column > Emitter.bestWidth, index > 0,
                    index < text.count - 1
                {
                    self.writeIndent()
                    if isSpace(text, at: index + 1) {
                        self.put(UInt8(ascii: "\\"))
                    }
                    index += 1
                } else {
                    self.copy(text, &index)
                }
                isAfterSpaces = true
            } else {
                self.copy(text, &index)
                isAfterSpaces = false
            }
        }
        self.writeIndicator(UInt8(ascii: "\""), needsSpace: false, isIndentation: false)
        self.isAfterSpace = false
        self.isIndentation = false
    }

    private mutating func writeEscape(_ scalar: UInt32) {
        self.put(UInt8(ascii: "\\"))
        let letter: Unicode.Scalar
        switch scalar {
        case 0x00: letter = "0"
        case 0x07: letter = "a"
        case 0x08: letter = "b"
        case 0x09: letter = "t"
        case 0x0A: letter = "n"
        case 0x0B: letter = "v"
        case 0x0C: letter = "f"
        case 0x0D: letter = "r"
        case 0x1B: letter = "e"
        case 0x22: letter = "\""
        case 0x5C: letter = "\\"
        case 0x85: letter = "N"
        case 0xA0: letter = "_"
        case 0x2028: letter = "L"
        case 0x2029: letter = "P"
        default:
            let digits = scalar <= 0xFF ? 2 : scalar <= 0xFFFF ? 4 : 8
            self.put(
                digits == 2
                    ? UInt8(ascii: "x") : digits == 4 ? UInt8(ascii: "u") : UInt8(ascii: "U")
            )
            for position in (0..<digits).reversed() {
                let digit = UInt8(truncatingIfNeeded: scalar >> UInt32(position * 4) & 15)
                self.put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
            }
            return
        }
        self.put(UInt8(ascii: letter))
    }

    private mutating func writeLiteral(_ text: borrowing Span<UInt8>) {
        self.writeIndicator(UInt8(ascii: "|"), needsSpace: true, isIndentation: false)
        // A hint for the indentation where the first line would mislead, then one for the end.
        if text[0] == UInt8(ascii: " ") || CharacterClass(text, at: 0).isBreak {
            self.put(UInt8(ascii: "0") + UInt8(Emitter.indentStep))
        }
        let last = lastCharacter(of: text, before: text.count)
        if !CharacterClass(text, at: last).isBreak {
            self.put(UInt8(ascii: "-"))
        } else if last == 0
            || CharacterClass(text, at: lastCharacter(of: text, before: last)).isBreak
        {
            self.put(UInt8(ascii: "+"))
        }
        self.putLineFeed()
        self.isIndentation = true
        self.isAfterSpace = true
        var isAfterBreaks = true
        var index = 0
        while index < text.count {
            if CharacterClass(text, at: index).isBreak {
                self.copyBreak(text, &index)
                self.isIndentation = true
                isAfterBreaks = true
            } else {
                if isAfterBreaks {
                    self.writeIndent()
                }
                self.copy(text, &index)
                self.isIndentation = false
                isAfterBreaks = false
            }
        }
    }
}

/// Whether goyaml lets a string go without quotes as far as its meaning is concerned.
private func mayBePlain(_ text: borrowing Span<UInt8>) -> Bool {
    let resolution = ScalarResolution(resolving: text)
    return resolution == .string && !isSexagesimal(text)
}

private func isSpace(_ text: borrowing Span<UInt8>, at index: Int) -> Bool {
    index < text.count && text[index] == UInt8(ascii: " ")
}

/// Where the character before `end` starts.
private func lastCharacter(of text: borrowing Span<UInt8>, before end: Int) -> Int {
    var index = end - 1
    while index > 0, text[index] & 0xC0 == 0x80 {
        index -= 1
    }
    return index
}

/// The code point of a character of valid UTF-8.
private func scalar(_ text: borrowing Span<UInt8>, at index: Int, width: Int) -> UInt32 {
    let first = UInt32(text[index])
    guard width > 1 else { return first }
    var value = first & (width == 2 ? 0x1F : width == 3 ? 0x0F : 0x07)
    for offset in 1..<width {
        value = value << 6 | UInt32(text[index + offset]) & 0x3F
    }
    return value
}
