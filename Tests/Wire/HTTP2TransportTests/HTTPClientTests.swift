// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import Synchronization
import TLS
import Testing

/// Gathers a response, and tells when the stream is over.
final class Collector: HTTPStreamReceiver, @unchecked Sendable {
    struct Response: Sendable {
        var interim: [HTTPResponseHead] = []
        var head: HTTPResponseHead?
        var body: [UInt8] = []
        var trailers: HeaderFields?
        var ended = false
        var closure: HTTPStreamClosure?
        var text: String { String(decoding: self.body, as: UTF8.self) }
    }

    // SAFETY: touched on the stream's event loop only; the promise carries the copy out.
    private var response = Response()
    private let promise: EventLoopPromise<Response>
    /// Nil consumes everything at once.
    var stream: HTTPStream?

    init(_ loop: any EventLoop) {
        self.promise = loop.makePromise()
    }

    var result: EventLoopFuture<Response> { self.promise.futureResult }

    func received(head: HTTPResponseHead) {
        if head.status.isInformational {
            self.response.interim.append(head)
        } else {
            self.response.head = head
        }
    }

    func received(data: ByteBuffer) {
        self.response.body += Array(data.readableBytesView)
        self.stream?.consume(data.readableBytes)
    }

    func received(trailers: HeaderFields) { self.response.trailers = trailers }
    func receivedEnd() { self.response.ended = true }

    func closed(_ reason: HTTPStreamClosure) {
        self.response.closure = reason
        self.stream = nil
        self.promise.succeed(self.response)
    }
}

extension HTTPClientConnection {
    /// One request with a whole body.
    func exchange(
        _ method: HTTPMethod = .get,
        _ path: String,
        body: [UInt8]? = nil,
        trailers: HeaderFields? = nil,
        fields: HeaderFields = HeaderFields(),
        onStart: @escaping @Sendable (HTTPStream) -> Void = { _ in },
    ) async throws -> Collector.Response {
        try await self.eventLoop.flatSubmit {
            let collector = Collector(self.eventLoop)
            let head = HTTPRequestHead(
                method: method,
                scheme: "http",
                authority: "test",
                path: path,
                fields: fields,
            )
            let stream = self.startRequest(head, endStream: body == nil, receiver: collector)
            collector.stream = stream
            if let body {
                if let trailers {
                    stream.send(ByteBuffer(bytes: body))
                    stream.send(trailers: trailers)
                } else {
                    stream.send(ByteBuffer(bytes: body), endStream: true)
                }
            }
            onStart(stream)
            return collector.result
        }.get()
    }
}

@Suite("The client", .serialized)
struct HTTPClientTests {
    static let versions: [HTTPClientConnection.VersionChoice] = [.http2, .http1]

    private func withClient(
        _ server: TestServer,
        _ version: HTTPClientConnection.VersionChoice = .automatic,
        tls: TLSContextSource? = nil,
        limits: HTTPLimits = HTTPLimits(),
        _ body: (HTTPClientConnection) async throws -> Void,
    ) async throws {
        let client = try await HTTPClientConnection.connect(
            to: .tcp(host: "127.0.0.1", port: server.port),
            tls: tls,
            version: version,
            limits: limits,
            on: server.group.next(),
        ).get()
        do {
            try await body(client)
        } catch {
            client.eventLoop.execute { client.close() }
            throw error
        }
        client.eventLoop.execute { client.close() }
        try await client.closed.get()
    }

    @Test("requests and bodies in both versions", arguments: versions)
    func echo(_ version: HTTPClientConnection.VersionChoice) async throws {
        try await withServer { server in
            try await self.withClient(server, version) { client in
                for size in [0, 1, 100_000, 3_000_000] {
                    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                    let response = try await client.exchange(.post, "/echo", body: bytes)
                    #expect(response.head?.status == .ok)
                    #expect(response.body == bytes)
                    #expect(response.closure == .finished)
                    #expect(response.ended)
                }
                let trailers = try await client.exchange(.get, "/trailers")
                #expect(trailers.trailers?[.grpcStatus] == "7")
                #expect(trailers.text == "body\n")
            }
        }
    }

