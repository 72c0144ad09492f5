// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import RPCInterface
import Testing

@testable import RPC

/// What a server does with peers that break the rules of RPC, or use them to hurt.
@Suite("Hostile peers", .serialized, .timeLimit(.minutes(10)))
struct HostilePeerTests {
    /// Runs `body` with the port of a server, and checks that it serves well-behaved clients before
    /// and after.
    static func withServer(
        _ service: TestEcho = TestEcho(),
        options: RPCServerOptions = RPCServerOptions(),
        httpLimits: HTTPLimits = HTTPLimits(),
        _ body: (Int, RPCServer) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await RPCServer.start(
            on: .tcp(host: "127.0.0.1", port: 0),
            services: [service],
            options: options,
            httpLimits: httpLimits,
            group: group
        )
        let port = server.localAddress?.port ?? 0
        let client = RPCClient(to: .tcp(host: "127.0.0.1", port: port), group: group)
        let echo = EchoClient(channel: client)
        let request = EchoRequest(number: 7, payload: [1, 2, 3])
        let before = try await echo.unary(request)
        #expect(before == request)
        try await body(port, server)
        // The same connection, still.
        let after = try await echo.unary(request)
        #expect(after == request)
        client.close(gracefully: false)
        await server.shutdown(drain: .zero)
    }

    static let good: [UInt8] = MessageFramingTests.frame([0, 0, 0, 0, 0, 0, 0, 1])

    /// A request that is wrong in one way.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let what: String
        let head: HTTPRequestHead
        let body: [[UInt8]]
        let code: RPCStatusCode

        var testDescription: String { self.what }

