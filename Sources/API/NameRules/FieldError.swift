// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One fault of one field, with the message that upstream gives.
///
/// Source: upstream k8s.io/apimachinery `pkg/util/validation/field/errors.go`.
public struct FieldError: Error, Sendable, Hashable {
    /// A value as a message shows it.
    public enum Value: Sendable, Hashable {
        /// Shown in quotes.
        case string(String)
        case integer(Int64)
        case double(Double)
        case bool(Bool)
        /// JSON text, shown as it is: objects, lists, `null` for what is absent.
        case json(String)
        /// Not shown.
        case omitted
    }

    public let type: FieldErrorType
    /// The path of the field, as text.
    public let field: String
    public let value: Value
    /// What follows the value; may be empty.
    public let detail: String

    public init(_ type: FieldErrorType, _ field: String, _ value: Value, _ detail: String) {
        self.type = type
        self.field = field
        self.value = value
        self.detail = detail
    }

    /// The message without the field: `Invalid value: "A": must be lower case`.
    ///
    /// This is the `message` of a cause in a Status.
    public var body: String {
        var text = self.type.text
        if self.type.showsValue, let value = self.value.text { text += ": " + value }
        if !self.detail.isEmpty { text += ": " + self.detail }
        return text
    }
}

extension FieldError: CustomStringConvertible {
    /// The whole message: `metadata.name: Required value: name or generateName is required`.
    public var description: String { "\(self.field): \(self.body)" }
}

// MARK: - Makers

extension FieldError {
    /// A value that is referred to does not exist.
    public static func notFound(_ path: FieldPath, _ value: Value) -> FieldError {
        FieldError(.notFound, path.description, value, "")
    }

    /// A value is missing.
    public static func required(_ path: FieldPath, _ detail: String = "") -> FieldError {
        FieldError(.required, path.description, .string(""), detail)
    }

    /// Values that must differ are equal.
    public static func duplicate(_ path: FieldPath, _ value: Value) -> FieldError {
        FieldError(.duplicate, path.description, value, "")
    }

    /// A value is malformed or out of bounds.
    public static func invalid(_ path: FieldPath, _ value: Value, _ detail: String) -> FieldError {
        FieldError(.invalid, path.description, value, detail)
    }

    /// A value is of another type than the schema says.
    public static func typeInvalid(
        _ path: FieldPath,
        _ value: Value,
        _ detail: String
    ) -> FieldError {
        FieldError(.typeInvalid, path.description, value, detail)
    }

    /// A value is none of the known ones, which are shown in the given order.
    public static func notSupported(
        _ path: FieldPath,
        _ value: Value,
        supported: some Sequence<String>
    ) -> FieldError {
        let list = supported.map { GoText.quoted($0) }.joined(separator: ", ")
        return FieldError(
            .notSupported,
            path.description,
            value,
            list.isEmpty ? "" : "supported values: " + list
        )
    }

    /// A well-formed value is not permitted here.
    public static func forbidden(_ path: FieldPath, _ detail: String) -> FieldError {
        FieldError(.forbidden, path.description, .string(""), detail)
    }

    /// A text has more than `limit` bytes; a negative limit is not shown.
    public static func tooLong(_ path: FieldPath, limit: Int) -> FieldError {
        FieldError(
            .tooLong,
            path.description,
            .omitted,
            limit < 0
                ? "value is too long"
                : "may not be more than \(limit) \(limit == 1 ? "byte" : "bytes")"
        )
    }

    /// A text has more than `limit` characters; a negative limit is not shown.
    public static func tooLong(_ path: FieldPath, characterLimit limit: Int) -> FieldError {
        FieldError(
            .tooLong,
            path.description,
            .omitted,
            limit < 0
                ? "value is too long"
                : "may not be more than \(limit) \(limit == 1 ? "character" : "characters")"
        )
    }

    /// A text has fewer than `limit` characters; a negative limit is not shown.
    public static func tooShort(_ path: FieldPath, _ value: Value, limit: Int) -> FieldError {
        FieldError(
            .tooShort,
            path.description,
            value,
            limit < 0
                ? "value is too short"
                : "must be at least \(limit) \(limit == 1 ? "character" : "characters")"
        )
    }

    /// A list has more than `limit` items; a negative limit or count is not shown.
    public static func tooMany(_ path: FieldPath, count: Int, limit: Int) -> FieldError {
        FieldError(
            .tooMany,
            path.description,
            count < 0 ? .omitted : .integer(Int64(count)),
            limit < 0
                ? "has too many items"
                : "must have at most \(limit) \(limit == 1 ? "item" : "items")"
        )
    }

    /// A list has fewer than `limit` items; a negative limit is not shown.
    public static func tooFew(_ path: FieldPath, count: Int, limit: Int) -> FieldError {
        FieldError(
            .tooFew,
            path.description,
            .integer(Int64(count)),
            limit < 0
                ? "has too few items"
                : "must have at least \(limit) \(limit == 1 ? "item" : "items")"
        )
    }

    /// A fault of the server's, not of what the user wrote.
    public static func internalError(_ path: FieldPath, _ detail: String) -> FieldError {
        FieldError(.internalError, path.description, .omitted, detail)
    }
}

// MARK: - Values

extension FieldError.Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    public init(stringLiteral value: String) {
        self = .string(value)
    }

    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// A text that may be absent.
    public init(_ text: String?) {
        self = text.map { .string($0) } ?? .null
    }

    /// A list of texts; an absent list shows as `null`.
    public init(_ texts: (some Sequence<String>)?) {
        self = texts.map { .json(GoText.json($0)) } ?? .null
    }

    /// An absent value.
    public static let null = FieldError.Value.json("null")

    /// How the value shows, or nil when it does not.
    var text: String? {
        switch self {
        case .string(let text): GoText.quoted(text)
        case .integer(let number): String(number)
        case .double(let number): GoText.number(number)
        case .bool(let isTrue): isTrue ? "true" : "false"
        case .json(let text): text
        case .omitted: nil
        }
    }
}
