// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON

extension ContinueToken {
    /// The longest token that is read, in bytes.
    static let maximumBytes = 16 << 10

    /// Reads a token; nil when it is none of ours.
    init?(parsing text: String) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        var base64 = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while base64.count % 4 != 0 { base64.append(UInt8(ascii: "=")) }
        guard let json = try? base64.withUnsafeBytes({ try Base64.decode($0) }),
            let tree = try? DynamicValue(json: json),
            tree["v"]?.string == "meta.k8s.io/v1",
            let revision = tree["rv"]?.integer, revision != 0, revision >= -1,
            let start = tree["start"]?.string, !start.isEmpty,
            !start.split(separator: "/").contains("..")
        else { return nil }
        self.revision = revision
        self.start = Array(start.utf8)
    }
}
