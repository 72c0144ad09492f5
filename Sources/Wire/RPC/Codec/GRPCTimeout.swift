// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The value of `grpc-timeout`: up to 8 digits and a unit.
///
/// ```
/// Timeout      → TimeoutValue TimeoutUnit
/// TimeoutValue → 1 to 8 ASCII digits
/// TimeoutUnit  → H | M | S | m | u | n      hours ... nanoseconds
/// ```
///
/// Source: gRPC `doc/PROTOCOL-HTTP2.md`, "Requests".
public enum GRPCTimeout {
    /// The most digits a value has.
    public static let maximumDigits = 8
    /// The largest value with any unit.
    public static let maximumValue: Int64 = 99_999_999

    /// Nanoseconds of the text; `nil` when it is malformed. The largest result, 99,999,999 hours,
    /// does not fit in 64 bits of nanoseconds: anything beyond `Int64.max` is `Int64.max`.
    public static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 2, text.count <= Self.maximumDigits + 1 else { return nil }
        var value: Int64 = 0
        for byte in text.dropLast() {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        guard let unit = Self.nanoseconds(ofUnit: text[text.count - 1]) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit)
        return overflow ? Int64.max : product
    }

    /// Nanoseconds of the text, as ``parse(_:)-(UnsafeRawBufferPointer)``.
    public static func parse(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { Self.parse(UnsafeRawBufferPointer($0)) }
    }

    /// The text for a number of nanoseconds: the finest unit that fits in 8 digits, rounded up so
    /// that a deadline is never sent shorter than it is. Zero and less are `1n`, as a server
    /// answers a zero timeout with an error of its own.
    public static func format(nanoseconds: Int64) -> String {
        guard nanoseconds > 0 else { return "1n" }
        for (unit, letter) in Self.units {
            let value = nanoseconds / unit + (nanoseconds % unit == 0 ? 0 : 1)
            if value <= Self.maximumValue { return "\(value)\(letter)" }
        }
        return "\(Self.maximumValue)H"
    }

    private static let units: [(Int64, String)] = [
        (1, "n"), (1000, "u"), (1_000_000, "m"), (1_000_000_000, "S"), (60_000_000_000, "M"),
        (3_600_000_000_000, "H"),
    ]

    private static func nanoseconds(ofUnit unit: UInt8) -> Int64? {
        switch unit {
        case UInt8(ascii: "n"): 1
        case UInt8(ascii: "u"): 1000
        case UInt8(ascii: "m"): 1_000_000
        case UInt8(ascii: "S"): 1_000_000_000
        case UInt8(ascii: "M"): 60_000_000_000
        case UInt8(ascii: "H"): 3_600_000_000_000
        default: nil
        }
    }
}
