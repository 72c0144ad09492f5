// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Crypto

/// Tags of documents that clients keep.
enum ContentHash {
    /// The ETag of a document: its SHA-512 in upper-case hexadecimal, in quotes.
    static func tag(_ bytes: [UInt8]) -> String {
        var text = "\""
        for byte in SHA512.hash(data: bytes) {
            let digits = String(byte, radix: 16, uppercase: true)
            text += digits.count == 1 ? "0" + digits : digits
        }
        return text + "\""
    }
}
