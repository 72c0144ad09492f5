// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why text is not JSON, or not JSON of the expected shape.
public enum JSONError: Error, Equatable, Sendable {
    /// The text ends inside a value.
    case unexpectedEnd(offset: Int)
    /// A byte that cannot stand here; `expected` says what could.
    case unexpectedByte(UInt8, expected: String, offset: Int)
    /// A control character in a string.
    case controlCharacter(UInt8, offset: Int)
    /// A backslash that is not followed by an escape.
    case invalidEscape(offset: Int)
    /// Half of a surrogate pair.
    case loneSurrogate(offset: Int)
    /// A string holds bytes that are not UTF-8.
    case invalidUTF8(offset: Int)
    /// A number that is not written as JSON has it, or that cannot be held.
    case invalidNumber(offset: Int)
    /// Something follows the value.
    case trailingBytes(offset: Int)
    /// Objects and lists nest deeper than the limit.
    case tooDeep(limit: Int, offset: Int)
    /// More bytes than the limit.
    case tooLarge(bytes: Int, limit: Int)
    /// A value of another type than the field has.
    case wrongType(JSONTypeMismatch, offset: Int)
    /// A text that its field's own rules refuse (a time, a quantity, base 64).
    case invalidValue(path: String, reason: String, offset: Int)
    /// `kind` or `apiVersion` is not what the caller asked for.
    case wrongKind(expected: String, found: String)
}

/// A value of the wrong JSON type, with what is needed to report it in Go's words.
public struct JSONTypeMismatch: Equatable, Sendable {
    /// What was found: `string`, `number 1.5`, `object`, `array`, `bool`.
    public var found: String
    /// The name of the message that has the field.
    public var message: String
    /// The path of the field from the root, keys joined by dots.
    public var path: String
    /// The type of the field as Go spells it.
    public var expected: String
}

extension JSONError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unexpectedEnd(let offset):
            "unexpected end of JSON input at byte \(offset)"
        case .unexpectedByte(let byte, let expected, let offset):
            "invalid character \(Self.quoted(byte)) at byte \(offset), expected \(expected)"
        case .controlCharacter(let byte, let offset):
            "invalid character \(Self.quoted(byte)) in string literal at byte \(offset)"
        case .invalidEscape(let offset):
            "invalid escape in string literal at byte \(offset)"
        case .loneSurrogate(let offset):
            "half of a surrogate pair in string literal at byte \(offset)"
        case .invalidUTF8(let offset):
            "invalid UTF-8 in string literal at byte \(offset)"
        case .invalidNumber(let offset):
            "invalid number at byte \(offset)"
        case .trailingBytes(let offset):
            "invalid character after top-level value at byte \(offset)"
        case .tooDeep(let limit, let offset):
            "exceeded max depth of \(limit) at byte \(offset)"
        case .tooLarge(let bytes, let limit):
            "the input takes \(bytes) bytes, the limit is \(limit)"
        case .wrongType(let mismatch, _):
            mismatch.path.isEmpty
                ? "json: cannot unmarshal \(mismatch.found) into Go value of type "
                    + mismatch.expected
                : "json: cannot unmarshal \(mismatch.found) into Go struct field "
                    + "\(mismatch.message).\(mismatch.path) of type \(mismatch.expected)"
        case .invalidValue(let path, let reason, _):
            path.isEmpty ? reason : "\(path): \(reason)"
        case .wrongKind(let expected, let found):
            "expected \(expected), found \(found)"
        }
    }

    private static func quoted(_ byte: UInt8) -> String {
        if byte == UInt8(ascii: "'") { return "'\\''" }
        if byte >= 0x20 && byte < 0x7F { return "'\(Character(UnicodeScalar(byte)))'" }
        let digits = String(byte, radix: 16)
        return "'\\x\(digits.count == 1 ? "0" : "")\(digits)'"
    }
}

/// Bounds on what is decoded.
public struct JSONLimits: Sendable {
    /// How deep objects and lists may nest.
    public var depth: Int

    /// How many bytes the text may have.
    public var bytes: Int

    public init(depth: Int = Self.defaultDepth, bytes: Int = Self.defaultBytes) {
        self.depth = depth
        self.bytes = bytes
    }

    /// Upstream allows 10,000 levels; no API type needs a tenth of ours.
    public static let defaultDepth = 512
    public static let defaultBytes = 256 << 20
}
