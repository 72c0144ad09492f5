// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Formats {
    /// Why the number is no port (1 to 65535).
    public static func portNumber(_ port: Int64) -> [String] {
        self.inRange(port, 1, 65_535)
    }

    /// Why the number is outside of the range, both ends of which belong to it.
    public static func inRange(_ value: Int64, _ low: Int64, _ high: Int64) -> [String] {
        value >= low && value <= high ? [] : [self.rangeMessage(low, high)]
    }

    /// Why the number is no user ID (0 to 2147483647).
    public static func userID(_ id: Int64) -> [String] {
        self.inRange(id, 0, Int64(Int32.max))
    }

    /// Why the number is no group ID (0 to 2147483647).
    public static func groupID(_ id: Int64) -> [String] {
        self.inRange(id, 0, Int64(Int32.max))
    }

    /// Why the text is no port name (an IANA service name in lower case, RFC 6335 section 5.1).
    public static func portName(_ text: String) -> [String] {
        var messages: [String] = []
        var hasOnlyValid = !text.isEmpty
        var hasLetter = false
        var hasDoubleHyphen = false
        var last: UInt8 = 0
        for byte in text.utf8 {
            let isHyphen = byte == UInt8(ascii: "-")
            hasLetter = hasLetter || byte.isLower
            hasOnlyValid = hasOnlyValid && (byte.isLowerAlphanumeric || isHyphen)
            hasDoubleHyphen = hasDoubleHyphen || (isHyphen && last == byte)
            last = byte
        }
        if text.utf8.count > APILimits.portNameMaxLength {
            messages.append(self.lengthMessage(APILimits.portNameMaxLength))
        }
        if !hasOnlyValid {
            messages.append(
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
            )
        }
        if !hasLetter { messages.append("must contain at least one letter (a-z)") }
        if hasDoubleHyphen { messages.append("must not contain consecutive hyphens") }
        if text.utf8.first == UInt8(ascii: "-") || last == UInt8(ascii: "-") {
            messages.append("must not begin or end with a hyphen")
        }
        return messages
    }

    /// Why the text is no percentage of digits and `%`.
    public static func percent(_ text: String) -> [String] {
        let digits = text.utf8.dropLast()
        if text.utf8.last == UInt8(ascii: "%"), !digits.isEmpty,
            digits.allSatisfy({ $0.isDigit })
        {
            return []
        }
        return [
            self.patternMessage(
                "a valid percent string must be a numeric string followed by an ending '%'",
                "[0-9]+%",
                "1%",
                "93%"
            )
        ]
    }

    /// Why the text is no decimal integer in canonical form: no plus sign, no leading zeros, no
    /// negative zero.
    public static func decimalInteger(_ text: String) -> [String] {
        if text.isEmpty { return [self.emptyMessage] }
        if text == "0" { return [] }
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        if let first = digits.first, first != UInt8(ascii: "0"),
            digits.allSatisfy({ $0.isDigit })
        {
            return []
        }
        return ["must be a valid decimal integer in canonical form"]
    }
}
