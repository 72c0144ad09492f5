// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Timestamp {
    /// Appends the text in UTC, without quotes. Digits beyond those of the layout are cut off.
    public func write<Sink: ByteSink & ~Copyable>(to sink: inout Sink, as layout: Layout) {
        self.shortText(as: layout).write(to: &sink)
    }

    /// The text in UTC.
    public func text(as layout: Layout) -> String {
        self.shortText(as: layout).string
    }

    private func shortText(as layout: Layout) -> ShortText {
        let days = floorDivide(self.seconds, CivilDate.secondsPerDay)
        // The start of the first day of all is below 64 bits; the difference is right nevertheless.
        let secondOfDay = UInt64(self.seconds &- days &* CivilDate.secondsPerDay)
        let date = CivilDate(daysSinceUnixEpoch: days)
        var out = ShortText()
        if date.year < 0 {
            out.append(UInt8(ascii: "-"))
        }
        if date.year.magnitude < 10_000 {
            out.appendTwoDigits(date.year.magnitude / 100)
            out.appendTwoDigits(date.year.magnitude % 100)
        } else {
            out.append(date.year.magnitude)
        }
        out.append(UInt8(ascii: "-"))
        out.appendTwoDigits(UInt64(date.month))
        out.append(UInt8(ascii: "-"))
        out.appendTwoDigits(UInt64(date.day))
        out.append(UInt8(ascii: "T"))
        out.appendTwoDigits(secondOfDay / 3_600)
        out.append(UInt8(ascii: ":"))
        out.appendTwoDigits(secondOfDay / 60 % 60)
        out.append(UInt8(ascii: ":"))
        out.appendTwoDigits(secondOfDay % 60)
        // Values from the wire may be out of range; never let them out as something unreadable.
        let nanoseconds = UInt64(min(max(self.nanoseconds, 0), 999_999_999))
        switch layout {
        case .time: break
        case .microTime:
            out.append(UInt8(ascii: "."))
            out.append(nanoseconds / 1_000, width: 6)
        case .nanoseconds:
            var digits = nanoseconds
            var width = 9
            while digits > 0, digits % 10 == 0 {
                digits /= 10
                width -= 1
            }
            if digits > 0 {
                out.append(UInt8(ascii: "."))
                out.append(digits, width: width)
            }
        }
        out.append(UInt8(ascii: "Z"))
        return out
    }
}