    @Test("interim responses come before the final one", arguments: versions)
    func interim(_ version: HTTPClientConnection.VersionChoice) async throws {
        try await withServer { server in
            try await self.withClient(server, version) { client in
                let response = try await client.exchange(
                    .post,
                    "/upload",
                    body: [1, 2, 3],
                    fields: [.expect: "100-continue"]
                )
                #expect(response.head?.status == .ok)
                #expect(response.interim.allSatisfy { $0.status == .continue })
                #expect(response.text == "3\n")
            }
        }
    }

    @Test("many requests at once wait for the server's limit of streams")
    func manyRequests() async throws {
        var limits = HTTPLimits.patient
        limits.unauthenticatedConcurrentStreams = 7
        try await withServer(limits: limits) { server in
            try await self.withClient(server) { client in
                // Requests that leave before the server's limit is known may be refused.
                let first = try await client.exchange(.post, "/echo", body: [1])
                #expect(first.body == [1])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<300 {
                        group.addTask {
                            let body = Array("request \(index)".utf8)
                            let response = try await client.exchange(.post, "/echo", body: body)
                            #expect(response.closure == .finished)
                            #expect(response.body == body)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("requests on one HTTP/1.1 connection wait for each other")
    func serialRequests() async throws {
        try await withServer { server in
            try await self.withClient(server, .http1) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<50 {
                        group.addTask {
                            let body = Array("request \(index)".utf8)
                            let response = try await client.exchange(.post, "/echo", body: body)
                            #expect(response.body == body)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("a graceful end of the server finishes what runs and says what was not processed")
    func goAway() async throws {
        let handler = DemoHandler()
        let server = try await TestServer.start(AsyncHTTPServerHandler(handler))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = try await HTTPClientConnection.connect(
            to: .tcp(host: "127.0.0.1", port: server.port),
            on: group.next()
        ).get()
        let draining = client.eventLoop.makePromise(of: Void.self)
        client.eventLoop.execute { client.onDraining = { draining.succeed() } }
        async let running = client.exchange(.get, "/hang")
        #expect(await poll { handler.counts.started.load(ordering: .relaxed) == 1 })
        async let stopping: Void = server.server.shutdown(drain: .milliseconds(500))
        try await draining.futureResult.get()
        let late = try await client.exchange(.get, "/who")
        #expect(late.closure == .notProcessed)
        let cut = try await running
        #expect(cut.closure != .finished)
        await stopping
        #expect(await poll { handler.counts.cancelled.load(ordering: .relaxed) == 1 })
        try await client.closed.get()
        try await server.group.shutdownGracefully()
        try await group.shutdownGracefully()
    }

    @Test("a reset reaches the server's handler", arguments: versions)
    func reset(_ version: HTTPClientConnection.VersionChoice) async throws {
        let handler = DemoHandler()
        try await withServer(AsyncHTTPServerHandler(handler)) { server in
            try await self.withClient(server, version) { client in
                let response = try await client.exchange(.get, "/hang") { stream in
                    let bound = NIOLoopBound(stream, eventLoop: stream.eventLoop)
                    stream.eventLoop.scheduleTask(in: .milliseconds(100)) {
                        bound.value.reset(.cancel)
                    }
                }
                #expect(response.closure == .resetLocally(.cancel))
                #expect(await poll { handler.counts.cancelled.load(ordering: .relaxed) == 1 })
            }
        }
    }

    @Test("a connection that is lost ends its requests", arguments: versions)
    func lost(_ version: HTTPClientConnection.VersionChoice) async throws {
        try await withServer { server in
            try await self.withClient(server, version) { client in
                async let running = client.exchange(.get, "/hang")
                try await Task.sleep(for: .milliseconds(100))
                client.eventLoop.execute { client.close() }
                let response = try await running
                if case .connectionLost = response.closure {
                } else {
                    Issue.record("closed with \(String(describing: response.closure))")
                }
            }
        }
    }

    @Test("TLS verifies the server, shows a certificate and agrees on the version")
    func tls() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await tools.makeCertificates()
        try await withServer(tls: HTTPServerToolsTests.tls(tools)) { server in
            var configuration = TLSClientConfiguration(authorityPath: tools.path("ca.crt"))
            configuration.identity = .init(
                certificatePath: tools.path("client.crt"),
                privateKeyPath: tools.path("client.key"),
            )
            let source = try TLSContextSource(client: configuration)
            try await self.withClient(server, tls: source) { client in
                let response = try await client.exchange(.get, "/who")
                #expect(response.text == "http2 GET true h2 1 test\n")
            }
            configuration.applicationProtocols = ["http/1.1"]
            let first = try TLSContextSource(client: configuration)
            try await self.withClient(server, tls: first) { client in
                let response = try await client.exchange(.get, "/who")
                #expect(response.text == "http1 GET true http/1.1 1 test\n")
            }
            configuration.authorityPath = nil
            let stranger = try TLSContextSource(client: configuration)
            await #expect(throws: HTTPConnectionError.self) {
                try await self.withClient(server, tls: stranger) { _ in }
            }
        }
    }

    @Test("authorities are read again when their files change, on either side")
    func authorities() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        let other = try Tools()
        defer { other.remove() }
        try await tools.makeCertificates()
        try await other.makeCertificates()
        let authority = try Tools.read(tools.path("ca.crt"))
        let otherAuthority = try Tools.read(other.path("ca.crt"))
        let trusted = try tools.write("trusted.crt", otherAuthority)
        try await withServer(tls: HTTPServerToolsTests.tls(tools)) { server in
            func who(_ source: TLSContextSource) async -> String? {
                var text: String?
                try? await self.withClient(server, tls: source) { client in
                    let response = try await client.exchange(.get, "/who")
                    if response.head?.status == .ok { text = response.text }
                }
                return text
            }
            var configuration = TLSClientConfiguration(authorityPath: trusted)
            let anonymous = try TLSContextSource(client: configuration)
            #expect(await who(anonymous) == nil)
            _ = try tools.write("trusted.crt", authority)
            #expect(await poll { await who(anonymous) == "http2 GET true h2 0 test\n" })

            configuration.identity = .init(
                certificatePath: other.path("client.crt"),
                privateKeyPath: other.path("client.key"),
            )
            let named = try TLSContextSource(client: configuration)
            #expect(await who(named) == nil)
            _ = try tools.write("ca.crt", otherAuthority)
            #expect(await poll { await who(named) == "http2 GET true h2 1 test\n" })
        }
    }

    @Test("the certificate must have exactly the name that was wanted")
    func serverName() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        // For localhost and 127.0.0.1.
        try await tools.makeCertificates()
        try await withServer(tls: HTTPServerToolsTests.tls(tools)) { server in
            var configuration = TLSClientConfiguration(authorityPath: tools.path("ca.crt"))
            let verifying = try TLSContextSource(client: configuration)
            configuration.verifiesServer = false
            let careless = try TLSContextSource(client: configuration)
            let cases: [(host: String, name: String?, isRight: Bool)] = [
                ("127.0.0.1", nil, true), ("127.0.0.1", "localhost", true),
                ("127.0.0.1", "LOCALHOST", true), ("127.0.0.1", "127.0.0.1", true),
                // It is the address that the certificate has, and not what was asked for.
                ("127.0.0.1", "other", false), ("127.0.0.1", "127.0.0.2", false),
                ("127.0.0.1", "localhost.other", false), ("127.0.0.1", "::1", false),
            ]
            for (host, name, isRight) in cases {
                for (tls, isAccepted) in [(verifying, isRight), (careless, true)] {
                    let connecting = HTTPClientConnection.connect(
                        to: .tcp(host: host, port: server.port),
                        tls: tls,
                        serverName: name,
                        on: server.group.next(),
                    )
                    do {
                        let client = try await connecting.get()
                        #expect(isAccepted, "\(name ?? host)")
                        client.eventLoop.execute { client.close() }
                        try await client.closed.get()
                    } catch let HTTPConnectionError.tls(reason) {
                        #expect(!isAccepted, "\(name ?? host)")
                        let names = "localhost, 127.0.0.1, not \(name ?? host)"
                        #expect(reason == "the certificate is valid for \(names)")
                    }
                }
            }
        }
    }

    @Test(
        "the async face reads a body as it comes, and drops what is not read",
        arguments: versions
    )
    func asyncFace(_ version: HTTPClientConnection.VersionChoice) async throws {
        let handler = DemoHandler()
        try await withServer(AsyncHTTPServerHandler(handler)) { server in
            try await self.withClient(server, version) { client in
                func head(_ method: HTTPMethod, _ path: String) -> HTTPRequestHead {
                    HTTPRequestHead(method: method, scheme: "http", authority: "x", path: path)
                }
                let bytes = ByteBuffer(repeating: 5, count: 1_000_000)
                let echo = try await client.send(head(.post, "/echo"), body: bytes)
                #expect(echo.head.status == .ok)
                #expect(try await echo.body.collect(upTo: 2_000_000) == bytes)
                let trailers = try await client.send(head(.get, "/trailers"))
                #expect(try await trailers.body.collect(upTo: 10) == ByteBuffer(string: "body\n"))
                #expect(await trailers.body.trailers?[.grpcStatus] == "7")
                do {
                    let endless = try await client.send(head(.get, "/endless"))
                    var read = 0
                    for try await chunk in endless.body {
                        read += chunk.readableBytes
                        if read > 500_000 { break }
                    }
                }
                #expect(await poll { handler.counts.cancelled.load(ordering: .relaxed) == 1 })
            }
            try await self.withClient(server, version) { client in
                let waiting = Task {
                    try await client.send(
                        HTTPRequestHead(
                            method: .get,
                            scheme: "http",
                            authority: "x",
                            path: "/hang"
                        )
                    )
                }
                #expect(await poll { handler.counts.started.load(ordering: .relaxed) == 4 })
                waiting.cancel()
                await #expect(throws: (any Error).self) { try await waiting.value }
                #expect(await poll { handler.counts.cancelled.load(ordering: .relaxed) == 2 })
            }
        }
    }

    @Test("unix sockets", arguments: versions)
    func unixSocket(_ version: HTTPClientConnection.VersionChoice) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        let path = tools.path("socket")
        let server = try await TestServer.start(endpoint: .unix(path: path))
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        let client = try await HTTPClientConnection.connect(
            to: .unix(path: path),
            version: version,
            on: server.group.next()
        ).get()
        let response = try await client.exchange(.post, "/echo", body: [1, 2, 3])
        #expect(response.body == [1, 2, 3])
        client.eventLoop.execute { client.close() }
        try await server.stop()
        #expect(stat(path, &status) != 0)
    }

    @Test("connecting fails with a reason, and in time")
    func connectFails() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        await #expect(throws: HTTPConnectionError.self) {
            _ = try await HTTPClientConnection.connect(
                to: .unix(path: "/nonexistent/socket"),
                on: group.next()
            ).get()
        }
        try await group.shutdownGracefully()
    }

    @Test("nghttpd serves our client", .enabled(if: Tools.has("nghttpd")))
    func nghttpd() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        _ = try tools.write("file", bytes)
        let port = Int.random(in: 20_000..<30_000)
        let pid = try tools.start(
            ["nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", tools.directory, "\(port)"],
            output: tools.path("log")
        )
        defer { Tools.stop(pid) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var client: HTTPClientConnection?
        #expect(
            await poll {
                client = try? await HTTPClientConnection.connect(
                    to: .tcp(host: "127.0.0.1", port: port),
                    on: group.next()
                ).get()
                return client != nil
            }
        )
        let connection = try #require(client)
        for _ in 0..<3 {
            let response = try await connection.exchange(.get, "/file")
            #expect(response.head?.status == .ok)
            #expect(response.body == bytes)
        }
        let missing = try await connection.exchange(.get, "/missing")
        #expect(missing.head?.status == .notFound)
        connection.eventLoop.execute { connection.shutdownGracefully() }
        try await connection.closed.get()
        try await group.shutdownGracefully()
    }
}
