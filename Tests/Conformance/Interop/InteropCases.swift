// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import GRPCServices
import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import Protobuf
import RPC
import RPCInterface
import Testing

/// gRPC's interoperability cases with our client.
///
/// Source: gRPC `doc/interop-test-descriptions.md`.
enum InteropCases {
    typealias Case = InteropClientTests.Case

    static let largeRequest = 271_828
    static let largeResponse = 314_159
    static let streamRequests = [27182, 8, 1828, 45904]
    static let streamResponses = [31415, 9, 2653, 58979]
    static let maxMessageBytes = 4 << 20

    static let all: [Case] =
        Self.unary + Self.streaming + Self.compression + Self.statuses + Self.cancellation
        + Self.volume + Self.services

    // MARK: Messages

    static func large(
        _ change: (inout GrpcTesting.SimpleRequest) -> Void = { _ in }
    ) -> GrpcTesting.SimpleRequest {
        .with { request in
            request.responseSize = Int32(Self.largeResponse)
            request.payload = InteropService.payload(Self.largeRequest)
            change(&request)
        }
    }

    static func output(
        _ sizes: [Int],
        payload: Int? = nil
    ) -> GrpcTesting.StreamingOutputCallRequest {
        .with { request in
            for size in sizes {
                request.responseParameters.append(.with { $0.size = Int32(size) })
            }
            if let payload { request.payload = InteropService.payload(payload) }
        }
    }

    static func expect(_ condition: Bool, _ text: String) throws {
        if !condition { throw Failure(text: text) }
    }

    struct Failure: Error { let text: String }

    static func expectStatus(
        _ code: RPCStatusCode,
        _ message: String? = nil,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as RPCError {
            try Self.expect(error.code == code, "status is \(error)")
            if let message { try Self.expect(error.message == message, "message is \(error)") }
            return
        }
        throw Failure(text: "the call did not fail with \(code)")
    }

    static func checkLarge(_ client: RPCClient, _ options: CallOptions) async throws {
        let response = try await GrpcTesting.TestClient(channel: client)
            .unaryCall(Self.large(), options: options)
        try Self.expect(response.payload?.body.count == Self.largeResponse, "wrong payload")
    }

    static let limited = CallOptions(timeout: .seconds(60))

    // MARK: Unary

    static let unary: [Case] = [
        Case("empty_unary") { client, _ in
            let stub = GrpcTesting.TestClient(channel: client)
            let response = try await stub.emptyCall(GrpcTesting.Empty(), options: Self.limited)
            try Self.expect(response == GrpcTesting.Empty(), "not empty")
        },
        Case("large_unary") { client, _ in try await Self.checkLarge(client, Self.limited) },
        Case("custom_metadata") { client, _ in
            var options = Self.limited
            options.metadata.add(InteropService.initialName, "test_initial_metadata_value")
            options.metadata.add(InteropService.trailingName, binary: [0xab, 0xab, 0xab])
            let response = try await client.unary(
                GrpcTesting.TestMethods.unaryCall,
                Self.large(),
                options: options,
                returning: GrpcTesting.SimpleResponse.self
            )
            try Self.expect(
                response.initialMetadata[InteropService.initialName]
                    == "test_initial_metadata_value",
                "initial"
            )
            try Self.expect(
                response.trailingMetadata[binary: InteropService.trailingName]
                    == [0xab, 0xab, 0xab],
                "trailing"
            )
            let call = try await GrpcTesting.TestClient(channel: client)
                .fullDuplexCall(options: options)
            try await call.write(Self.output([Self.largeResponse]))
            call.finishRequests()
            let responses = call.responses
            let message = try await responses.next()
            try Self.expect(message?.payload?.body.count == Self.largeResponse, "payload")
            let initial = try await responses.initialMetadata()
            try Self.expect(initial[InteropService.initialName] != nil, "initial of the stream")
            let end = try await responses.next()
            try Self.expect(end == nil, "more messages")
            try Self.expect(
                responses.trailingMetadata[binary: InteropService.trailingName] != nil,
                "trailing of the stream"
            )
        },
    ]

