// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What kind of fault a field has; the raw value is the `reason` of a cause in a Status.
///
/// Source: upstream k8s.io/apimachinery `pkg/util/validation/field/errors.go`.
public enum FieldErrorType: String, Sendable, Hashable, CaseIterable {
    /// A value that is referred to does not exist.
    case notFound = "FieldValueNotFound"
    /// A value is missing.
    case required = "FieldValueRequired"
    /// Values that must differ are equal.
    case duplicate = "FieldValueDuplicate"
    /// A value is malformed or out of bounds.
    case invalid = "FieldValueInvalid"
    /// A value is none of the known ones.
    case notSupported = "FieldValueNotSupported"
    /// A well-formed value is not permitted here.
    case forbidden = "FieldValueForbidden"
    /// A text is too long.
    case tooLong = "FieldValueTooLong"
    /// A list has too many items.
    case tooMany = "FieldValueTooMany"
    /// A list has too few items.
    case tooFew = "FieldValueTooFew"
    /// A fault of the server's.
    case internalError = "InternalError"
    /// A value is of another type than the schema says.
    case typeInvalid = "FieldValueTypeInvalid"
    /// A text is too short.
    case tooShort = "FieldValueTooShort"

    /// The words that start the message.
    public var text: String {
        switch self {
        case .notFound: "Not found"
        case .required: "Required value"
        case .duplicate: "Duplicate value"
        case .invalid, .typeInvalid: "Invalid value"
        case .notSupported: "Unsupported value"
        case .forbidden: "Forbidden"
        case .tooLong: "Too long"
        case .tooMany: "Too many"
        case .tooFew: "Too few"
        case .internalError: "Internal error"
        case .tooShort: "Too short"
        }
    }

    /// Whether the message shows the value.
    var showsValue: Bool {
        switch self {
        case .required, .forbidden, .tooLong, .tooShort, .internalError: false
        case .notFound, .duplicate, .invalid, .notSupported, .tooMany, .tooFew, .typeInvalid: true
        }
    }
}
