// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars

/// Times of log lines.
enum LogTime {
    /// Nanoseconds since 1970 of an RFC 3339 time; nil when the text is none.
    static func nanoseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let parsed = bytes.withUnsafeBytes { try? Timestamp(parsing: $0, as: .nanoseconds) }
        guard let time = parsed else { return nil }
        return time.seconds &* 1_000_000_000 &+ Int64(time.nanoseconds)
    }

    /// The time with nine digits after the point, as upstream shows it; runtimes leave zeros out.
    static func fixed(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard let clock = text.firstIndex(of: UInt8(ascii: "T")) else { return Array(text) }
        let signs = [UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-")]
        let zone = text[clock...].firstIndex { signs.contains($0) } ?? text.endIndex
        let point = text[clock..<zone].firstIndex(of: UInt8(ascii: "."))
        let digits = point.map { Array(text[text.index(after: $0)..<zone]) } ?? []
        guard digits.count < 9 else { return Array(text) }
        var result = Array(text[..<(point ?? zone)])
        result.append(UInt8(ascii: "."))
        result += digits
        result += [UInt8](repeating: UInt8(ascii: "0"), count: 9 - digits.count)
        result += text[zone...]
        return result
    }
}
