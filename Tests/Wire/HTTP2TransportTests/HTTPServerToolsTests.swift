// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import TLS
import Testing

@Suite(
    "The server against curl, nghttp, h2load and openssl",
    .enabled(if: Tools.has("curl")),
    .serialized
)
struct HTTPServerToolsTests {
    static let versions = ["--http1.1", "--http2-prior-knowledge", "--http2"]

    @Test("a handler does not know which version carries it", arguments: versions)
    func who(_ version: String) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            let url = "http://127.0.0.1:\(server.port)/who"
            // curl 7.88 cannot use a prior-knowledge connection twice.
            let isSecond = version == "--http2-prior-knowledge"
            let urls = isSecond ? [url] : [url, url]
            let result = try await tools.run(["curl", "-sS", version, "-m", "10"] + urls)
            let line =
                "\(isSecond ? "http2" : "http1") GET false - 0 127.0.0.1:\(server.port)\n"
            #expect(result.text == String(repeating: line, count: urls.count))
        }
    }

    @Test(
        "bodies come back as they went",
        arguments: versions.dropLast(),
        [0, 1, 65_535, 300_000, 5_000_000]
    )
    func echo(_ version: String, _ size: Int) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let file = try tools.write("body", bytes)
            let result = try await tools.run(
                "curl",
                "-sS",
                version,
                "-m",
                "20",
                "--data-binary",
                "@\(file)",
                "http://127.0.0.1:\(server.port)/echo"
            )
            #expect(result.status == 0)
            #expect(result.output == bytes)
        }
    }

    @Test("chunked uploads, and Expect: 100-continue", arguments: versions.dropLast())
    func upload(_ version: String) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            let file = try tools.write("body", Array(repeating: 65, count: 3_000_000))
            let result = try await tools.run(
                "curl",
                "-sSi",
                version,
                "-m",
                "20",
                "-H",
                "Transfer-Encoding: chunked",
                "-H",
                "Expect: 100-continue",
                "-T",
                file,
                "http://127.0.0.1:\(server.port)/upload"
            )
            #expect(result.text.contains("3000000"))
            #expect(result.text.hasPrefix("HTTP/\(version == "--http1.1" ? "1.1" : "2") 100"))
        }
    }

    @Test("an upload that is refused early is answered", arguments: versions.dropLast())
    func refused(_ version: String) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            let file = try tools.write("body", Array(repeating: 65, count: 20_000_000))
            let result = try await tools.run(
                "curl",
                "-sS",
                version,
                "-m",
                "20",
                "-w",
                "%{http_code}",
                "--data-binary",
                "@\(file)",
                "http://127.0.0.1:\(server.port)/refuse"
            )
            #expect(result.text.hasSuffix("413"))
        }
    }

    @Test("statuses and failures", arguments: [("/nothing", "404"), ("/fail", "500")])
    func statuses(_ path: String, _ status: String) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            for version in Self.versions.dropLast() {
                let result = try await tools.run(
                    "curl",
                    "-sS",
                    version,
                    "-m",
                    "10",
                    "-w",
                    "%{http_code}",
                    "http://127.0.0.1:\(server.port)\(path)"
                )
                #expect(result.text == status)
            }
        }
    }

    @Test("HEAD has no body and keeps the connection")
    func head() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            let url = "http://127.0.0.1:\(server.port)/who"
            let result = try await tools.run(
                "curl",
                "-sS",
                "--http1.1",
                "-I",
                "-m",
                "10",
                "-w",
                "%{num_connects}",
                url,
                url
            )
            #expect(result.text.hasSuffix("0"))
            #expect(result.text.contains("200 OK"))
        }
    }

    @Test("trailers arrive", .enabled(if: Tools.has("nghttp")))
    func trailers() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            let url = "http://127.0.0.1:\(server.port)/trailers"
            let second = try await tools.run("nghttp", "-v", url)
            #expect(second.text.contains("grpc-status: 7"))
            #expect(second.text.contains("body"))
            let first = try await tools.run("curl", "-sS", "--http1.1", "--raw", url)
            #expect(first.text == "5\r\nbody\n\r\n0\r\ngrpc-status: 7\r\n\r\n")
        }
    }

    @Test("h2load's requests all succeed", .enabled(if: Tools.has("h2load")))
    func h2load() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await withServer { server in
            let file = try tools.write("body", Array(repeating: 65, count: 100))
            let result = try await tools.run(
                "h2load",
                "-n",
                "5000",
                "-c",
                "5",
                "-m",
                "50",
                "-d",
                file,
                "http://127.0.0.1:\(server.port)/echo",
                timeout: .seconds(60)
            )
            #expect(result.text.contains("5000 succeeded, 0 failed"))
        }
    }

    // MARK: - TLS

    static func tls(
        _ tools: Tools,
        _ clients: TLSServerConfiguration.ClientCertificates = .optional,
    ) throws -> TLSContextSource {
        var configuration = TLSServerConfiguration(
            identity: .init(
                certificatePath: tools.path("server.crt"),
                privateKeyPath: tools.path("server.key"),
            )
        )
        configuration.identitiesByName["*.example"] = .init(
            certificatePath: tools.path("other.crt"),
            privateKeyPath: tools.path("other.key"),
        )
        configuration.clientAuthorityPath = tools.path("ca.crt")
        configuration.clientCertificates = clients
        return try TLSContextSource(server: configuration)
    }

    @Test(
        "TLS, ALPN and optional client certificates",
        arguments: [
            ("--http2", false, "http2 GET true h2 0"), ("--http2", true, "http2 GET true h2 1"),
            ("--http1.1", false, "http1 GET true http/1.1 0"),
            ("--http1.1", true, "http1 GET true http/1.1 1"),
            ("--no-alpn", false, "http1 GET true - 0"),
        ]
    )
    func tls(_ version: String, _ shows: Bool, _ expected: String) async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await tools.makeCertificates()
        try await withServer(tls: Self.tls(tools)) { server in
            for tlsVersion in ["1.2", "1.3"] {
                let key = shows ? tools.path("client.key") : ""
                let certificate = shows ? tools.path("client.crt") : ""
                let config = try tools.write(
                    "curlrc",
                    Array(
                        (shows ? "cert = \"\(certificate)\"\nkey = \"\(key)\"\n" : "").utf8
                    )
                )
                let result = try await tools.run(
                    "curl",
                    "-sS",
                    version,
                    "--tlsv\(tlsVersion)",
                    "--tls-max",
                    tlsVersion,
                    "-K",
                    config,
                    "-m",
                    "10",
                    "--cacert",
                    tools.path("ca.crt"),
                    "https://localhost:\(server.port)/who",
                    "--resolve",
                    "localhost:\(server.port):127.0.0.1"
                )
                #expect(result.text == "\(expected) localhost:\(server.port)\n")
            }
        }
    }

    @Test("a client certificate of a stranger is refused, and one can be required")
    func clientCertificates() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        let stranger = try Tools()
        defer { stranger.remove() }
        try await tools.makeCertificates()
        try await stranger.makeCertificates()
        try await withServer(tls: Self.tls(tools)) { server in
            let result = try await tools.run(
                "curl",
                "-sS",
                "-m",
                "10",
                "--cacert",
                tools.path("ca.crt"),
                "--cert",
                stranger.path("client.crt"),
                "--key",
                stranger.path("client.key"),
                "https://127.0.0.1:\(server.port)/who"
            )
            #expect(result.status != 0)
        }
        try await withServer(tls: Self.tls(tools, .required)) { server in
            let result = try await tools.run(
                "curl",
                "-sS",
                "-m",
                "10",
                "--cacert",
                tools.path("ca.crt"),
                "https://127.0.0.1:\(server.port)/who"
            )
            #expect(result.status != 0)
        }
    }

    @Test("SNI chooses the certificate")
    func sni() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await tools.makeCertificates()
        try await withServer(tls: Self.tls(tools)) { server in
            for (name, subject) in [("any.example", "CN = other.example"), ("x", "CN = localhost")]
            {
                let result = try await tools.run(
                    "openssl",
                    "s_client",
                    "-connect",
                    "127.0.0.1:\(server.port)",
                    "-servername",
                    name,
                    "-alpn",
                    "h2"
                )
                #expect(result.text.contains("subject=\(subject)"))
                #expect(result.text.contains("ALPN protocol: h2"))
            }
        }
    }

    @Test("certificates are read again when their files change, for new connections")
    func reload() async throws {
        let tools = try Tools()
        defer { tools.remove() }
        try await tools.makeCertificates()
        let source = try Self.tls(tools)
        try await withServer(tls: source) { server in
            func subject() async throws -> String {
                let result = try await tools.run(
                    "openssl",
                    "s_client",
                    "-connect",
                    "127.0.0.1:\(server.port)"
                )
                return result.text
            }
            #expect(try await subject().contains("CN = localhost"))
            try await tools.issue("server", subject: "/CN=renewed", days: 3)
            #expect(try await poll { try await subject().contains("CN = renewed") })
            #expect(source.generation == 2)
            // Broken files change nothing.
            _ = try tools.write("server.key", Array("no key".utf8))
            try await Task.sleep(for: .milliseconds(1100))
            #expect(try await subject().contains("CN = renewed"))
        }
    }
}
