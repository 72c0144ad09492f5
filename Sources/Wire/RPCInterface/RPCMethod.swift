// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How many messages each side of a call sends.
public enum RPCKind: Sendable, Hashable, CaseIterable {
    /// One request, one response.
    case unary
    /// Any number of requests, one response.
    case clientStreaming
    /// One request, any number of responses.
    case serverStreaming
    /// Any number of messages both ways, independently.
    case bidirectional

    /// Whether the client may send any number of messages.
    public var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }

    /// Whether the server may send any number of messages.
    public var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
}

/// One method of a service.
public struct RPCMethod: Sendable, Hashable {
    /// The service's full name, such as `grpc.health.v1.Health`.
    public let service: String
    /// The method's own name, such as `Check`.
    public let name: String
    /// `/service/name`: the `:path` of the HTTP/2 request.
    public let path: String
    /// How many messages each side sends.
    public let kind: RPCKind

    /// A method by its service's full name and its own name.
    public init(service: String, name: String, kind: RPCKind) {
        self.service = service
        self.name = name
        self.path = "/\(service)/\(name)"
        self.kind = kind
    }
}

extension RPCMethod: CustomStringConvertible {
    public var description: String { self.path }
}
