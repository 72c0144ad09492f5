// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ComponentServer
import HTTP
import HTTP2Transport
import KubernetesAPI
import NIOCore
import NIOPosix
import Testing

@Suite("ComponentServer")
struct ComponentServerTests {
    private struct NobodyMay: ComponentAccess {
        func decide(_ request: ComponentRequest) async -> ComponentDecision {
            request.bearerToken == "good" ? .allow : .unauthorized
        }
    }

    private static func get(
        _ configuration: ComponentServer.Configuration,
        _ path: String,
        token: String? = nil
    ) async throws -> (status: Int, body: String) {
        let group = MultiThreadedEventLoopGroup.singleton
        let (ports, found) = AsyncStream<Int>.makeStream()
        let server = ComponentServer(configuration, group: group)
        let running = Task {
            try await server.run { found.yield($0?.port ?? 0) }
        }
        defer { running.cancel() }
        var iterator = ports.makeAsyncIterator()
        let port = await iterator.next() ?? 0
        let connection = try await HTTPClientConnection.connect(
            to: .tcp(host: "127.0.0.1", port: port),
            version: .http1,
            on: group.next()
        ).get()
        var fields = HeaderFields()
        if let token { fields.append(.authorization, "Bearer \(token)") }
        let head = HTTPRequestHead(
            method: .get,
            scheme: "http",
            authority: "localhost",
            path: path,
            fields: fields
        )
        let response = try await connection.send(head)
        let body = try await response.body.collect(upTo: 1 << 16)
        return (response.head.status.rawValue, String(buffer: body))
    }

    private static func configuration() -> ComponentServer.Configuration {
        var configuration = ComponentServer.Configuration(
            endpoint: .tcp(host: "127.0.0.1", port: 0)
        )
        configuration.healthChecks = [.init("alive") { nil }]
        configuration.readyChecks = [.init("synced") { "secret reason" }]
        configuration.pages["/metrics"] = .init(contentType: "text/plain") { Array("m 1\n".utf8) }
        configuration.access = NobodyMay()
        return configuration
    }

    @Test(
        "answers as upstream's components",
        arguments: [
            ("/healthz", 200, "ok"),
            ("/livez?verbose", 200, "[+]ping ok\n[+]alive ok\nlivez check passed\n"),
            (
                "/readyz", 500,
                "[+]ping ok\n[+]alive ok\n[-]synced failed: reason withheld\nreadyz check failed\n"
            ),
            ("/readyz?exclude=synced", 200, "ok"),
            ("/metrics", 401, "Unauthorized\n"),
            ("/none", 404, "404 page not found\n"),
        ]
    )
    func answers(_ path: String, _ status: Int, _ body: String) async throws {
        let answer = try await Self.get(Self.configuration(), path)
        #expect(answer.status == status)
        #expect(answer.body == body)
    }

    @Test("shows pages to those who may see them")
    func pages() async throws {
        let answer = try await Self.get(Self.configuration(), "/metrics", token: "good")
        #expect(answer.status == 200)
        #expect(answer.body == "m 1\n")
    }
}
