// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The range left after taking off white space on both sides, as Go's `strings.TrimSpace` does.
func trimmedRange(of text: borrowing Span<UInt8>) -> Range<Int> {
    var start = 0
    var end = text.count
    while start < end {
        let width = spaceWidth(text, at: start)
        guard width > 0 else { break }
        start += width
    }
    while start < end {
        var width = 0
        for length in 1...3 where end - length >= start {
            if spaceWidth(text, at: end - length) == length {
                width = length
                break
            }
        }
        guard width > 0 else { break }
        end -= width
    }
    return start..<end
}

/// The bytes of the white space character at `index`, or zero when there is none.
private func spaceWidth(_ text: borrowing Span<UInt8>, at index: Int) -> Int {
    let first = text[index]
    if first < 0x80 {
        return first == 0x20 || (first >= 0x09 && first <= 0x0D) ? 1 : 0
    }
    let second = index + 1 < text.count ? text[index + 1] : 0
    if first == 0xC2 {
        return second == 0x85 || second == 0xA0 ? 2 : 0
    }
    let third = index + 2 < text.count ? text[index + 2] : 0
    switch (first, second, third) {
    case (0xE1, 0x9A, 0x80), (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xA8), (0xE2, 0x80, 0xA9),
        (0xE2, 0x80, 0xAF), (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80):
        return 3
    default:
        return 0
    }
}
