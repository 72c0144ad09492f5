// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Puts line breaks and two spaces a level into compact JSON, as Go's `json.Indent` does.
enum JSONIndenter {
    static func indent(_ json: some Sequence<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var depth = 0
        var isInString = false
        var isEscaped = false
        var opens = false
        func newLine() {
            out.append(UInt8(ascii: "\n"))
            for _ in 0..<depth { out += [0x20, 0x20] }
        }
        for byte in json {
            if isInString {
                out.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            let closes = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            if opens, !closes {
                depth += 1
                newLine()
            }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                out.append(byte)
                opens = true
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if !opens {
                    depth -= 1
                    newLine()
                }
                out.append(byte)
            case UInt8(ascii: ","):
                out.append(byte)
                newLine()
            case UInt8(ascii: ":"):
                out += [byte, 0x20]
            case UInt8(ascii: "\""):
                isInString = true
                out.append(byte)
            case UInt8(ascii: "\n"), UInt8(ascii: " "): break
            default:
                out.append(byte)
            }
            opens = false
        }
        return out
    }
}
