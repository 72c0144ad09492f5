// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import Synchronization
import TLS

/// A server on a loopback port with a loop of its own.
struct TestServer {
    let server: HTTPServer
    let group: MultiThreadedEventLoopGroup
    var port: Int { self.server.localAddress?.port ?? 0 }

    static func start(
        _ handler: any HTTPServerHandler = AsyncHTTPServerHandler(DemoHandler()),
        tls: TLSContextSource? = nil,
        limits: HTTPLimits = .patient,
        endpoint: HTTPEndpoint = .tcp(host: "127.0.0.1", port: 0),
    ) async throws -> TestServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTPServer.start(
            on: endpoint,
            tls: tls,
            handler: handler,
            limits: limits,
            group: group,
        )
        return TestServer(server: server, group: group)
    }

    func stop() async throws {
        await self.server.shutdown(drain: .milliseconds(200))
        try await self.group.shutdownGracefully()
    }
}

extension HTTPLimits {
    /// Connections may say nothing for long: a test that shares the machine may not get to it.
    static var patient: HTTPLimits {
        var limits = HTTPLimits()
        limits.handshakeTimeout = .seconds(300)
        return limits
    }

    /// No clock runs out while a test is at work.
    static var unhurried: HTTPLimits {
        var limits = HTTPLimits.patient
        limits.headerTimeout = .seconds(300)
        limits.idleTimeout = .seconds(300)
        return limits
    }
}

/// Runs `body` with a server and stops it whatever happens.
func withServer(
    _ handler: any HTTPServerHandler = AsyncHTTPServerHandler(DemoHandler()),
    tls: TLSContextSource? = nil,
    limits: HTTPLimits = .patient,
    _ body: (TestServer) async throws -> Void,
) async throws {
    let server = try await TestServer.start(handler, tls: tls, limits: limits)
    do {
        try await body(server)
    } catch {
        try await server.stop()
        throw error
    }
    try await server.stop()
}

/// Counts handlers that run, and those that were cancelled.
final class HandlerCounts: Sendable {
    let started = Atomic<Int>(0)
    let finished = Atomic<Int>(0)
    let cancelled = Atomic<Int>(0)
    /// Body bytes that a handler has written so far.
    let written = Atomic<Int>(0)
}

/// A few resources that show what a handler can do.
struct DemoHandler: HTTPRequestHandler {
    var counts = HandlerCounts()

    func handle(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        self.counts.started.add(1, ordering: .relaxed)
        defer { self.counts.finished.add(1, ordering: .relaxed) }
        do {
            try await self.route(request, response)
        } catch {
            if Task.isCancelled { self.counts.cancelled.add(1, ordering: .relaxed) }
            throw error
        }
    }

    private func route(_ request: HTTPRequest, _ response: HTTPResponseWriter) async throws {
        let path = String(request.head.path.prefix { $0 != "?" })
        switch path {
        case "/echo":
            try await response.send(HTTPResponseHead(status: .ok, fields: [.contentType: "a/b"]))
            for try await chunk in request.body { try await response.write(chunk) }
        case "/upload":
            var count = 0
            for try await chunk in request.body { count += chunk.readableBytes }
            try await response.send(
                HTTPResponseHead(status: .ok),
                body: ByteBuffer(string: "\(count)\n")
            )
        case "/trailers":
            try await response.send(HTTPResponseHead(status: .ok))
            try await response.write(ByteBuffer(string: "body\n"))
            try await response.finish(trailers: [.grpcStatus: "7"])
        case "/who":
            let peer = request.peer
            let text =
                "\(peer.version) \(request.head.method) \(peer.isSecure) "
                + "\(peer.applicationProtocol ?? "-") \(peer.certificates.count) "
                + "\(request.head.authority)\n"
            try await response.send(
                HTTPResponseHead(status: .ok),
                body: ByteBuffer(string: text)
            )
        case "/endless":
            try await response.send(HTTPResponseHead(status: .ok))
            let block = ByteBuffer(repeating: 120, count: 10_000)
            while true {
                try await response.write(block)
                self.counts.written.add(block.readableBytes, ordering: .relaxed)
            }
        case "/hang":
            try await Task.sleep(for: .seconds(600))
        case "/refuse":
            // Answers without reading the body.
            try await response.send(HTTPResponseHead(status: .contentTooLarge), body: ByteBuffer())
        case "/fail":
            throw HTTPBodyTooLarge(limit: 0)
        case "/raw":
            guard try await response.upgrade(to: "raw-echo") else {
                try await response.send(HTTPResponseHead(status: .badRequest), body: ByteBuffer())
                return
            }
            for try await chunk in request.body { try await response.write(chunk) }
        default:
            try await response.send(HTTPResponseHead(status: .notFound), body: ByteBuffer())
        }
    }
}

/// Looks again and again until something holds, for a minute at most: tests share the machine.
func poll(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}