    // MARK: Streaming

    static let streaming: [Case] = [
        Case("client_streaming") { client, _ in
            let call = try await GrpcTesting.TestClient(channel: client)
                .streamingInputCall(options: Self.limited)
            for size in Self.streamRequests {
                try await call.write(.with { $0.payload = InteropService.payload(size) })
            }
            let response = try await call.finish()
            try Self.expect(response.aggregatedPayloadSize == 74922, "wrong size")
        },
        Case("server_streaming") { client, _ in
            let responses = try await GrpcTesting.TestClient(channel: client)
                .streamingOutputCall(Self.output(Self.streamResponses), options: Self.limited)
            var sizes: [Int] = []
            for try await response in responses { sizes.append(response.payload?.body.count ?? -1) }
            try Self.expect(sizes == Self.streamResponses, "sizes \(sizes)")
        },
        Case("ping_pong") { client, _ in
            let call = try await GrpcTesting.TestClient(channel: client)
                .fullDuplexCall(options: Self.limited)
            for (request, response) in zip(Self.streamRequests, Self.streamResponses) {
                try await call.write(Self.output([response], payload: request))
                let message = try await call.responses.next()
                try Self.expect(message?.payload?.body.count == response, "wrong size")
            }
            call.finishRequests()
            let end = try await call.responses.next()
            try Self.expect(end == nil, "more than was asked for")
        },
        Case("half_duplex") { client, _ in
            let call = try await GrpcTesting.TestClient(channel: client)
                .halfDuplexCall(options: Self.limited)
            for size in Self.streamResponses { try await call.write(Self.output([size])) }
            call.finishRequests()
            var sizes: [Int] = []
            for try await response in call.responses {
                sizes.append(response.payload?.body.count ?? -1)
            }
            try Self.expect(sizes == Self.streamResponses, "sizes \(sizes)")
        },
        Case("empty_stream") { client, _ in
            let call = try await GrpcTesting.TestClient(channel: client)
                .fullDuplexCall(options: Self.limited)
            call.finishRequests()
            let end = try await call.responses.next()
            try Self.expect(end == nil, "not empty")
        },
    ]

    // MARK: Compression

    static let compression: [Case] = [
        Case("client_compressed_unary") { client, _ in
            for compression in [RPCCompression.gzip, .deflate] {
                var options = Self.limited
                options.compression = compression
                let request = Self.large { $0.expectCompressed = .with { $0.value = true } }
                let response = try await GrpcTesting.TestClient(channel: client)
                    .unaryCall(request, options: options)
                try Self.expect(response.payload?.body.count == Self.largeResponse, "payload")
            }
            let plain = Self.large { $0.expectCompressed = .with { $0.value = false } }
            _ = try await GrpcTesting.TestClient(channel: client)
                .unaryCall(plain, options: Self.limited)
        },
        Case("server_compressed_unary") { client, _ in
            for value in [true, false] {
                let request = Self.large { $0.responseCompressed = .with { $0.value = value } }
                let response = try await GrpcTesting.TestClient(channel: client)
                    .unaryCall(request, options: Self.limited)
                try Self.expect(response.payload?.body.count == Self.largeResponse, "payload")
            }
        },
        Case("client_compressed_streaming") { client, _ in
            var options = Self.limited
            options.compression = .gzip
            let call = try await GrpcTesting.TestClient(channel: client)
                .streamingInputCall(options: options)
            for size in [27182, 45904] {
                try await call.write(
                    .with { request in
                        request.payload = InteropService.payload(size)
                        request.expectCompressed = .with { $0.value = true }
                    }
                )
            }
            let response = try await call.finish()
            try Self.expect(response.aggregatedPayloadSize == 73086, "wrong size")
        },
        Case("server_compressed_streaming") { client, _ in
            let request = GrpcTesting.StreamingOutputCallRequest.with { request in
                for (size, isCompressed) in [(31415, true), (92653, false)] {
                    request.responseParameters.append(
                        .with { parameters in
                            parameters.size = Int32(size)
                            parameters.compressed = .with { $0.value = isCompressed }
                        }
                    )
                }
            }
            var sizes: [Int] = []
            let responses = try await GrpcTesting.TestClient(channel: client)
                .streamingOutputCall(request, options: Self.limited)
            for try await response in responses { sizes.append(response.payload?.body.count ?? -1) }
            try Self.expect(sizes == [31415, 92653], "sizes \(sizes)")
        },
    ]

