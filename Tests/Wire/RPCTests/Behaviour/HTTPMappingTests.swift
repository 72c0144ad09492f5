// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NIOPosix
import RPCInterface
import Synchronization
import Testing

@testable import RPC

/// What a client makes of servers that are no RPC servers, or bad ones.
@Suite("Client and HTTP", .serialized, .timeLimit(.minutes(10)))
struct HTTPMappingTests {
    /// A server whose streams a test answers.
    final class Scripted: HTTPServerHandler {
        let script: @Sendable (HTTPStream) -> Void
        init(_ script: @escaping @Sendable (HTTPStream) -> Void) { self.script = script }
        func handler(for connection: HTTPConnection) -> any HTTPConnectionHandler {
            Connection(self.script)
        }
        final class Connection: HTTPConnectionHandler {
            let script: @Sendable (HTTPStream) -> Void
            init(_ script: @escaping @Sendable (HTTPStream) -> Void) { self.script = script }
            func startStream(
                _ stream: HTTPStream,
                head: HTTPRequestHead
            ) -> any HTTPStreamReceiver {
                self.script(stream)
                return DiscardingReceiver(stream)
            }
        }
    }

    static func call(
        options: CallOptions = CallOptions(),
        _ script: @escaping @Sendable (HTTPStream) -> Void
    ) async -> RPCError? {
        let connector = MemoryConnector(handler: Scripted(script), faults: .init())
        let client = RPCClient(
            connector: connector,
            options: RPCClientOptions(),
            group: .singletonMultiThreadedEventLoopGroup
        )
        defer { client.close() }
        do {
            _ = try await EchoClient(channel: client).unary(EchoRequest(), options: options)
            return nil
        } catch {
            return error
        }
    }

    static let frame = ByteBuffer(bytes: [0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7])

    @Test(
        "an HTTP status without a gRPC status is mapped",
        arguments: [
            (400, .internalError), (401, .unauthenticated), (403, .permissionDenied),
            (404, .unimplemented), (429, .unavailable), (502, .unavailable), (503, .unavailable),
            (504, .unavailable), (500, .unknown), (302, .unknown), (200, .unknown),
        ] as [(Int, RPCStatusCode)]
    )
    func status(_ status: Int, _ code: RPCStatusCode) async {
        let error = await Self.call { stream in
            stream.send(
                HTTPResponseHead(
                    status: HTTPStatus(rawValue: status),
                    fields: [.contentType: "text/html"]
                )
            )
            stream.send(ByteBuffer(string: "<html>"), endStream: true)
        }
        #expect(error?.code == code)
    }

    @Test("a gRPC status counts more than the HTTP status")
    func statusInError() async {
        let error = await Self.call { stream in
            stream.send(
                HTTPResponseHead(
                    status: .badGateway,
                    fields: [
                        .contentType: "application/grpc", .grpcStatus: "5", .grpcMessage: "a%20b",
                    ]
                ),
                endStream: true
            )
        }
        #expect(error?.code == .notFound)
        #expect(error?.message == "a b")
    }

    @Test(
        "a reset stream is mapped",
        arguments: [
            (.noError, .internalError), (.protocolError, .internalError),
            (.internalError, .internalError), (.refusedStream, .unavailable),
            (.cancel, .cancelled), (.enhanceYourCalm, .resourceExhausted),
            (.inadequateSecurity, .permissionDenied),
            (HTTP2ErrorCode(rawValue: 0xdead), .internalError),
        ] as [(HTTP2ErrorCode, RPCStatusCode)]
    )
    func reset(_ code: HTTP2ErrorCode, _ status: RPCStatusCode) async {
        let error = await Self.call { $0.reset(code) }
        #expect(error?.code == status)
    }

    @Test("a response without a status, or with a malformed one, is an error")
    func noStatus() async {
        let missing = await Self.call { stream in
            stream.send(ResponseHeads.ok)
            stream.send(Self.frame, endStream: true)
        }
        #expect(missing?.code == .internalError)
        for text in ["", "x", "-1", "1.5", "99999999999999999999"] {
            let malformed = await Self.call { stream in
                stream.send(ResponseHeads.ok)
                stream.send(Self.frame)
                stream.send(trailers: [.grpcStatus: text])
            }
            #expect(malformed?.code == .unknown, "\(text)")
        }
    }

