// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import JSON
import KubernetesAPI
import MediaTypes
import NIOCore
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import Synchronization
import YAML

/// A request as the API reads it, and what its answer needs to know of it.
///
/// A class, like what else a request passes on: the frame of every function that waits keeps its
/// arguments, for as long as a watch lasts, and a reference is the smallest of them.
final class RESTExchange: Sendable {
    let request: HTTPRequest
    let response: HTTPResponseWriter
    let target: RequestTarget
    let info: RequestInfo
    let method: String
    private let auditID = Identifiers.requestID()
    /// The status code that was sent; 0 before.
    let sentCode = SentCode()

    /// A number that is set once.
    final class SentCode: Sendable {
        private let code = Atomic<Int>(0)
        var value: Int { self.code.load(ordering: .relaxed) }
        func set(_ code: Int) { self.code.store(code, ordering: .relaxed) }
    }

    /// The most bytes of a body.
    static let maximumBodyBytes = 3 << 20

    init(_ request: HTTPRequest, _ response: HTTPResponseWriter) throws(StatusError) {
        self.request = request
        self.response = response
        self.method = request.head.method.name
        do throws(RequestTargetError) {
            self.target = try request.head.withPath { (path) throws(RequestTargetError) in
                try RequestTarget(parsing: path)
            }
        } catch {
            throw .badRequest(error.description)
        }
        do throws(RequestInfoError) {
            self.info = try RequestInfo(method: self.method, target: self.target)
        } catch {
            throw .internalError(error.description)
        }
    }

    /// The value of a header field.
    func field(_ name: HeaderName) -> String? { self.request.head.fields[name] }

    // MARK: - Reading

    /// The whole body.
    func body() async throws(StatusError) -> Bytes {
        do {
            let buffer = try await self.request.body.collect(upTo: Self.maximumBodyBytes)
            return buffer.withUnsafeReadableBytes { Bytes(copying: $0) }
        } catch is HTTPBodyTooLarge {
            throw .tooLarge("limit is \(Self.maximumBodyBytes)")
        } catch {
            throw .badRequest("the request ended early")
        }
    }

    /// The body with its media type.
    func objectBody() async throws(StatusError) -> RequestBody {
        let type: MediaType
        do throws(NegotiationError) {
            type = try MediaTypes.RequestBody.mediaType(of: self.field(.contentType))
        } catch {
            throw StatusError(negotiation: error)
        }
        return RequestBody(bytes: try await self.body(), mediaType: type)
    }

    /// How the answer is to be written.
    func representation(
        _ negotiation: AcceptNegotiation
    ) throws(StatusError) -> Representation {
        do throws(NegotiationError) {
            var chosen = try negotiation.negotiate(self.field(.accept))
            if !chosen.isPretty {
                chosen.isPretty = PrettyPrinting.isWanted(
                    pretty: self.target.query.first("pretty"),
                    userAgent: self.field(.userAgent)
                )
            }
            return chosen
        } catch {
            throw StatusError(negotiation: error)
        }
    }

    // MARK: - Writing

    /// The fields that all answers have.
    func head(
        _ status: HTTPStatus,
        contentType: String?,
        warnings: [String] = []
    ) -> HTTPResponseHead {
        self.sentCode.set(status.rawValue)
        var fields = HeaderFields()
        fields.append(.auditID, self.auditID)
        fields.append(.cacheControl, "no-cache, private")
        if let contentType { fields.append(.contentType, contentType) }
        for warning in warnings { fields.append(.warning, Self.quoted(warning)) }
        return HTTPResponseHead(status: status, fields: fields)
    }

    /// `299 - "text"`, as RFC 7234 section 5.5 has it.
    private static func quoted(_ warning: String) -> String {
        var text = "299 - \""
        for character in warning.unicodeScalars {
            if character == "\"" || character == "\\" { text.unicodeScalars.append("\\") }
            text.unicodeScalars.append(character.value < 0x20 ? " " : character)
        }
        return text + "\""
    }

    /// Sends a whole answer.
    func send(
        _ status: HTTPStatus,
        contentType: String,
        _ body: ByteBuffer,
        warnings: [String] = [],
        fields: HeaderFields = HeaderFields()
    ) async {
        var head = self.head(status, contentType: contentType, warnings: warnings)
        head.fields.append(contentsOf: fields)
        var body = body
        if let gzip = self.gzip(byteCount: body.readableBytes) {
            body = gzip.compress(body, isLast: true)
            head.fields.append(.contentEncoding, "gzip")
            head.fields.append(.vary, "Accept-Encoding")
        }
        head.fields.append(.contentLength, "\(body.readableBytes)")
        // The client may be gone, which is its business.
        try? await self.response.send(head, body: body)
    }

    /// What compresses an answer of this size; nil when it goes out as it is.
    func gzip(byteCount: Int) -> GzipStream? {
        guard byteCount >= ContentCoding.gzipThresholdBytes,
            ContentCoding.acceptsGzip(self.field(.acceptEncoding))
        else { return nil }
        return GzipStream()
    }

    /// Sends a failure as a Status.
    func send(_ error: StatusError) async throws {
        let representation =
            (try? AcceptNegotiation.plain.negotiate(self.field(.accept)))
            ?? Representation(.json)
        let (type, body) = Self.encode(error, representation)
        var head = self.head(HTTPStatus(rawValue: Self.code(error)), contentType: type)
        if let seconds = error.status.details?.retryAfterSeconds, seconds > 0 {
            head.fields.append(.retryAfter, "\(seconds)")
        }
        head.fields.append(.contentLength, "\(body.readableBytes)")
        try await self.response.send(head, body: body)
    }

    private static func code(_ error: StatusError) -> Int {
        (100...599).contains(error.code) ? error.code : 500
    }

    private static func encode(
        _ error: StatusError,
        _ representation: Representation
    ) -> (String, ByteBuffer) {
        if representation.mediaType == .protobuf {
            return (MediaType.protobuf.rawValue, ByteBuffer(bytes: Envelope.seal(error.status)))
        }
        let json = (try? error.status.json()) ?? Array("{}".utf8)
        if representation.mediaType == .yaml, let yaml = try? YAML.text(fromJSON: json) {
            return (MediaType.yaml.rawValue, ByteBuffer(bytes: yaml))
        }
        return (MediaType.json.rawValue, ByteBuffer(bytes: json + [0x0A]))
    }

    /// Refuses a request that could not be read.
    static func refuse(
        _ error: StatusError,
        _ request: HTTPRequest,
        _ response: HTTPResponseWriter
    ) async throws {
        let (type, body) = self.encode(error, Representation(.json))
        var fields = HeaderFields()
        fields.append(.contentType, type)
        fields.append(.contentLength, "\(body.readableBytes)")
        try await response.send(
            HTTPResponseHead(status: HTTPStatus(rawValue: self.code(error)), fields: fields),
            body: body
        )
    }
}

extension StatusError {
    init(negotiation error: NegotiationError) {
        self.init(Reason(rawValue: error.reason), code: Int32(error.code), error.message)
    }

    init(parameter error: ParameterError) {
        switch error {
        case .badRequest(let message):
            self = .badRequest(message)
        case .invalid(let kind, let errors):
            self = .invalid(kind: kind, group: "meta.k8s.io", name: "", errors)
        }
    }
}
