// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

extension AddressRange {
    /// The address and prefix of `10.0.0.0/8` or `fd00::/8`; nil for anything else.
    static func parse(_ text: String) -> (address: [UInt8], prefix: Int)? {
        guard let slash = text.lastIndex(of: "/"),
            let prefix = Int(text[text.index(after: slash)...]), prefix >= 0
        else { return nil }
        let host = String(text[..<slash])
        let isIPv6 = host.utf8.contains(UInt8(ascii: ":"))
        var address = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        let family = isIPv6 ? AF_INET6 : AF_INET
        guard prefix <= address.count * 8, inet_pton(family, host, &address) == 1 else {
            return nil
        }
        return (address, prefix)
    }

    static func format(_ address: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = address.count == 16 ? AF_INET6 : AF_INET
        guard inet_ntop(family, address, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