    @Test("OK with no message, two messages or half a message is an error")
    func messageCount() async {
        let none = await Self.call { stream in
            stream.send(ResponseHeads.ok)
            stream.send(trailers: ResponseHeads.okTrailers)
        }
        #expect(none?.code == .unimplemented)
        let two = await Self.call { stream in
            stream.send(ResponseHeads.ok)
            stream.send(Self.frame)
            stream.send(Self.frame)
            stream.send(trailers: ResponseHeads.okTrailers)
        }
        #expect(two?.code == .unimplemented)
        let half = await Self.call { stream in
            stream.send(ResponseHeads.ok)
            stream.send(Self.frame.getSlice(at: 0, length: 9) ?? ByteBuffer())
            stream.send(trailers: ResponseHeads.okTrailers)
        }
        #expect(half?.code == .internalError)
        let right = await Self.call { stream in
            stream.send(HTTPResponseHead(status: HTTPStatus(rawValue: 103)))
            stream.send(ResponseHeads.ok)
            stream.send(Self.frame)
            stream.send(trailers: ResponseHeads.okTrailers)
        }
        #expect(right == nil)
    }

    @Test(
        "hostile messages end the call with the framing's error",
        arguments: [
            ([0, 0xff, 0xff, 0xff, 0xff], .resourceExhausted), ([2, 0, 0, 0, 0], .internalError),
            ([1, 0, 0, 0, 1, 0], .internalError), ([0, 0, 0, 0, 1, 9], .internalError),
        ] as [([UInt8], RPCStatusCode)]
    )
    func framing(_ bytes: [UInt8], _ code: RPCStatusCode) async {
        let error = await Self.call { stream in
            stream.send(ResponseHeads.ok)
            stream.send(ByteBuffer(bytes: bytes))
            stream.send(trailers: ResponseHeads.okTrailers)
        }
        #expect(error?.code == code)
    }

    @Test("a decompression bomb is stopped by the limit")
    func bomb() async throws {
        var outbound = OutboundQueue(maxMessageBytes: 1 << 30)
        outbound.encoding = .gzip
        try outbound.append { sink in
            sink.append(contentsOf: [UInt8](repeating: 0, count: 100 << 20))
        }
        let bomb = outbound.drain()
        let error = await Self.call { stream in
            var head = ResponseHeads.ok
            head.fields.append(.grpcEncoding, "gzip")
            stream.send(head)
            stream.send(bomb)
            stream.send(trailers: ResponseHeads.okTrailers)
        }
        #expect(error?.code == .resourceExhausted)
    }

    @Test("an encoding that nobody asked for is INTERNAL")
    func unknownEncoding() async {
        let error = await Self.call { stream in
            var head = ResponseHeads.ok
            head.fields.append(.grpcEncoding, "snappy")
            stream.send(head)
            stream.send(Self.frame)
            stream.send(trailers: ResponseHeads.okTrailers)
        }
        #expect(error?.code == .internalError)
    }

    @Test("the request's head says what it has to")
    func requestHead() async throws {
        try await MemoryConnection.with([TestEcho()]) { client, connector in
            var options = CallOptions(timeout: .seconds(10), compression: .gzip)
            options.metadata.add("x-a", "b")
            _ = try await EchoClient(channel: client).unary(EchoRequest(), options: options)
            let head = try #require(connector.faults.value.heads.first)
            #expect(head.method == .post)
            #expect(head.path == "/test.v1.Echo/Unary")
            #expect(head.authority == "memory")
            #expect(head.fields[.contentType] == "application/grpc")
            #expect(head.fields[.te] == "trailers")
            #expect(head.fields[.grpcEncoding] == "gzip")
            #expect(head.fields[.grpcAcceptEncoding] == "identity,gzip,deflate")
            let timeout = try #require(head.fields[.grpcTimeout].flatMap(GRPCTimeout.parse))
            #expect(timeout > 5_000_000_000 && timeout <= 10_000_000_000)
            #expect(head.fields[.userAgent] == RPCClientOptions().userAgent)
        }
    }
}
