// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Decimal integers as Go's `strconv` reads them, with its messages.
public enum GoInteger {
    /// Why a text is no integer.
    public enum Fault: Error, Sendable {
        case syntax
        case range

        /// The message: `strconv.ParseInt: parsing "x": invalid syntax`.
        public func message(function: String, _ text: String) -> String {
            let reason =
                switch self {
                case .syntax: "invalid syntax"
                case .range: "value out of range"
                }
            return "strconv.\(function): parsing \(GoText.quoted(text)): \(reason)"
        }
    }

    /// Reads digits after an optional sign.
    public static func parse(_ text: String) -> Result<Int64, Fault> {
        self.parse(text.utf8.span)
    }

    /// Reads digits after an optional sign.
    public static func parse(_ text: borrowing Span<UInt8>) -> Result<Int64, Fault> {
        let isNegative = !text.isEmpty && text[0] == UInt8(ascii: "-")
        let hasSign = isNegative || (!text.isEmpty && text[0] == UInt8(ascii: "+"))
        switch self.magnitude(text, from: hasSign ? 1 : 0) {
        case .success(let magnitude):
            if isNegative {
                guard magnitude <= 1 << 63 else { return .failure(.range) }
                return .success(Int64(truncatingIfNeeded: 0 &- magnitude))
            }
            return Int64(exactly: magnitude).map { .success($0) } ?? .failure(.range)
        case .failure(let fault):
            return .failure(fault)
        }
    }

    /// Reads digits without a sign.
    public static func parseUnsigned(_ text: String) -> Result<UInt64, Fault> {
        self.magnitude(text.utf8.span, from: 0)
    }

    private static func magnitude(
        _ text: borrowing Span<UInt8>,
        from start: Int
    ) -> Result<UInt64, Fault> {
        guard start < text.count else { return .failure(.syntax) }
        var value: UInt64 = 0
        var overflows = false
        for index in start..<text.count {
            guard text[index].isDigit else { return .failure(.syntax) }
            let (product, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(UInt64(text[index] & 15))
            overflows = overflows || first || second
            value = sum
        }
        return overflows ? .failure(.range) : .success(value)
    }
}
