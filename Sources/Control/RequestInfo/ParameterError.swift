// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NameRules

/// Why the parameters of a request are refused.
public enum ParameterError: Error, Sendable {
    /// They cannot be read: 400, reason BadRequest.
    case badRequest(String)
    /// They contradict each other or the rules: 422, reason Invalid, of a kind in `meta.k8s.io`.
    case invalid(kind: String, FieldErrors)

    /// The message of the Status.
    public var message: String {
        switch self {
        case .badRequest(let message): message
        case .invalid(let kind, let errors):
            errors.message(kind: kind, group: "meta.k8s.io", name: "")
        }
    }

    /// The HTTP status code.
    public var code: Int {
        switch self {
        case .badRequest: 400
        case .invalid: 422
        }
    }

    /// The reason of the Status.
    public var reason: String {
        switch self {
        case .badRequest: "BadRequest"
        case .invalid: "Invalid"
        }
    }
}