        init(
            _ what: String,
            path: String = "/test.v1.Echo/Unary",
            _ fields: HeaderFields = [:],
            method: HTTPMethod = .post,
            _ body: [UInt8]...,
            gives code: RPCStatusCode
        ) {
            self.what = what
            self.head = RawRequest.head(path: path, method: method, fields)
            self.body = body
            self.code = code
        }
    }

    /// Message framing and compression, for both ways that requests are read.
    static func framing(_ path: String) -> [Wrong] {
        let none = HeaderFields()
        let gzip: HeaderFields = [.grpcEncoding: "gzip"]
        let snappy: HeaderFields = [.grpcEncoding: "snappy"]
        var wrongs: [Wrong] = []
        func add(
            _ what: String,
            _ fields: HeaderFields,
            _ bytes: [UInt8],
            _ code: RPCStatusCode
        ) {
            wrongs.append(Wrong("\(what), \(path)", path: path, fields, bytes, gives: code))
        }
        add("a length of 4 GiB", none, [0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3], .resourceExhausted)
        add("a length above the limit", none, [0, 0, 0x40, 0, 1], .resourceExhausted)
        add("half a prefix", none, [0, 0, 0], .internalError)
        add("half a message", none, [0, 0, 0, 0, 10, 1, 2], .internalError)
        add("an unknown flag", none, [7, 0, 0, 0, 0], .internalError)
        add("compressed without an encoding", none, [1, 0, 0, 0, 1, 0], .internalError)
        add("gzip that is none", gzip, [1, 0, 0, 0, 3, 1, 2, 3], .internalError)
        add("an encoding that nobody knows", snappy, Self.good, .unimplemented)
        add("bytes that are no message", none, [0, 0, 0, 0, 1, 9], .internalError)
        return wrongs
    }

    static let timeouts = ["1", "S", "1x", "-1S", "123456789S", "1 S", ""]

    static let paths = [
        "/", "/test.v1.Echo", "/test.v1.Echo/", "//test.v1.Echo/Unary", "/test.v1.Echo//Unary",
        "/test.v1.Echo/./Unary", "/test.v1.Echo/../Echo/Unary", "/test.v1.Echo%2fUnary",
        "/test.v1.Echo/Unary/", "/test.v1.Echo/Unary?x", "/Test.v1.Echo/Unary",
        "/test.v1.Echo/%55nary",
    ]

    static let wrongs: [Wrong] = {
        var wrongs = Self.framing("/test.v1.Echo/Unary")
        wrongs += Self.framing("/test.v1.Echo/Upload")
        let two: [UInt8] = Self.good + Self.good
        wrongs.append(
            Wrong("two requests in a unary call", HeaderFields(), two, gives: .internalError)
        )
        wrongs.append(Wrong("no request in a unary call", gives: .internalError))
        wrongs.append(
            Wrong(
                "another method than POST",
                HeaderFields(),
                method: .put,
                Self.good,
                gives: .internalError
            )
        )
        for text in Self.timeouts {
            let fields: HeaderFields = [.grpcTimeout: text]
            wrongs.append(
                Wrong("the timeout \(text)", fields, Self.good, gives: .internalError)
            )
        }
        let zero: HeaderFields = [.grpcTimeout: "0S"]
        wrongs.append(Wrong("a timeout of 0", zero, Self.good, gives: .deadlineExceeded))
        for path in Self.paths {
            wrongs.append(
                Wrong(
                    "the path \(path)",
                    path: path,
                    HeaderFields(),
                    Self.good,
                    gives: .unimplemented
                )
            )
        }
        return wrongs
    }()

    @Test("a request that is wrong gets its status, and nobody else notices")
    func wrong() async throws {
        try await Self.withServer { port, server in
            for wrong in Self.wrongs {
                let answer = try await RawRequest.send(wrong.head, body: wrong.body, to: port)
                #expect(answer.code == wrong.code.rawValue, "\(wrong.what)")
                #expect(answer.status == 200, "\(wrong.what)")
            }
        }
    }

    @Test("the same however the bytes are cut")
    func cut() async throws {
        try await Self.withServer { port, server in
            // A second message that comes after the answer changes nothing any more.
            for wrong in Self.wrongs
            where wrong.body.count == 1 && !wrong.what.hasPrefix("two requests") {
                let bytes = wrong.body[0].map { [$0] }
                let answer = try await RawRequest.send(wrong.head, body: bytes, to: port)
                #expect(answer.code == wrong.code.rawValue, "\(wrong.what)")
            }
        }
    }

    @Test("a good request cut into single bytes is answered")
    func cutGood() async throws {
        try await Self.withServer { port, server in
            let bytes = Self.good.map { [$0] }
            let answer = try await RawRequest.send(RawRequest.head(), body: bytes, to: port)
            #expect(answer.code == 0)
            #expect(answer.body == Self.good)
        }
    }

    @Test(
        "content types that are not RPC's get 415",
        arguments: [
            "application/json", "application/grpc-web", "application/grpcx", "text/plain",
            "application", "",
        ]
    )
    func contentType(_ type: String) async throws {
        try await Self.withServer { port, server in
            let head = RawRequest.head([.contentType: type])
            let answer = try await RawRequest.send(head, body: [Self.good], to: port)
            #expect(answer.status == 415)
        }
    }

    @Test(
        "content types that are RPC's are served",
        arguments: [
            "application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8",
            "Application/gRPC+json",
        ]
    )
    func goodContentType(_ type: String) async throws {
        try await Self.withServer { port, server in
            let head = RawRequest.head([.contentType: type])
            let answer = try await RawRequest.send(head, body: [Self.good], to: port)
            #expect(answer.code == 0)
        }
    }

    @Test("a decompression bomb is stopped by the limit", arguments: ["Unary", "Upload"])
    func bomb(_ method: String) async throws {
        var outbound = OutboundQueue(maxMessageBytes: 1 << 30)
        outbound.encoding = .gzip
        try outbound.append { sink in
            sink.append(contentsOf: [UInt8](repeating: 0, count: 200 << 20))
        }
        let bomb = Array(outbound.drain().readableBytesView)
        #expect(bomb.count < 1 << 20)
        try await Self.withServer { port, server in
            let head = RawRequest.head(path: "/test.v1.Echo/\(method)", [.grpcEncoding: "gzip"])
            let answer = try await RawRequest.send(head, body: [bomb], to: port)
            #expect(answer.code == RPCStatusCode.resourceExhausted.rawValue)
        }
    }

    @Test("UNIMPLEMENTED for an encoding says which ones are accepted")
    func acceptedEncodings() async throws {
        try await Self.withServer { port, server in
            let head = RawRequest.head([.grpcEncoding: "snappy"])
            let answer = try await RawRequest.send(head, body: [Self.good], to: port)
            #expect(answer.fields[.grpcAcceptEncoding] == "identity,gzip,deflate")
        }
    }

    @Test("a header list above the limit is refused")
    func metadataBomb() async throws {
        try await Self.withServer { port, server in
            var fields: HeaderFields = [:]
            let name = try #require(HeaderName("x-bomb"))
            for _ in 0..<100 { fields.append(name, String(repeating: "v", count: 1000)) }
            let answer = try await RawRequest.send(
                RawRequest.head(fields),
                body: [Self.good],
                to: port
            )
            #expect(answer.status == 431 || answer.status == nil)
            #expect(answer.code != 0)
        }
    }

    @Test("calls that are reset at once cancel their handlers, and the peer is sent away")
    func cancelStorm() async throws {
        let running = Shared(0)
        let started = Shared(0)
        var service = TestEcho()
        service.onTalk = { requests, responses, _ in
            running.update { $0 += 1 }
            started.update { $0 += 1 }
            defer { running.update { $0 -= 1 } }
            try await responses.write(EchoResponse())
            for try await _ in requests {}
        }
        // A burst of a thousand, and so slow afterwards that no machine takes part in the outcome.
        var limits = HTTPLimits()
        limits.peerResetsPerSecond = 1
        limits.burstSeconds = 1000
        try await Self.withServer(service, httpLimits: limits) { port, server in
            let client = RPCClient(
                to: .tcp(host: "127.0.0.1", port: port),
                group: MultiThreadedEventLoopGroup.singleton
            )
            let echo = EchoClient(channel: client)
            var failures = 0
            for _ in 0..<2500 {
                do {
                    let call = try await echo.talk()
                    _ = try await call.responses.next()
                    call.cancel()
                } catch {
                    failures += 1
                }
            }
            try await poll("all handlers are over") { running.value == 0 }
            client.close(gracefully: false)
            // A thousand resets in a burst are let pass, then the connection ends.
            #expect(failures > 0)
            #expect(started.value > 900)
        }
    }

    @Test("a thousand idle calls are over when their connection is")
    func idleCalls() async throws {
        let running = Shared(0)
        var service = TestEcho()
        service.onTalk = { requests, responses, _ in
            running.update { $0 += 1 }
            defer { running.update { $0 -= 1 } }
            try await responses.write(EchoResponse())
            for try await _ in requests {}
        }
        try await Self.withServer(service) { port, server in
            let client = RPCClient(
                to: .tcp(host: "127.0.0.1", port: port),
                group: MultiThreadedEventLoopGroup.singleton
            )
            let echo = EchoClient(channel: client)
            var calls: [RPCBidirectionalCall<EchoRequest, EchoResponse>] = []
            for _ in 0..<1000 {
                let call = try await echo.talk()
                calls.append(call)
            }
            for call in calls {
                let response = try await call.responses.next()
                #expect(response != nil)
            }
            #expect(running.value == 1000)
            client.close(gracefully: false)
            try await poll("all handlers are over") { running.value == 0 }
            for call in calls {
                await expectStatus(.unavailable) { _ = try await call.responses.next() }
            }
        }
    }

    @Test("more calls at once than the limit get RESOURCE_EXHAUSTED", arguments: [9, 10, 11])
    func concurrentCalls(_ count: Int) async throws {
        var options = RPCServerOptions()
        options.limits.concurrentCalls = 10
        var service = TestEcho()
        service.onTalk = { requests, responses, _ in
            try await responses.write(EchoResponse())
            for try await _ in requests {}
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await RPCServer.start(
            on: .tcp(host: "127.0.0.1", port: 0),
            services: [service],
            options: options,
            group: group
        )
        let client = RPCClient(
            to: .tcp(host: "127.0.0.1", port: server.localAddress?.port ?? 0),
            group: group
        )
        let echo = EchoClient(channel: client)
        var codes: [RPCStatusCode] = []
        var calls: [RPCBidirectionalCall<EchoRequest, EchoResponse>] = []
        for _ in 0..<count {
            do {
                let call = try await echo.talk()
                calls.append(call)
                _ = try await call.responses.next()
            } catch {
                codes.append(error.code)
            }
        }
        #expect(codes == (count > 10 ? [.resourceExhausted] : []))
        for call in calls { call.cancel() }
        client.close(gracefully: false)
        await server.shutdown(drain: .zero)
    }

    @Test("shutting down lets running calls finish and refuses new ones")
    func drain() async throws {
        let gate = Shared(false)
        let isRunning = Shared(false)
        var service = TestEcho()
        service.onUnary = { request, _ in
            isRunning.set(true)
            try await poll("the gate opens") { gate.value }
            return request
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await RPCServer.start(
            on: .tcp(host: "127.0.0.1", port: 0),
            services: [service],
            group: group
        )
        let client = RPCClient(
            to: .tcp(host: "127.0.0.1", port: server.localAddress?.port ?? 0),
            group: group
        )
        let echo = EchoClient(channel: client)
        let call = Task { try await echo.unary(EchoRequest(number: 3)) }
        try await poll("the call runs") { isRunning.value }
        let shutdown = Task { await server.shutdown(drain: .seconds(20)) }
        // New calls find no server soon.
        var isRefused = false
        for _ in 0..<500 where !isRefused {
            do {
                _ = try await echo.download(EchoRequest()).next()
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                isRefused = (error as? RPCError)?.code == .unavailable
            }
        }
        #expect(isRefused)
        gate.set(true)
        let response = try await call.value
        #expect(response.number == 3)
        await shutdown.value
        client.close(gracefully: false)
    }
}
