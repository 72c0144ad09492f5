// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension UInt8 {
    /// Whether the byte is one of `0` to `9`.
    @inline(__always)
    var isDigit: Bool {
        self &- UInt8(ascii: "0") < 10
    }

    /// The number that a decimal digit stands for. Only meaningful when `isDigit`.
    @inline(__always)
    var digitValue: UInt64 {
        UInt64(self &- UInt8(ascii: "0"))
    }
}

/// Quotes text as the error messages of Go's `time` package do: bytes outside of printable ASCII as
/// `\xNN`, quote and backslash with a backslash.
///
/// Messages quote what a client sent, so text beyond `quotedTextLimit` bytes is cut and marked
/// with dots: an error never grows with the size of a request.
func goQuoted(_ text: borrowing Span<UInt8>) -> String {
    let hexDigits: StaticString = "0123456789abcdef"
    var out: [UInt8] = [UInt8(ascii: "\"")]
    for index in 0..<min(text.count, quotedTextLimit) {
        let byte = text[index]
        if byte >= 0x80 || byte < 0x20 {
            out.append(UInt8(ascii: "\\"))
            out.append(UInt8(ascii: "x"))
            unsafe out.append(hexDigits.utf8Start[Int(byte >> 4)])
            unsafe out.append(hexDigits.utf8Start[Int(byte & 15)])
        } else {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                out.append(UInt8(ascii: "\\"))
            }
            out.append(byte)
        }
    }
    if text.count > quotedTextLimit {
        out.append(contentsOf: "...".utf8)
    }
    out.append(UInt8(ascii: "\""))
    return String(decoding: out, as: UTF8.self)
}

/// The most bytes of a client's text that an error message repeats.
let quotedTextLimit = 1024
