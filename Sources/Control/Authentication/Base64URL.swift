// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes

/// The base64 of tokens: URL-safe and without padding. Source: RFC 7515 section 2.
package enum Base64URL {
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        for character in Base64.encode(bytes).unicodeScalars {
            switch character {
            case "+": text.unicodeScalars.append("-")
            case "/": text.unicodeScalars.append("_")
            case "=": break
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    /// The bytes; nil when the text is none, ends in spare bits that are not zero, or is padded.
    static func decode(_ text: Substring) -> [UInt8]? {
        var standard: [UInt8] = []
        standard.reserveCapacity(text.utf8.count + 3)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): standard.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): standard.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: standard.append(byte)
            }
        }
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        guard let bytes = standard.withUnsafeBytes({ try? Base64.decode($0) }),
            self.encode(bytes) == text
        else { return nil }
        return bytes
    }
}
