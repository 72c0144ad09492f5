// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What stands in the way of writing a text in one of YAML's styles.
///
/// Source: `yaml_emitter_analyze_scalar` of go.yaml.in/yaml/v2, which is libyaml's, with goyaml's notion of
/// printable characters: tabs and all beyond the basic plane are none.
struct ScalarAnalysis {
    /// The text has line breaks of any kind.
    var isMultiline = false
    var isPlainAllowed = true
    var isSingleQuotedAllowed = true
    var isBlockAllowed = true
    /// The text has a line feed.
    var hasLineFeed = false
    /// The text consists of characters that are nothing special anywhere, as most texts do.
    var isWord = false

    init(_ text: borrowing Span<UInt8>) {
        guard !text.isEmpty else {
            self.isBlockAllowed = false
            return
        }
        if ScalarAnalysis.isWord(text) {
            self.isWord = true
            return
        }
        var hasIndicators = ScalarAnalysis.startsLikeDocumentMarker(text)
        var hasSpecialCharacters = false
        var startsBlank = false
        var endsBlank = false
        var endsInSpace = false
        var spaceAfterBreak = false
        var spaceBeforeBreak = false
        var previous = Previous.other
        var isPrecededByBlank = true
        var index = 0
        while index < text.count {
            let byte = text[index]
            let character = CharacterClass(text, at: index)
            let next = index + character.width
            let isFollowedByBlank = next >= text.count || isBlank(text[next])
            if index == 0 {
                hasIndicators = hasIndicators || isFirstIndicator(byte, isFollowedByBlank)
            } else if byte == UInt8(ascii: ":") && isFollowedByBlank
                || byte == UInt8(ascii: "#") && isPrecededByBlank
            {
                hasIndicators = true
            }
            hasSpecialCharacters = hasSpecialCharacters || !character.isPrintable
            let isLast = next == text.count
            if byte == UInt8(ascii: " ") {
                startsBlank = startsBlank || index == 0
                endsBlank = endsBlank || isLast
                endsInSpace = endsInSpace || isLast
                spaceAfterBreak = spaceAfterBreak || previous == .lineBreak
                previous = .space
            } else if character.isBreak {
                self.isMultiline = true
                self.hasLineFeed = self.hasLineFeed || byte == UInt8(ascii: "\n")
                startsBlank = startsBlank || index == 0
                endsBlank = endsBlank || isLast
                spaceBeforeBreak = spaceBeforeBreak || previous == .space
                previous = .lineBreak
            } else {
                previous = .other
            }
            isPrecededByBlank = isBlank(byte) || character.isBreak || byte == 0
            index = next
        }
        let isUnfit = spaceBeforeBreak || hasSpecialCharacters
        self.isPlainAllowed =
            !(hasIndicators || self.isMultiline || startsBlank || endsBlank || spaceAfterBreak
            || isUnfit)
        self.isSingleQuotedAllowed = !(spaceAfterBreak || isUnfit)
        self.isBlockAllowed = !(endsInSpace || isUnfit)
    }

    private enum Previous {
        case space
        case lineBreak
        case other
    }

    /// Letters, digits, and some punctuation behind a letter or digit.
    private static func isWord(_ text: borrowing Span<UInt8>) -> Bool {
        guard isAlphanumeric(text[0]) else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            guard
                isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "_")
            else { return false }
        }
        return true
    }

    private static func startsLikeDocumentMarker(_ text: borrowing Span<UInt8>) -> Bool {
        guard text.count >= 3, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: ".") else {
            return false
        }
        return text[1] == text[0] && text[2] == text[0]
    }
}

/// Characters that a plain scalar of a block cannot start with.
private func isFirstIndicator(_ byte: UInt8, _ isFollowedByBlank: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"),
        UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "&"), UInt8(ascii: "*"),
        UInt8(ascii: "!"), UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "'"),
        UInt8(ascii: "\""), UInt8(ascii: "%"), UInt8(ascii: "@"), UInt8(ascii: "`"):
        true
    case UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "-"):
        isFollowedByBlank
    default:
        false
    }
}

@inline(__always)
private func isAlphanumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26
}

@inline(__always)
private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

/// A character of valid UTF-8, as the emitter sees it.
struct CharacterClass {
    /// Its bytes.
    let width: Int
    let isPrintable: Bool
    /// CR, LF, NEL, LS or PS.
    let isBreak: Bool

    @inline(__always)
    init(_ text: borrowing Span<UInt8>, at index: Int) {
        let byte = text[index]
        if byte < 0x80 {
            self.width = 1
            self.isPrintable = byte == 0x0A || byte >= 0x20 && byte <= 0x7E
            self.isBreak = byte == 0x0A || byte == 0x0D
            return
        }
        let second = text[index + 1]
        if byte < 0xE0 {
            self.width = 2
            self.isPrintable = byte > 0xC2 || second >= 0xA0
            self.isBreak = byte == 0xC2 && second == 0x85
        } else if byte < 0xF0 {
            let third = text[index + 2]
            self.width = 3
            // Neither the byte order mark nor the two that are no characters.
            self.isPrintable =
                byte != 0xEF
                || !(second == 0xBB && third == 0xBF || second == 0xBF && third >= 0xBE)
            self.isBreak = byte == 0xE2 && second == 0x80 && (third == 0xA8 || third == 0xA9)
        } else {
            self.width = 4
            self.isPrintable = false
            self.isBreak = false
        }
    }
}

/// Whether a text looks like a number of base 60, which goyaml does not read, but quotes: `1:30`.
func isSexagesimal(_ text: borrowing Span<UInt8>) -> Bool {
    var position = 0
    if !text.isEmpty, text[0] == UInt8(ascii: "+") || text[0] == UInt8(ascii: "-") {
        position = 1
    }
    guard position < text.count, isDigit(text[position]) else { return false }
    while position < text.count, isDigit(text[position]) || text[position] == UInt8(ascii: "_") {
        position += 1
    }
    var groups = 0
    while position < text.count, text[position] == UInt8(ascii: ":") {
        position += 1
        // One digit, or two up to 59.
        guard position < text.count, isDigit(text[position]) else { return false }
        position += 1
        if position < text.count, isDigit(text[position]) {
            guard text[position - 1] <= UInt8(ascii: "5") else { return false }
            position += 1
        }
        groups += 1
    }
    guard groups > 0 else { return false }
    if position < text.count, text[position] == UInt8(ascii: ".") {
        position += 1
        while position < text.count, isDigit(text[position]) || text[position] == UInt8(ascii: "_")
        {
            position += 1
        }
    }
    return position == text.count
}
