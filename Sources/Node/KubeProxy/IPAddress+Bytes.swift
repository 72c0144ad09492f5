// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules

extension IPAddress {
    /// Four or sixteen bytes in network order.
    var bytes: [UInt8] {
        if self.isIPv4 {
            return withUnsafeBytes(of: UInt32(self.low & 0xFFFF_FFFF).bigEndian) { Array($0) }
        }
        return withUnsafeBytes(of: self.high.bigEndian) { Array($0) }
            + withUnsafeBytes(of: self.low.bigEndian) { Array($0) }
    }

    init?(bytes: [UInt8]) {
        func number(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: self.init(ipv4: UInt32(number(bytes[...])))
        case 16: self.init(ipv6High: number(bytes[..<8]), low: number(bytes[8...]))
        default: return nil
        }
    }
}
