// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Scalars

/// The texts of `google.protobuf.Timestamp` and `Duration`.
enum ProtobufTime {
    /// How many `Any` may stand in each other.
    static let maximumAnyDepth = 32

    /// The years 1 to 9999.
    private static let seconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
    /// 10,000 years.
    private static let longestSeconds: Int64 = 315_576_000_000
    private static let nanosecondsPerSecond: Int32 = 1_000_000_000

    /// `1972-01-01T10:00:20.021Z`, with 0, 3, 6 or 9 digits; nil when it is out of range.
    static func text(seconds: Int64, nanoseconds: Int32) -> String? {
        guard self.seconds.contains(seconds), (0..<self.nanosecondsPerSecond).contains(nanoseconds)
        else { return nil }
        let whole = Timestamp(seconds: seconds).text(as: .time)
        return "\(whole.dropLast())\(self.fraction(nanoseconds))Z"
    }

    /// Reads what ``text(seconds:nanoseconds:)`` writes, and other offsets than `Z`.
    static func parse(_ text: String) -> (seconds: Int64, nanoseconds: Int32)? {
        let bytes = Array(text.utf8)
        // Go's parser, used below, also takes a comma for the point and hours of one digit.
        guard bytes.count >= 20, bytes[13] == UInt8(ascii: ":"),
            !bytes.contains(UInt8(ascii: ",")),
            let time = try? Timestamp(parsing: text, as: .nanoseconds),
            self.seconds.contains(time.seconds)
        else { return nil }
        let digits = bytes.dropFirst(20).prefix { (0x30...0x39).contains($0) }.count
        guard bytes[19] != UInt8(ascii: ".") || digits <= 9 else { return nil }
        return (time.seconds, time.nanoseconds)
    }

    /// `-1.500s`, with 0, 3, 6 or 9 digits; nil when it is out of range or its parts do not have
    /// the same sign.
    static func duration(seconds: Int64, nanoseconds: Int32) -> String? {
        guard seconds.magnitude <= self.longestSeconds.magnitude,
            nanoseconds.magnitude < self.nanosecondsPerSecond.magnitude,
            seconds == 0 || nanoseconds == 0 || (seconds < 0) == (nanoseconds < 0)
        else { return nil }
        let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
        return "\(sign)\(seconds.magnitude)\(self.fraction(Int32(nanoseconds.magnitude)))s"
    }

    /// Reads what ``duration(seconds:nanoseconds:)`` writes, with any number of digits up to 9.
    static func parseDuration(_ text: String) -> (seconds: Int64, nanoseconds: Int32)? {
        guard text.utf8.last == UInt8(ascii: "s") else { return nil }
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let number = text.dropLast().dropFirst(isNegative ? 1 : 0)
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = self.digits(parts[0], atMost: 12),
            whole <= self.longestSeconds
        else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            let missing = 9 - parts[1].utf8.count
            guard let value = self.digits(parts[1], atMost: 9) else { return nil }
            nanoseconds = (0..<missing).reduce(value) { value, _ in value * 10 }
        }
        let sign: Int64 = isNegative ? -1 : 1
        return (sign * whole, Int32(sign * nanoseconds))
    }

    private static func digits(_ text: Substring, atMost count: Int) -> Int64? {
        guard (1...count).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(text)
    }

    private static func fraction(_ nanoseconds: Int32) -> String {
        if nanoseconds == 0 { return "" }
        let digits = String(nanoseconds)
        let all = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        if nanoseconds % 1_000_000 == 0 { return ".\(all.prefix(3))" }
        return nanoseconds % 1000 == 0 ? ".\(all.prefix(6))" : ".\(all)"
    }
}

/// The paths of a `google.protobuf.FieldMask`: `foo_bar.baz` in the message, `fooBar.baz` in JSON.
enum FieldMaskPath {
    /// The path as JSON has it; nil when it would not come back the same.
    static func json(_ path: String) -> String? {
        var result: [UInt8] = []
        var isAfterUnderscore = false
        for byte in path.utf8 {
            if isAfterUnderscore {
                guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) else { return nil }
                result.append(byte - 0x20)
                isAfterUnderscore = false
            } else if byte == UInt8(ascii: "_") {
                isAfterUnderscore = true
            } else {
                guard !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte),
                    byte != UInt8(ascii: ",")
                else { return nil }
                result.append(byte)
            }
        }
        return isAfterUnderscore ? nil : String(decoding: result, as: UTF8.self)
    }

    /// The path of a message; nil when it is none.
    static func parse(_ path: Substring) -> String? {
        var result: [UInt8] = []
        for byte in path.utf8 {
            if byte == UInt8(ascii: "_") { return nil }
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
                result.append(UInt8(ascii: "_"))
                result.append(byte + 0x20)
            } else {
                result.append(byte)
            }
        }
        return result.isEmpty ? nil : String(decoding: result, as: UTF8.self)
    }
}
