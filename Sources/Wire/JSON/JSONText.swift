// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// JSON text for people.
public enum JSONText {
    /// The value in `text` on several lines, as Go's `json.Indent` lays it out: a line for each item
    /// and entry, `step` spaces more for each level, empty lists and objects on one line.
    ///
    /// Upstream answers `?pretty=true` with two spaces; kubectl prints four.
    public static func indented(
        _ text: UnsafeRawBufferPointer,
        by step: Int
    ) throws(JSONError) -> [UInt8] {
        var compact = JSONWriter(capacity: text.count)
        try compact.append(compacting: text)
        var lines = JSONWriter(capacity: text.count * 2)
        compact.withUnsafeBytes { self.indent($0, by: step, to: &lines) }
        return lines.bytes
    }

    private static func indent(
        _ text: UnsafeRawBufferPointer,
        by step: Int,
        to lines: inout JSONWriter
    ) {
        func newLine(_ depth: Int) {
            lines.append(UInt8(ascii: "\n"))
            for _ in 0..<depth * step { lines.append(UInt8(ascii: " ")) }
        }
        var depth = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                lines.append(byte)
                let next = text[index + 1]
                if next == byte + 2 {
                    lines.append(next)
                    index += 1
                } else {
                    depth += 1
                    newLine(depth)
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                newLine(depth)
                lines.append(byte)
            case UInt8(ascii: ","):
                lines.append(byte)
                newLine(depth)
            case UInt8(ascii: ":"):
                lines.append(raw: ": ")
            case UInt8(ascii: "\""):
                let end = self.stringEnd(text, index + 1)
                lines.append(raw: UnsafeRawBufferPointer(rebasing: text[index..<end]))
                index = end - 1
            default:
                lines.append(byte)
            }
            index += 1
        }
    }

    /// The index behind the quote that ends the string whose content begins at `start`.
    static func stringEnd(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var index = start
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") { return index + 1 }
            index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return text.count
    }
}
