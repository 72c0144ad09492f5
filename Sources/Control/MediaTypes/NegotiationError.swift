// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why no media type could be agreed on.
///
/// Source: upstream k8s.io/apiserver `pkg/endpoints/handlers/negotiation/errors.go`; the routes'
/// own answers come from go-restful `jsr311.go`.
public enum NegotiationError: Error, Sendable, Hashable {
    /// The client takes none of those types.
    case notAcceptable([String])
    /// The client takes none of the types that the route has. Checked before ``notAcceptable``.
    case routeNotAcceptable([String])
    /// The same, when the request should have a body and has none.
    case routeUnsupportedWithoutBody([String])
    /// The body is in none of those types.
    case unsupportedMediaType([String])
    /// The body of a patch of a built-in kind is in no type that the route has.
    case routeUnsupportedMediaType
    /// The answer exists, but not in the form that was asked for.
    case notConvertible(String)

    /// The message of the Status.
    public var message: String {
        switch self {
        case .notAcceptable(let types):
            "only the following media types are accepted: " + types.joined(separator: ", ")
        case .routeNotAcceptable(let types):
            "406: Not Acceptable\n\nAvailable representations: " + types.joined(separator: ", ")
        case .routeUnsupportedWithoutBody(let types):
            "415: Unsupported Media Type\n\nAvailable representations: "
                + types.joined(separator: ", ")
        case .unsupportedMediaType(let types):
            "the body of the request was in an unknown format - accepted media types include: "
                + types.joined(separator: ", ")
        case .routeUnsupportedMediaType:
            "415: Unsupported Media Type"
        case .notConvertible(let message):
            message
        }
    }

    /// The HTTP status code.
    public var code: Int {
        switch self {
        case .notAcceptable, .routeNotAcceptable, .notConvertible: 406
        case .unsupportedMediaType, .routeUnsupportedMediaType, .routeUnsupportedWithoutBody: 415
        }
    }

    /// The reason of the Status.
    public var reason: String {
        self.code == 406 ? "NotAcceptable" : "UnsupportedMediaType"
    }
}
