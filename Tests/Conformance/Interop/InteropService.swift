// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf
import RPCInterface

/// The server of gRPC's interoperability cases.
struct InteropService: GrpcTesting.TestService {
    func emptyCall(
        _ request: GrpcTesting.Empty,
        context: ServerContext
    ) async throws -> GrpcTesting.Empty {
        self.echoMetadata(context)
        return GrpcTesting.Empty()
    }

    func unaryCall(
        _ request: GrpcTesting.SimpleRequest,
        context: ServerContext
    ) async throws -> GrpcTesting.SimpleResponse {
        self.echoMetadata(context)
        try Self.checkCompression(request.expectCompressed, context)
        try Self.echoStatus(request.responseStatus)
        if let compressed = request.responseCompressed {
            context.compression = compressed.value ? .gzip : .identity
        }
        let size = Int(request.responseSize)
        return .with { $0.payload = Self.payload(size) }
    }

    func streamingOutputCall(
        _ request: GrpcTesting.StreamingOutputCallRequest,
        responses: RPCWriter<GrpcTesting.StreamingOutputCallResponse>,
        context: ServerContext
    ) async throws {
        self.echoMetadata(context)
        try Self.echoStatus(request.responseStatus)
        try await self.respond(to: request, responses, context)
    }

    func streamingInputCall(
        _ requests: RPCRequestStream<GrpcTesting.StreamingInputCallRequest>,
        context: ServerContext
    ) async throws -> GrpcTesting.StreamingInputCallResponse {
        var total: Int32 = 0
        for try await request in requests {
            try Self.checkCompression(request.expectCompressed, context)
            total += Int32(request.payload?.body.count ?? 0)
        }
        return .with { $0.aggregatedPayloadSize = total }
    }

    func fullDuplexCall(
        _ requests: RPCRequestStream<GrpcTesting.StreamingOutputCallRequest>,
        responses: RPCWriter<GrpcTesting.StreamingOutputCallResponse>,
        context: ServerContext
    ) async throws {
        self.echoMetadata(context)
        for try await request in requests {
            try Self.echoStatus(request.responseStatus)
            try await self.respond(to: request, responses, context)
        }
    }

    func halfDuplexCall(
        _ requests: RPCRequestStream<GrpcTesting.StreamingOutputCallRequest>,
        responses: RPCWriter<GrpcTesting.StreamingOutputCallResponse>,
        context: ServerContext
    ) async throws {
        var all: [GrpcTesting.StreamingOutputCallRequest] = []
        for try await request in requests { all.append(request) }
        for request in all { try await self.respond(to: request, responses, context) }
    }

    func unimplementedCall(
        _ request: GrpcTesting.Empty,
        context: ServerContext
    ) async throws -> GrpcTesting.Empty {
        throw RPCError.unimplemented(context.method)
    }

    // MARK: -

    static let initialName = "x-grpc-test-echo-initial"
    static let trailingName = "x-grpc-test-echo-trailing-bin"

    static func payload(_ size: Int) -> GrpcTesting.Payload {
        .with { $0.body = Bytes([UInt8](repeating: 0, count: max(size, 0))) }
    }

    private func respond(
        to request: GrpcTesting.StreamingOutputCallRequest,
        _ responses: RPCWriter<GrpcTesting.StreamingOutputCallResponse>,
        _ context: ServerContext
    ) async throws {
        for parameters in request.responseParameters {
            if parameters.intervalUs > 0 {
                try await Task.sleep(for: .microseconds(Int(parameters.intervalUs)))
            }
            if let compressed = parameters.compressed {
                context.compression = compressed.value ? .gzip : .identity
            }
            let size = Int(parameters.size)
            try await responses.write(.with { $0.payload = Self.payload(size) })
        }
    }

    private func echoMetadata(_ context: ServerContext) {
        if let value = context.metadata[Self.initialName] {
            context.addInitialMetadata([Self.initialName: value])
        }
        if let value = context.metadata[binary: Self.trailingName] {
            var metadata = Metadata()
            metadata.add(Self.trailingName, binary: value)
            context.addTrailingMetadata(metadata)
        }
    }

    private static func echoStatus(_ status: GrpcTesting.EchoStatus?) throws(RPCError) {
        guard let status, status.code != 0 else { return }
        throw RPCError(
            code: RPCStatusCode(rawValue: Int(status.code)),
            message: status.message
        )
    }

    private static func checkCompression(
        _ expected: GrpcTesting.BoolValue?,
        _ context: ServerContext
    ) throws(RPCError) {
        guard let expected, expected.value != context.isRequestCompressed else { return }
        throw RPCError(code: .invalidArgument, message: "the request's compression is wrong")
    }
}