    // MARK: Status

    static let statuses: [Case] = [
        Case("status_code_and_message") { client, _ in
            let stub = GrpcTesting.TestClient(channel: client)
            let message = "test status message"
            try await Self.expectStatus(.unknown, message) {
                _ = try await stub.unaryCall(
                    .with { request in
                        request.responseStatus = .with {
                            $0.code = 2
                            $0.message = message
                        }
                    },
                    options: Self.limited
                )
            }
            try await Self.expectStatus(.unknown, message) {
                let call = try await stub.fullDuplexCall(options: Self.limited)
                try await call.write(
                    .with { request in
                        request.responseStatus = .with {
                            $0.code = 2
                            $0.message = message
                        }
                    }
                )
                call.finishRequests()
                while try await call.responses.next() != nil {}
            }
            for code in RPCStatusCode.all.dropFirst() {
                try await Self.expectStatus(code, "m") {
                    _ = try await stub.unaryCall(
                        .with { request in
                            request.responseStatus = .with {
                                $0.code = Int32(code.rawValue)
                                $0.message = "m"
                            }
                        },
                        options: Self.limited
                    )
                }
            }
        },
        Case("special_status_message") { client, _ in
            let message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
            try await Self.expectStatus(.unknown, message) {
                _ = try await GrpcTesting.TestClient(channel: client).unaryCall(
                    .with { request in
                        request.responseStatus = .with {
                            $0.code = 2
                            $0.message = message
                        }
                    },
                    options: Self.limited
                )
            }
        },
        Case("unimplemented_method") { client, _ in
            try await Self.expectStatus(.unimplemented) {
                _ = try await GrpcTesting.TestClient(channel: client)
                    .unimplementedCall(GrpcTesting.Empty(), options: Self.limited)
            }
        },
        Case("unimplemented_service") { client, _ in
            try await Self.expectStatus(.unimplemented) {
                _ = try await GrpcTesting.UnimplementedClient(channel: client)
                    .unimplementedCall(GrpcTesting.Empty(), options: Self.limited)
            }
        },
    ]

    // MARK: Cancellation

    static let cancellation: [Case] = [
        Case("cancel_after_begin") { client, _ in
            let call = try await GrpcTesting.TestClient(channel: client).streamingInputCall()
            call.cancel()
            try await Self.expectStatus(.cancelled) { _ = try await call.finish() }
        },
        Case("cancel_after_first_response") { client, _ in
            let call = try await GrpcTesting.TestClient(channel: client)
                .fullDuplexCall(options: Self.limited)
            try await call.write(Self.output([31415], payload: 27182))
            let message = try await call.responses.next()
            try Self.expect(message?.payload?.body.count == 31415, "wrong size")
            call.cancel()
            try await Self.expectStatus(.cancelled) { _ = try await call.responses.next() }
        },
        Case("timeout_on_sleeping_server") { client, _ in
            let call = try await GrpcTesting.TestClient(channel: client)
                .fullDuplexCall(options: CallOptions(timeout: .milliseconds(20)))
            try await Self.expectStatus(.deadlineExceeded) {
                try await call.write(
                    .with { request in
                        request.payload = InteropService.payload(27182)
                        request.responseParameters.append(
                            .with {
                                $0.size = 1
                                $0.intervalUs = 2_000_000
                            }
                        )
                    }
                )
                _ = try await call.responses.next()
            }
        },
    ]

    // MARK: Volume

