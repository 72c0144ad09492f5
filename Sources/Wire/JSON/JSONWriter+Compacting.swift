// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension JSONWriter {
    /// Appends a JSON value without insignificant white space, checking it.
    public mutating func append(compacting text: UnsafeRawBufferPointer) throws(JSONError) {
        var scanner = JSONScanner(text)
        _ = try scanner.skipValue(depth: 0, limit: JSONLimits.defaultDepth)
        try scanner.finish()
        if let start = text.baseAddress, Self.isCompact(text) {
            self.append(start, count: text.count)
            return
        }
        self.reserve(text.count + 8)
        var index = 0
        var isInString = false
        while index < text.count {
            let byte = text[index]
            if isInString {
                let end = JSONText.stringEnd(text, index)
                self.appendRawString(UnsafeRawBufferPointer(rebasing: text[index..<end]))
                index = end
                isInString = false
                continue
            }
            index += 1
            if byte <= 0x20 { continue }
            self.append(byte)
            if byte == UInt8(ascii: "\"") { isInString = true }
        }
    }

    /// Whether nothing of a checked text can have to be changed: it has no byte that might be white
    /// space between values, none that HTML gives a meaning, and is ASCII. What this program itself
    /// has stored is of this kind.
    private static func isCompact(_ text: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if JSONBytes.mayChangeInText(word) { return false }
            index += 8
        }
        return text[index...].allSatisfy { byte in
            byte > 0x20 && byte < 0x80 && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
                && byte != UInt8(ascii: "&")
        }
    }

    /// Appends string content that is escaped already, escaping what HTML gives a meaning.
    private mutating func appendRawString(_ text: UnsafeRawBufferPointer) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "<"): self.append(raw: "\\u003c")
            case UInt8(ascii: ">"): self.append(raw: "\\u003e")
            case UInt8(ascii: "&"): self.append(raw: "\\u0026")
            case 0xE2 where Self.isSeparator(text, index):
                self.append(raw: text[index + 2] == 0xA8 ? "\\u2028" : "\\u2029")
                index += 2
            default: self.append(byte)
            }
            index += 1
        }
    }

    private static func isSeparator(_ text: UnsafeRawBufferPointer, _ index: Int) -> Bool {
        index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8
    }
}
