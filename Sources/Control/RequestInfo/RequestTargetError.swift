// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why the target of a request is refused. All of them are answered with 400.
public enum RequestTargetError: Error, Sendable, Hashable {
    /// It is longer than ``RequestTarget/maximumBytes``.
    case tooLong
    /// The path does not start with a slash.
    case notAbsolute
    /// Two slashes follow each other.
    case emptySegment
    /// A segment is `.` or `..`, encoded or not.
    case dotSegment
    /// A segment has an encoded slash.
    case encodedSlash
    /// A control character, a space or a fragment.
    case invalidCharacter
    /// Bytes that are not UTF-8.
    case invalidUTF8
    /// A percent sign without two hexadecimal digits; the text at fault.
    case invalidEscape(String)
    /// A semicolon between parameters.
    case semicolon
    /// More segments than ``RequestTarget/maximumSegments``.
    case tooManySegments
    /// More parameters than ``QueryParameters/maximumCount``.
    case tooManyParameters
}

extension RequestTargetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong: "the request URL is too long"
        case .notAbsolute: "the request path must start with '/'"
        case .emptySegment: "the request path must not contain empty segments"
        case .dotSegment: "the request path must not contain '.' or '..' segments"
        case .encodedSlash: "the request path must not contain encoded slashes"
        case .invalidCharacter: "the request URL contains an invalid character"
        case .invalidUTF8: "the request URL is not valid UTF-8"
        case .invalidEscape(let text): "invalid URL escape \"\(text)\""
        case .semicolon: "invalid semicolon separator in query"
        case .tooManySegments: "the request path has too many segments"
        case .tooManyParameters: "the request URL has too many query parameters"
        }
    }
}
