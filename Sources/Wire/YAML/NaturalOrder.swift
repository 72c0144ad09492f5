// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Compares keys as goyaml sorts them for output: other characters before letters, runs of digits by
/// their value (`a2` before `a10`), then by code point.
///
/// - Returns: below, equal to or above zero; zero only for the same text.
func compareNaturally(_ text: borrowing Span<UInt8>, _ left: Entry, _ right: Entry) -> Int {
    let common = min(left.keyCount, right.keyCount)
    var index = 0
    while index < common, text[left.keyStart + index] == text[right.keyStart + index] {
        index += 1
    }
    if index == common {
        return left.keyCount - right.keyCount
    }
    if isASCII(text, left.keyRange), isASCII(text, right.keyRange) {
        let isFirst = precedesNaturally(
            text.extracting(left.keyRange),
            text.extracting(right.keyRange),
            from: index
        )
        return isFirst ? -1 : 1
    }
    let first = scalars(of: text.extracting(left.keyRange))
    let second = scalars(of: text.extracting(right.keyRange))
    index = 0
    while index < first.count, index < second.count, first[index] == second[index] {
        index += 1
    }
    return precedesNaturally(first.span, second.span, from: index) ? -1 : 1
}

private func isASCII(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    for index in range where text[index] >= 0x80 {
        return false
    }
    return true
}

private func scalars(of text: borrowing Span<UInt8>) -> [Unicode.Scalar] {
    unsafe text.withUnsafeBufferPointer { bytes in
        unsafe Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    }
}

/// A character of a key: a byte where all are ASCII, a scalar elsewhere.
private protocol KeyCharacter: Comparable {
    var isLetter: Bool { get }
    var isDigit: Bool { get }
    var codePoint: Int64 { get }
}

/// Whether a text comes first. The two differ at `index`, or one of them ends there.
private func precedesNaturally<Character: KeyCharacter>(
    _ left: borrowing Span<Character>,
    _ right: borrowing Span<Character>,
    from index: Int
) -> Bool {
    guard index < left.count, index < right.count else { return left.count < right.count }
    let isLeftLetter = left[index].isLetter
    let isRightLetter = right[index].isLetter
    if isLeftLetter && isRightLetter {
        return left[index] < right[index]
    }
    if isLeftLetter || isRightLetter {
        return isRightLetter
    }
    // Behind a digit that is not zero, zeros count: goyaml then puts a one before both runs.
    var prefix: Int64 = 0
    if left[index].codePoint == 48 || right[index].codePoint == 48 {
        var before = index - 1
        while before >= 0, left[before].isDigit {
            if left[before].codePoint != 48 {
                prefix = 1
                break
            }
            before -= 1
        }
    }
    let leftRun = digitRun(of: left, from: index, prefix: prefix)
    let rightRun = digitRun(of: right, from: index, prefix: prefix)
    if leftRun.value != rightRun.value {
        return leftRun.value < rightRun.value
    }
    if leftRun.end != rightRun.end {
        return leftRun.end < rightRun.end
    }
    return left[index] < right[index]
}

/// The value of the digits from `index` on, cut to 64 bits as in Go, and where they end.
private func digitRun<Character: KeyCharacter>(
    of text: borrowing Span<Character>,
    from index: Int,
    prefix: Int64
) -> (value: Int64, end: Int) {
    var value = prefix
    var end = index
    while end < text.count, text[end].isDigit {
        value = value &* 10 &+ (text[end].codePoint - 48)
        end += 1
    }
    return (value, end)
}

extension UInt8: KeyCharacter {
    fileprivate var isLetter: Bool { (0x41...0x5A).contains(self & ~0x20) }
    fileprivate var isDigit: Bool { self &- 48 < 10 }
    fileprivate var codePoint: Int64 { Int64(self) }
}

extension Unicode.Scalar: KeyCharacter {
    fileprivate var isLetter: Bool {
        switch self.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default:
            false
        }
    }

    fileprivate var isDigit: Bool { self.properties.generalCategory == .decimalNumber }
    fileprivate var codePoint: Int64 { Int64(self.value) }
}
