// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Message types, a client and a server protocol written by hand in exactly the shape that generated
// code has. The schema:
//
//     package test.v1;
//     service Echo {
//       rpc Unary(EchoRequest) returns (EchoResponse);
//       rpc Download(EchoRequest) returns (stream EchoResponse);
//       rpc Upload(stream EchoRequest) returns (EchoResponse);
//       rpc Talk(stream EchoRequest) returns (stream EchoResponse);
//     }

public import RPCInterface

// MARK: - As generated: methods

/// The methods of `test.v1.Echo`.
public enum EchoMethods {
    /// `/test.v1.Echo/Unary`
    public static let unary = RPCMethod(service: "test.v1.Echo", name: "Unary", kind: .unary)
    /// `/test.v1.Echo/Download`
    public static let download = RPCMethod(
        service: "test.v1.Echo",
        name: "Download",
        kind: .serverStreaming
    )
    /// `/test.v1.Echo/Upload`
    public static let upload = RPCMethod(
        service: "test.v1.Echo",
        name: "Upload",
        kind: .clientStreaming
    )
    /// `/test.v1.Echo/Talk`
    public static let talk = RPCMethod(
        service: "test.v1.Echo",
        name: "Talk",
        kind: .bidirectional
    )
}

// MARK: - As generated: client

/// A client of `test.v1.Echo`.
public struct EchoClient: RPCServiceClient {
    public static let rpcServiceName = "test.v1.Echo"

    public let channel: any RPCChannel

    public init(channel: any RPCChannel) { self.channel = channel }

    /// (the method's comment in the schema)
    public func unary(
        _ request: EchoRequest,
        options: CallOptions = CallOptions()
    ) async throws(RPCError) -> EchoResponse {
        try await self.channel.unary(EchoMethods.unary, request, options: options)
    }

    /// (the method's comment in the schema)
    public func download(
        _ request: EchoRequest,
        options: CallOptions = CallOptions()
    ) async throws(RPCError) -> RPCResponseStream<EchoResponse> {
        try await self.channel.serverStreaming(EchoMethods.download, request, options: options)
    }

    /// (the method's comment in the schema)
    public func upload(
        options: CallOptions = CallOptions()
    ) async throws(RPCError) -> RPCClientStreamingCall<EchoRequest, EchoResponse> {
        try await self.channel.clientStreaming(EchoMethods.upload, options: options)
    }

    /// (the method's comment in the schema)
    public func talk(
        options: CallOptions = CallOptions()
    ) async throws(RPCError) -> RPCBidirectionalCall<EchoRequest, EchoResponse> {
        try await self.channel.bidirectional(EchoMethods.talk, options: options)
    }
}

// MARK: - As generated: server

/// An implementation of `test.v1.Echo`.
public protocol EchoService: RPCService {
    /// (the method's comment in the schema)
    func unary(_ request: EchoRequest, context: ServerContext) async throws -> EchoResponse

    /// (the method's comment in the schema)
    func download(
        _ request: EchoRequest,
        responses: RPCWriter<EchoResponse>,
        context: ServerContext
    ) async throws

    /// (the method's comment in the schema)
    func upload(
        _ requests: RPCRequestStream<EchoRequest>,
        context: ServerContext
    ) async throws -> EchoResponse

    /// (the method's comment in the schema)
    func talk(
        _ requests: RPCRequestStream<EchoRequest>,
        responses: RPCWriter<EchoResponse>,
        context: ServerContext
    ) async throws
}

extension EchoService {
    public static var rpcServiceName: String { "test.v1.Echo" }

    public var rpcMethods: [RPCServerMethod] {
        [
            .unary(EchoMethods.unary) { (request: EchoRequest, context) -> EchoResponse in
                try await self.unary(request, context: context)
            },
            .serverStreaming(EchoMethods.download) {
                (request: EchoRequest, responses: RPCWriter<EchoResponse>, context) in
                try await self.download(request, responses: responses, context: context)
            },
            .clientStreaming(EchoMethods.upload) {
                (requests: RPCRequestStream<EchoRequest>, context) -> EchoResponse in
                try await self.upload(requests, context: context)
            },
            .bidirectional(EchoMethods.talk) {
                (
                    requests: RPCRequestStream<EchoRequest>,
                    responses: RPCWriter<EchoResponse>,
                    context
                ) in
                try await self.talk(requests, responses: responses, context: context)
            },
        ]
    }
}

// MARK: - Messages by hand

/// A request: a number and some bytes, as 8 bytes big-endian followed by the bytes.
public struct EchoRequest: RPCMessage, Equatable {
    public var number: UInt64
    public var payload: [UInt8]

    public init(number: UInt64 = 0, payload: [UInt8] = []) {
        self.number = number
        self.payload = payload
    }

    public init(rpcBytes bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count >= 8 else { throw EchoDecodingError(byteCount: bytes.count) }
        self.number = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        self.payload = [UInt8](bytes[8...])
    }

    public func encodeRPC(to sink: inout RPCByteSink) throws {
        sink.append(byteCount: 8 + self.payload.count) { memory in
            memory.storeBytes(of: self.number.bigEndian, as: UInt64.self)
            UnsafeMutableRawBufferPointer(rebasing: memory[8...]).copyBytes(from: self.payload)
        }
    }
}

/// A response has the shape of a request.
public typealias EchoResponse = EchoRequest

/// Bytes that are no message.
struct EchoDecodingError: Error { let byteCount: Int }
