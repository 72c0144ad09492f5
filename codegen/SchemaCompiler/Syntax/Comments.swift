// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The comments that stand between two tokens, sorted by what they belong to.
///
/// The rules are those of protoc, so that documentation reads the same from either compiler
/// (google/protobuf/descriptor.proto, `SourceCodeInfo.Location`): a comment behind a declaration
/// on its line is trailing; a comment block right above the next declaration is leading; a block
/// right below the previous one and followed by a blank line is trailing too; others are detached.
struct Comments {
    var trailing = ""
    var detached: [String] = []
    var leading = ""

    private struct Collector {
        var comments = Comments()
        var canAttachToPrevious: Bool
        var hasTrailing = false
        var flushed = 0
        var buffer: String?
        var isLineComment = false

        mutating func add(_ text: String, isLine: Bool) {
            if isLine, self.isLineComment, let buffer = self.buffer {
                self.buffer = buffer + text
                return
            }
            self.flush()
            self.buffer = text
            self.isLineComment = isLine
        }

        mutating func flush() {
            guard let buffer = self.buffer else { return }
            if self.canAttachToPrevious {
                self.comments.trailing += buffer
                self.hasTrailing = true
                self.canAttachToPrevious = false
            } else {
                self.comments.detached.append(buffer)
            }
            self.buffer = nil
            self.flushed += 1
        }

        /// A single comment between two declarations on one line belongs to neither.
        mutating func detachSingle() {
            guard self.flushed + (self.buffer == nil ? 0 : 1) == 1 else { return }
            if self.hasTrailing {
                self.comments.detached.insert(self.comments.trailing, at: 0)
                self.comments.trailing = ""
            }
            self.flush()
        }
    }

    /// Sorts the comments in `gap`, the bytes between two tokens.
    ///
    /// - Parameters:
    ///   - gap: blanks and comments only.
    ///   - isFileStart: whether nothing stands before the gap.
    ///   - next: the first byte of the token behind the gap; nil at the end of the file.
    static func between(_ gap: ArraySlice<UInt8>, isFileStart: Bool, next: UInt8?) -> Comments {
        var scanner = GapScanner(rest: gap)
        var collector = Collector(canAttachToPrevious: !isFileStart)
        var trailingEndLine: Int?
        if !isFileStart {
            scanner.skipBlanks()
            switch scanner.comment() {
            case .line(let text):
                trailingEndLine = scanner.line - 1
                collector.add(text, isLine: true)
                collector.flush()
            case .block(let text):
                trailingEndLine = scanner.line
                scanner.skipBlanks()
                _ = scanner.skipNewline()
                collector.add(text, isLine: false)
                collector.flush()
            case nil:
                if !scanner.skipNewline() { return Comments() }
            }
        }
        while true {
            scanner.skipBlanks()
            switch scanner.comment() {
            case .line(let text):
                collector.add(text, isLine: true)
            case .block(let text):
                collector.add(text, isLine: false)
                scanner.skipBlanks()
                _ = scanner.skipNewline()
            case nil:
                if scanner.skipNewline() {
                    collector.flush()
                    collector.canAttachToPrevious = false
                    continue
                }
                if scanner.line == 0 || scanner.line == trailingEndLine {
                    collector.detachSingle()
                }
                switch next {
                case nil, UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"):
                    // At the end of a scope there is nothing that a comment could lead.
                    collector.flush()
                default:
                    break
                }
                collector.comments.leading = collector.buffer ?? ""
                return collector.comments
            }
        }
    }
}

/// Walks over blanks and comments.
private struct GapScanner {
    enum Comment {
        case line(String)
        case block(String)
    }

    var rest: ArraySlice<UInt8>
    /// Newlines passed.
    var line = 0

    mutating func skipBlanks() {
        while let byte = self.rest.first, CharacterClass.isBlank(byte) { self.rest.removeFirst() }
    }

    mutating func skipNewline() -> Bool {
        guard self.rest.first == UInt8(ascii: "\n") else { return false }
        self.rest.removeFirst()
        self.line += 1
        return true
    }

    /// The comment that starts here, without its markers; a line comment with its newline.
    mutating func comment() -> Comment? {
        if self.rest.starts(with: [UInt8(ascii: "/"), UInt8(ascii: "/")]) {
            self.rest.removeFirst(2)
            let text = self.rest.prefix { $0 != UInt8(ascii: "\n") }
            self.rest.removeFirst(text.count)
            let hasNewline = self.skipNewline()
            return .line(String(decoding: text, as: UTF8.self) + (hasNewline ? "\n" : ""))
        }
        guard self.rest.starts(with: [UInt8(ascii: "/"), UInt8(ascii: "*")]) else { return nil }
        self.rest.removeFirst(2)
        var text: [UInt8] = []
        while let byte = self.rest.popFirst() {
            if byte == UInt8(ascii: "*"), self.rest.first == UInt8(ascii: "/") {
                self.rest.removeFirst()
                break
            }
            text.append(byte)
            guard byte == UInt8(ascii: "\n") else { continue }
            self.line += 1
            // The margin of stars is not part of the text.
            self.skipBlanks()
            if self.rest.first == UInt8(ascii: "*") {
                self.rest.removeFirst()
                if self.rest.first == UInt8(ascii: "/") {
                    self.rest.removeFirst()
                    break
                }
            }
        }
        return .block(String(decoding: text, as: UTF8.self))
    }
}
