// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension IPAddress: CustomStringConvertible {
    /// The canonical text (RFC 5952), as Go's `net.IP` writes it: a mapped address shows as version
    /// 4.
    public var description: String {
        if let bits = self.ipv4Bits {
            return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        }
        var groups: [UInt16] = []
        groups.reserveCapacity(8)
        for part in [self.high, self.low] {
            for shift in [48, 32, 16, 0] {
                groups.append(UInt16(truncatingIfNeeded: part >> UInt64(shift)))
            }
        }
        let run = Self.longestZeroRun(groups)
        func text(_ part: some Sequence<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if run.count < 2 { return text(groups) }
        return text(groups[..<run.lowerBound]) + "::" + text(groups[run.upperBound...])
    }

    /// The longest run of zero groups, the first of several.
    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0...groups.count {
            if index < groups.count, groups[index] == 0 { continue }
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        return best
    }
}
