// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages
import Glibc

/// Addresses as text and as bytes.
enum AddressBytes {
    /// The record's data for an address; nil when it is none.
    static func data(of text: String) -> DNSRecord.Data? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return .a(Array(bytes.prefix(4))) }
        if inet_pton(AF_INET6, text, &bytes) == 1 { return .aaaa(bytes) }
        return nil
    }

    /// The text of four or sixteen bytes.
    static func text(of bytes: [UInt8]) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard bytes.count == 4 || bytes.count == 16,
            inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil
        else { return nil }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }
}

/// Names that stand for addresses (RFC 1035 section 3.5, RFC 3596 section 2.5).
enum ReverseName {
    /// The address of `7.0.244.10.in-addr.arpa` and the like; nil for other names.
    static func address(of name: DNSName) -> String? {
        let labels = name.labels
        if labels.suffix(2).elementsEqual(["in-addr", "arpa"]), labels.count == 6 {
            let bytes = labels.prefix(4).reversed().compactMap { UInt8($0) }
            return bytes.count == 4 ? AddressBytes.text(of: bytes) : nil
        }
        if labels.suffix(2).elementsEqual(["ip6", "arpa"]), labels.count == 34 {
            let digits = labels.prefix(32).reversed().compactMap { label in
                label.utf8.count == 1 ? UInt8(label, radix: 16) : nil
            }
            guard digits.count == 32 else { return nil }
            return AddressBytes.text(
                of: stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
            )
        }
        return nil
    }
}
