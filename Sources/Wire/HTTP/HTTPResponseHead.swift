// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a response says before its body.
public struct HTTPResponseHead: Sendable, Equatable {
    /// The status code, 100 to 999.
    public var status: HTTPStatus

    /// The fields, without the pseudo-header field.
    public var fields: HeaderFields

    public init(status: HTTPStatus, fields: HeaderFields = HeaderFields()) {
        self.status = status
        self.fields = fields
    }
}

/// A status code (RFC 9110 section 15), 100 to 999.
public struct HTTPStatus: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int

    /// - Precondition: `rawValue` is in 100...999; codes from a peer are checked by the transport.
    public init(rawValue: Int) {
        precondition((100...999).contains(rawValue), "status \(rawValue)")
        self.rawValue = rawValue
    }

    /// A code from a peer; nil when it is outside 100...999.
    public init?(peer code: Int) {
        guard (100...999).contains(code) else { return nil }
        self.init(rawValue: code)
    }

    /// Whether this is an interim response (1xx).
    public var isInformational: Bool { self.rawValue < 200 }

    public static var `continue`: HTTPStatus { HTTPStatus(rawValue: 100) }
    public static var switchingProtocols: HTTPStatus { HTTPStatus(rawValue: 101) }
    public static var ok: HTTPStatus { HTTPStatus(rawValue: 200) }
    public static var created: HTTPStatus { HTTPStatus(rawValue: 201) }
    public static var accepted: HTTPStatus { HTTPStatus(rawValue: 202) }
    public static var noContent: HTTPStatus { HTTPStatus(rawValue: 204) }
    public static var notModified: HTTPStatus { HTTPStatus(rawValue: 304) }
    public static var badRequest: HTTPStatus { HTTPStatus(rawValue: 400) }
    public static var unauthorized: HTTPStatus { HTTPStatus(rawValue: 401) }
    public static var forbidden: HTTPStatus { HTTPStatus(rawValue: 403) }
    public static var notFound: HTTPStatus { HTTPStatus(rawValue: 404) }
    public static var methodNotAllowed: HTTPStatus { HTTPStatus(rawValue: 405) }
    public static var notAcceptable: HTTPStatus { HTTPStatus(rawValue: 406) }
    public static var requestTimeout: HTTPStatus { HTTPStatus(rawValue: 408) }
    public static var conflict: HTTPStatus { HTTPStatus(rawValue: 409) }
    public static var gone: HTTPStatus { HTTPStatus(rawValue: 410) }
    public static var contentTooLarge: HTTPStatus { HTTPStatus(rawValue: 413) }
    public static var uriTooLong: HTTPStatus { HTTPStatus(rawValue: 414) }
    public static var unsupportedMediaType: HTTPStatus { HTTPStatus(rawValue: 415) }
    public static var expectationFailed: HTTPStatus { HTTPStatus(rawValue: 417) }
    public static var unprocessableContent: HTTPStatus { HTTPStatus(rawValue: 422) }
    public static var tooManyRequests: HTTPStatus { HTTPStatus(rawValue: 429) }
    public static var headerFieldsTooLarge: HTTPStatus { HTTPStatus(rawValue: 431) }
    public static var internalServerError: HTTPStatus { HTTPStatus(rawValue: 500) }
    public static var notImplemented: HTTPStatus { HTTPStatus(rawValue: 501) }
    public static var badGateway: HTTPStatus { HTTPStatus(rawValue: 502) }
    public static var serviceUnavailable: HTTPStatus { HTTPStatus(rawValue: 503) }
    public static var gatewayTimeout: HTTPStatus { HTTPStatus(rawValue: 504) }
    public static var versionNotSupported: HTTPStatus { HTTPStatus(rawValue: 505) }

    /// The reason phrase for HTTP/1.1; empty for a code without a usual one.
    public var reasonPhrase: StaticString {
        switch self.rawValue {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}

extension HTTPStatus: CustomStringConvertible {
    public var description: String { "\(self.rawValue)" }
}
