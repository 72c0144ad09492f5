// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A method with its handler, as a server registers it.
///
/// The handler is made by generated code, where message types are known, so decoding, handling and
/// encoding are specialised for them.
public struct RPCServerMethod: Sendable {
    /// How a call of the method begins.
    public enum Start: Sendable {
        /// With its one request message, which is decoded before this returns; an error of the
        /// decoder is thrown.
        case onRequest(@Sendable (UnsafeRawBufferPointer, any RPCServerCall) throws -> Void)
        /// With the request's headers.
        case onHeaders(@Sendable (any RPCServerCall) -> Void)
    }

    /// The method.
    public let method: RPCMethod
    /// Begins a call.
    public let start: Start

    /// A method that begins so.
    public init(method: RPCMethod, start: Start) {
        self.method = method
        self.start = start
    }

    /// A method with one request and one response.
    @inlinable
    public static func unary<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
    ) -> RPCServerMethod {
        RPCServerMethod(
            method: method,
            start: .onRequest { bytes, call in
                let request = try Request(rpcBytes: bytes)
                call.run {
                    let response = try await handler(request, ServerContext(call))
                    _ = try call.append { sink in try response.encodeRPC(to: &sink) }
                }
            }
        )
    }

    /// A method with one request and any number of responses.
    @inlinable
    public static func serverStreaming<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ handler:
            @escaping @Sendable (Request, RPCWriter<Response>, ServerContext) async throws -> Void
    ) -> RPCServerMethod {
        RPCServerMethod(
            method: method,
            start: .onRequest { bytes, call in
                let request = try Request(rpcBytes: bytes)
                call.run { try await handler(request, RPCWriter(call), ServerContext(call)) }
            }
        )
    }

    /// A method with any number of requests and one response.
    @inlinable
    public static func clientStreaming<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ handler:
            @escaping @Sendable (RPCRequestStream<Request>, ServerContext) async throws -> Response
    ) -> RPCServerMethod {
        RPCServerMethod(
            method: method,
            start: .onHeaders { call in
                call.run {
                    let response = try await handler(RPCRequestStream(call), ServerContext(call))
                    _ = try call.append { sink in try response.encodeRPC(to: &sink) }
                }
            }
        )
    }

    /// A method with any number of messages both ways.
    @inlinable
    public static func bidirectional<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ handler:
            @escaping @Sendable (
                RPCRequestStream<Request>, RPCWriter<Response>, ServerContext
            ) async throws -> Void
    ) -> RPCServerMethod {
        RPCServerMethod(
            method: method,
            start: .onHeaders { call in
                call.run {
                    try await handler(
                        RPCRequestStream(call),
                        RPCWriter(call),
                        ServerContext(call)
                    )
                }
            }
        )
    }
}

/// An implementation of a service. Generated protocols refine it, one per service.
///
/// A service of the `proto/` schemas:
///
/// ```proto
/// package test.v1;
/// service Echo {
///   rpc Unary(EchoRequest) returns (EchoResponse);
///   rpc Download(EchoRequest) returns (stream EchoResponse);
///   rpc Upload(stream EchoRequest) returns (EchoResponse);
///   rpc Talk(stream EchoRequest) returns (stream EchoResponse);
/// }
/// ```
///
/// gives a protocol to implement and a client:
///
/// ```swift
/// struct MyEcho: EchoService {
///     func unary(_ request: EchoRequest, context: ServerContext) async throws -> EchoResponse {
///         EchoResponse(text: request.text)
///     }
///     ...
/// }
/// let client = EchoClient(channel: channel)
/// let response = try await client.unary(EchoRequest(text: "a"))
/// for try await response in try await client.download(request) { ... }
/// ```
public protocol RPCService: Sendable {
    /// The service's full name, such as `grpc.health.v1.Health`.
    static var rpcServiceName: String { get }

    /// All methods with their handlers.
    var rpcMethods: [RPCServerMethod] { get }
}

/// A client of one service. Generated clients conform to it.
public protocol RPCServiceClient: Sendable {
    /// The service's full name.
    static var rpcServiceName: String { get }

    /// What calls are made on.
    var channel: any RPCChannel { get }

    /// A client on `channel`.
    init(channel: any RPCChannel)
}
