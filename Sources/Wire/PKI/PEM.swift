// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes

/// PEM, the text form of keys and certificates (RFC 7468).
///
/// Read as Go's `encoding/pem` and OpenSSL do: text outside the blocks is ignored. A block that is
/// begun must be whole. Encrypted keys (RFC 1421 headers) are refused.
public enum PEM {
    /// Largest text that is read.
    public static let maximumTextBytes = 4 << 20
    /// Most blocks in one text; a bundle of all public CAs has about 150.
    public static let maximumBlocks = 4_096
    /// Longest label.
    static let maximumLabelBytes = 64
    /// Characters of base 64 on a line (RFC 7468 section 2).
    static let lineCharacters = 64

    /// One block: what stands between its BEGIN and END lines.
    public struct Block: Hashable, Sendable {
        /// The label, such as `CERTIFICATE`.
        public var label: String
        /// The decoded content, DER in all uses here.
        public var content: [UInt8]
        /// Where the block's BEGIN line starts in the text, in bytes.
        public var offset: Int

        /// A block with this label and content.
        public init(label: String, content: [UInt8], offset: Int = 0) {
            self.label = label
            self.content = content
            self.offset = offset
        }
    }

    /// What is wrong with a PEM text.
    public enum Problem: Hashable, Sendable {
        /// A BEGIN line that is not finished by five dashes, or whose label is empty or too long.
        case beginLine
        /// The text is over before the END line.
        case noEndLine
        /// The END line's label is another than the BEGIN line's.
        case endLabel
        /// Neither base 64 nor white space.
        case base64
        /// RFC 1421 headers: the content is encrypted.
        case encrypted
        /// More than `maximumBlocks`.
        case tooManyBlocks
    }
}

// MARK: - Writing

extension PEM {
    /// The text of one block, with a line feed at its end.
    public static func encode(label: String, content: some Collection<UInt8>) -> String {
        let base64 = Base64.encode(content)
        var text = "-----BEGIN \(label)-----\n"
        text.reserveCapacity(base64.utf8.count * 66 / 64 + 2 * label.utf8.count + 40)
        var rest = base64[...]
        while !rest.isEmpty {
            text += rest.prefix(self.lineCharacters)
            text += "\n"
            rest = rest.dropFirst(self.lineCharacters)
        }
        text += "-----END \(label)-----\n"
        return text
    }
}

// MARK: - Reading

extension PEM {
    /// All blocks of `text` in order; none when there is no BEGIN line.
    ///
    /// - Throws: `malformedPEM` with the offset of the first thing that is wrong, or `tooLarge`.
    public static func parse(_ text: some Collection<UInt8>) throws(PKIError) -> [Block] {
        guard text.count <= self.maximumTextBytes else {
            throw .tooLarge(bytes: text.count, limit: self.maximumTextBytes)
        }
        var parser = Parser(text: [UInt8](text))
        var blocks: [Block] = []
        while let block = try parser.nextBlock() {
            guard blocks.count < self.maximumBlocks else {
                throw .malformedPEM(.tooManyBlocks, offset: block.offset)
            }
            blocks.append(block)
        }
        return blocks
    }

    /// All blocks of `text` in order.
    public static func parse(_ text: String) throws(PKIError) -> [Block] {
        try self.parse(text.utf8)
    }

    private struct Parser {
        let text: [UInt8]
        var position = 0

        private static let begin = [UInt8]("-----BEGIN ".utf8)
        private static let end = [UInt8]("-----END ".utf8)
        private static let dashes = [UInt8]("-----".utf8)

        /// The next block, or nil when no line begins one any more.
        mutating func nextBlock() throws(PKIError) -> Block? {
            while self.position < self.text.count {
                let line = self.position
                if self.skip(Parser.begin) {
                    return try self.block(from: line)
                }
                self.skipLine()
            }
            return nil
        }