    static let volume: [Case] = [
        Case("rpc_soak") { client, _ in
            for _ in 0..<200 { try await Self.checkLarge(client, Self.limited) }
        },
        Case("channel_soak") { _, endpoint in
            for _ in 0..<40 {
                let client = RPCClient(
                    to: endpoint,
                    group: MultiThreadedEventLoopGroup.singleton
                )
                try await Self.checkLarge(client, Self.limited)
                client.close()
            }
        },
        Case("concurrent_large_unary") { client, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask { try await Self.checkLarge(client, Self.limited) }
                }
                try await group.waitForAll()
            }
        },
        Case("large_metadata") { client, _ in
            var options = Self.limited
            let text = String(repeating: "v", count: 6000)
            let bytes = [UInt8]((0..<5120).map { UInt8(truncatingIfNeeded: $0) })
            options.metadata.add(InteropService.initialName, text)
            options.metadata.add(InteropService.trailingName, binary: bytes)
            for number in 0..<60 {
                options.metadata.add("x-many-\(number)", String(repeating: "w", count: 50))
            }
            let response = try await client.unary(
                GrpcTesting.TestMethods.unaryCall,
                GrpcTesting.SimpleRequest.with { $0.responseSize = 1 },
                options: options,
                returning: GrpcTesting.SimpleResponse.self
            )
            try Self.expect(response.initialMetadata[InteropService.initialName] == text, "initial")
            try Self.expect(
                response.trailingMetadata[binary: InteropService.trailingName] == bytes,
                "trailing"
            )
        },
        Case("max_message_size") { client, _ in
            let stub = GrpcTesting.TestClient(channel: client)
            let probe = GrpcTesting.SimpleRequest.with {
                $0.payload = InteropService.payload(Self.maxMessageBytes)
            }
            let overhead = probe.serialized().count - Self.maxMessageBytes
            for (delta, code) in [(0, nil), (1, RPCStatusCode.resourceExhausted)] {
                let size = Self.maxMessageBytes - overhead + delta
                let request = GrpcTesting.SimpleRequest.with {
                    $0.payload = InteropService.payload(size)
                }
                let response = GrpcTesting.SimpleRequest.with { $0.responseSize = Int32(size) }
                for message in [request, response] {
                    if let code {
                        try await Self.expectStatus(code) {
                            _ = try await stub.unaryCall(message, options: Self.limited)
                        }
                    } else {
                        _ = try await stub.unaryCall(message, options: Self.limited)
                    }
                }
            }
            _ = try await stub.emptyCall(GrpcTesting.Empty(), options: Self.limited)
        },
    ]

    // MARK: Health and reflection

    static let services: [Case] = [
        Case("health_check") { client, _ in
            let health = Health.HealthClient(channel: client)
            let check = try await health.check(Health.HealthCheckRequest(), options: Self.limited)
            try Self.expect(check.status == .serving, "\(check)")
            try await Self.expectStatus(.notFound) {
                _ = try await health.check(.with { $0.service = "none" }, options: Self.limited)
            }
            let watch = try await health.watch(
                .with { $0.service = "grpc.testing.TestService" },
                options: Self.limited
            )
            let first = try await watch.next()
            try Self.expect(first?.status == .serving, "\(String(describing: first))")
        },
        Case("reflection") { client, _ in
            let method = RPCMethod(
                service: "grpc.reflection.v1alpha.ServerReflection",
                name: "ServerReflectionInfo",
                kind: .bidirectional
            )
            let call:
                RPCBidirectionalCall<
                    Reflection.ServerReflectionRequest, Reflection.ServerReflectionResponse
                > = try await client.bidirectional(method, options: Self.limited)
            try await call.write(.with { $0.listServices = "" })
            let services = try await call.responses.next()
            let names = services?.listServicesResponse.service.map(\.name) ?? []
            try Self.expect(names.contains("grpc.testing.TestService"), "\(names)")
            try await call.write(.with { $0.fileContainingSymbol = "grpc.testing.SimpleRequest" })
            let files = try await call.responses.next()
            let count = files?.fileDescriptorResponse.fileDescriptorProto.count ?? 0
            try Self.expect(count > 0, "no file")
            call.finishRequests()
        },
    ]
}
