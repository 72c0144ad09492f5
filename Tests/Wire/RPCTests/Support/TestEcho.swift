// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPCInterface

/// An Echo service whose methods a test writes. What it does not write echoes.
struct TestEcho: EchoService {
    var onUnary: @Sendable (EchoRequest, ServerContext) async throws -> EchoResponse = {
        request,
        _ in request
    }
    /// `number` responses with the request's payload.
    var onDownload:
        @Sendable (EchoRequest, RPCWriter<EchoResponse>, ServerContext) async throws -> Void = {
            request,
            responses,
            _ in
            for number in 0..<request.number {
                try await responses.write(EchoResponse(number: number, payload: request.payload))
            }
        }
    /// The sum of the numbers, and the payloads one after the other.
    var onUpload:
        @Sendable (RPCRequestStream<EchoRequest>, ServerContext) async throws -> EchoResponse = {
            requests,
            _ in
            var response = EchoResponse()
            for try await request in requests {
                response.number &+= request.number
                response.payload += request.payload
            }
            return response
        }
    /// Each request.
    var onTalk:
        @Sendable (
            RPCRequestStream<EchoRequest>, RPCWriter<EchoResponse>, ServerContext
        ) async throws -> Void = { requests, responses, _ in
            for try await request in requests { try await responses.write(request) }
        }

    func unary(_ request: EchoRequest, context: ServerContext) async throws -> EchoResponse {
        try await self.onUnary(request, context)
    }

    func download(
        _ request: EchoRequest,
        responses: RPCWriter<EchoResponse>,
        context: ServerContext
    ) async throws {
        try await self.onDownload(request, responses, context)
    }

    func upload(
        _ requests: RPCRequestStream<EchoRequest>,
        context: ServerContext
    ) async throws -> EchoResponse {
        try await self.onUpload(requests, context)
    }

    func talk(
        _ requests: RPCRequestStream<EchoRequest>,
        responses: RPCWriter<EchoResponse>,
        context: ServerContext
    ) async throws {
        try await self.onTalk(requests, responses, context)
    }
}
