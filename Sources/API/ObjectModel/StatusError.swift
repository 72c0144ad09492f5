// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
public import NameRules
import Protobuf
public import ResourceTable

/// A request that the API refuses: the Status that its caller gets.
///
/// Messages, reasons and codes are upstream's, whose clients match them. Source: apimachinery
/// `pkg/api/errors/errors.go`.
public struct StatusError: Error, Sendable, Equatable {
    /// With `status` Failure, code, reason, message and details.
    public var status: MetaV1.Status

    /// Wraps a Status that came from elsewhere.
    public init(_ status: MetaV1.Status) {
        self.status = status
    }

    public init(
        _ reason: Reason,
        code: Int32,
        _ message: String,
        details: MetaV1.StatusDetails? = nil
    ) {
        self.status = MetaV1.Status.with {
            $0.status = "Failure"
            $0.message = message
            $0.reason = reason.rawValue
            $0.code = code
            $0.details = details
        }
    }

    public var code: Int { Int(self.status.code) }
    public var message: String { self.status.message }
    public var reason: Reason { Reason(rawValue: self.status.reason) }

    /// The machine-readable part of a failure; servers may send others.
    public struct Reason: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        public static let badRequest = Reason(rawValue: "BadRequest")
        public static let unauthorized = Reason(rawValue: "Unauthorized")
        public static let forbidden = Reason(rawValue: "Forbidden")
        public static let notFound = Reason(rawValue: "NotFound")
        public static let alreadyExists = Reason(rawValue: "AlreadyExists")
        public static let conflict = Reason(rawValue: "Conflict")
        public static let gone = Reason(rawValue: "Gone")
        public static let expired = Reason(rawValue: "Expired")
        public static let invalid = Reason(rawValue: "Invalid")
        public static let timeout = Reason(rawValue: "Timeout")
        public static let serverTimeout = Reason(rawValue: "ServerTimeout")
        public static let tooManyRequests = Reason(rawValue: "TooManyRequests")
        public static let methodNotAllowed = Reason(rawValue: "MethodNotAllowed")
        public static let notAcceptable = Reason(rawValue: "NotAcceptable")
        public static let unsupportedMediaType = Reason(rawValue: "UnsupportedMediaType")
        public static let requestEntityTooLarge = Reason(rawValue: "RequestEntityTooLarge")
        public static let internalError = Reason(rawValue: "InternalError")
        public static let serviceUnavailable = Reason(rawValue: "ServiceUnavailable")
        public static let storageReadError = Reason(rawValue: "StorageReadError")
        public static let unknown = Reason(rawValue: "")
    }
}

extension StatusError: CustomStringConvertible {
    public var description: String { self.message }
}

// MARK: - The failures that the API has

extension StatusError {
    private static func details(
        _ resource: GroupResource,
        _ name: String,
        retryAfterSeconds: Int32 = 0
    ) -> MetaV1.StatusDetails {
        MetaV1.StatusDetails.with {
            $0.name = name
            $0.group = resource.group
            $0.kind = resource.resource
            $0.retryAfterSeconds = retryAfterSeconds
        }
    }

    public static func notFound(_ resource: GroupResource, _ name: String) -> StatusError {
        StatusError(
            .notFound,
            code: 404,
            "\(resource) \(GoText.quoted(name)) not found",
            details: self.details(resource, name)
        )
    }

    public static func alreadyExists(_ resource: GroupResource, _ name: String) -> StatusError {
        StatusError(
            .alreadyExists,
            code: 409,
            "\(resource) \(GoText.quoted(name)) already exists",
            details: self.details(resource, name)
        )
    }

    public static func conflict(
        _ resource: GroupResource,
        _ name: String,
        _ why: String
    ) -> StatusError {
        StatusError(
            .conflict,
            code: 409,
            "Operation cannot be fulfilled on \(resource) \(GoText.quoted(name)): \(why)",
            details: self.details(resource, name)
        )
    }

    /// The conflict of a write with an old `resourceVersion`.
    public static func modified(_ resource: GroupResource, _ name: String) -> StatusError {
        self.conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again"
        )
    }

    public static func forbidden(
        _ resource: GroupResource,
        _ name: String,
        _ why: String
    ) -> StatusError {
        let subject =
            switch (resource.resource.isEmpty, name.isEmpty) {
            case (true, _): "forbidden: \(why)"
            case (false, true): "\(resource) is forbidden: \(why)"
            case (false, false): "\(resource) \(GoText.quoted(name)) is forbidden: \(why)"
            }
        return StatusError(
            .forbidden,
            code: 403,
            subject,
            details: self.details(resource, name)
        )
    }

    public static func invalid(
        kind: String,
        group: String,
        name: String,
        _ errors: FieldErrors
    ) -> StatusError {
        let details = MetaV1.StatusDetails.with {
            $0.name = name
            $0.group = group
            $0.kind = kind
            for cause in errors.causes {
                $0.causes.append(
                    MetaV1.StatusCause.with {
                        $0.reason = cause.reason
                        $0.message = cause.message
                        $0.field = cause.field
                    }
                )
            }
        }
        return StatusError(
            .invalid,
            code: 422,
            errors.message(kind: kind, group: group, name: name),
            details: details
        )
    }

    public static func badRequest(_ message: String) -> StatusError {
        StatusError(.badRequest, code: 400, message)
    }

    public static func unauthorized(_ message: String = "Unauthorized") -> StatusError {
        StatusError(.unauthorized, code: 401, message)
    }

    public static func expired(_ message: String) -> StatusError {
        StatusError(.expired, code: 410, message)
    }

    public static func methodNotSupported(
        _ resource: GroupResource,
        _ action: String
    ) -> StatusError {
        StatusError(
            .methodNotAllowed,
            code: 405,
            "\(action) is not supported on resources of kind \"\(resource)\"",
            details: self.details(resource, "")
        )
    }

    public static func notAcceptable(_ message: String) -> StatusError {
        StatusError(.notAcceptable, code: 406, message)
    }

    public static func unsupportedMediaType(_ message: String) -> StatusError {
        StatusError(.unsupportedMediaType, code: 415, message)
    }

    public static func tooLarge(_ message: String) -> StatusError {
        StatusError(
            .requestEntityTooLarge,
            code: 413,
            "Request entity too large: \(message)"
        )
    }

    public static func tooManyRequests(
        _ message: String,
        retryAfterSeconds: Int32
    ) -> StatusError {
        StatusError(
            .tooManyRequests,
            code: 429,
            message,
            details: MetaV1.StatusDetails.with { $0.retryAfterSeconds = retryAfterSeconds }
        )
    }

    public static func timeout(_ message: String, retryAfterSeconds: Int32 = 0) -> StatusError {
        StatusError(
            .timeout,
            code: 504,
            "Timeout: \(message)",
            details: MetaV1.StatusDetails.with { $0.retryAfterSeconds = retryAfterSeconds }
        )
    }

    public static func serviceUnavailable(_ message: String) -> StatusError {
        StatusError(.serviceUnavailable, code: 503, message)
    }

    public static func internalError(_ message: String) -> StatusError {
        StatusError(
            .internalError,
            code: 500,
            "Internal error occurred: \(message)",
            details: MetaV1.StatusDetails.with {
                $0.causes.append(MetaV1.StatusCause.with { $0.message = message })
            }
        )
    }
}
