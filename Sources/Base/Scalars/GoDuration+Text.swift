// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension GoDuration {
    /// The text, as Go's `Duration.String` makes it: hours, minutes and seconds without leading
    /// zero units, or one of `ms`, `µs`, `ns` below a second.
    public var text: String { self.shortText().string }

    /// Appends the text, without quotes. It is UTF-8: microseconds are `µs`.
    public func write<Sink: ByteSink & ~Copyable>(to sink: inout Sink) {
        self.shortText().write(to: &sink)
    }

    private func shortText() -> ShortText {
        var out = ShortText()
        let magnitude = self.nanoseconds.magnitude
        guard magnitude > 0 else {
            out.append("0s")
            return out
        }
        if self.nanoseconds < 0 {
            out.append(UInt8(ascii: "-"))
        }
        switch magnitude {
        case ..<GoDuration.microsecond:
            out.append(magnitude)
            out.append("ns")
        case ..<GoDuration.millisecond:
            out.appendDecimal(magnitude, digits: 3)
            out.append("µs")
        case ..<GoDuration.second:
            out.appendDecimal(magnitude, digits: 6)
            out.append("ms")
        default:
            let hours = magnitude / GoDuration.hour
            let minutes = magnitude / GoDuration.minute % 60
            if hours > 0 {
                out.append(hours)
                out.append(UInt8(ascii: "h"))
            }
            if hours > 0 || minutes > 0 {
                out.append(minutes)
                out.append(UInt8(ascii: "m"))
            }
            out.appendDecimal(magnitude % GoDuration.minute, digits: 9)
            out.append(UInt8(ascii: "s"))
        }
        return out
    }
}

extension GoDuration: CustomStringConvertible {
    public var description: String { self.text }
}

extension ShortText {
    /// Appends a number of which the last `digits` digits are a fraction, without trailing zeros.
    fileprivate mutating func appendDecimal(_ value: UInt64, digits: Int) {
        let (whole, rest) = value.quotientAndRemainder(dividingBy: powerOfTen(digits))
        self.append(whole)
        guard rest > 0 else { return }
        var fraction = rest
        var width = digits
        while fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        self.append(UInt8(ascii: "."))
        self.append(fraction, width: width)
    }
}