        /// The block whose BEGIN line starts at `start`; the position is behind "BEGIN ".
        private mutating func block(from start: Int) throws(PKIError) -> Block {
            guard let label = self.label() else {
                throw .malformedPEM(.beginLine, offset: start)
            }
            let contentStart = self.position
            while self.position < self.text.count, self.text[self.position] != UInt8(ascii: "-") {
                if self.text[self.position] == UInt8(ascii: ":") {
                    throw .malformedPEM(.encrypted, offset: self.position)
                }
                self.position += 1
            }
            let contentEnd = self.position
            guard self.position < self.text.count else {
                throw .malformedPEM(.noEndLine, offset: self.position)
            }
            guard self.skip(Parser.end) else {
                // RFC 1421 headers have dashes in their names: DEK-Info, Proc-Type.
                let line = self.text[contentEnd...].prefix { $0 != UInt8(ascii: "\n") }
                let encrypted = line.contains(UInt8(ascii: ":"))
                throw .malformedPEM(encrypted ? .encrypted : .noEndLine, offset: contentEnd)
            }
            guard self.label() == label else {
                throw .malformedPEM(.endLabel, offset: contentEnd)
            }
            return Block(
                label: label,
                content: try self.decode(contentStart..<contentEnd),
                offset: start
            )
        }

        /// The label up to the five dashes that finish its line, the rest of which may be white.
        private mutating func label() -> String? {
            let start = self.position
            let limit = min(self.text.count, start + PEM.maximumLabelBytes + 1)
            var end = start
            while end < limit, self.isLabelByte(end) { end += 1 }
            guard end > start, end < limit else { return nil }
            self.position = end
            guard self.skip(Parser.dashes) else { return nil }
            while self.position < self.text.count {
                let byte = self.text[self.position]
                if byte == UInt8(ascii: "\n") {
                    self.position += 1
                    break
                }
                guard Parser.isWhite(byte) else { return nil }
                self.position += 1
            }
            return String(decoding: self.text[start..<end], as: UTF8.self)
        }

        /// Printable ASCII but the dash that may begin the finishing five.
        private func isLabelByte(_ offset: Int) -> Bool {
            let byte = self.text[offset]
            return byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "-")
        }

        private func decode(_ range: Range<Int>) throws(PKIError) -> [UInt8] {
            // The decoder knows line feeds; spaces and tabs are ours to leave out.
            var compact: [UInt8] = []
            compact.reserveCapacity(range.count)
            for byte in self.text[range] where !Parser.isWhite(byte) { compact.append(byte) }
            do throws(Base64.Failure) {
                return try Base64.decode(compact)
            } catch {
                throw .malformedPEM(.base64, offset: self.offset(of: error, in: range))
            }
        }

        /// Where in the text the decoder stopped.
        private func offset(of failure: Base64.Failure, in range: Range<Int>) -> Int {
            guard case .invalidByte(let offset) = failure else { return range.upperBound }
            var seen = -1
            for position in range where !Parser.isWhite(self.text[position]) {
                seen += 1
                if seen == offset { return position }
            }
            return range.upperBound
        }

        private mutating func skip(_ prefix: [UInt8]) -> Bool {
            guard self.text[self.position...].starts(with: prefix) else { return false }
            self.position += prefix.count
            return true
        }

        private mutating func skipLine() {
            let rest = self.text[self.position...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? self.text.count - 1
            self.position = end + 1
        }

        private static func isWhite(_ byte: UInt8) -> Bool {
            byte == 0x20 || (0x09...0x0D).contains(byte)
        }
    }
}

extension Base64 {
    /// Decodes `text`; `Array` has no `withUnsafeBytes` that keeps the error's type.
    static func decode(_ text: [UInt8]) throws(Failure) -> [UInt8] {
        let result: Result<[UInt8], Failure> = text.withUnsafeBytes { bytes in
            do throws(Failure) {
                return .success(try self.decode(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
