// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import EtcdAPI
import Foundation
import HTTP
import HTTP2Transport
import NIOCore
import NIOPosix
import Protobuf
import RPC
import RPCInterface
import TLS
import Testing

/// Our client against a real etcd, Debian's `etcd-server`.
@Suite(
    "Interop: etcd",
    .enabled(if: Program.succeeds("etcd", ["--version"])),
    .timeLimit(.minutes(10)),
    .serialized
)
struct EtcdTests {
    /// An etcd with its own directory and ports.
    struct Server {
        let program: Program
        let directory: TemporaryDirectory
        let endpoint: HTTPEndpoint

        init(tls certificates: OpenSSLCertificates? = nil) throws {
            self.directory = try TemporaryDirectory()
            let client = try freePort()
            let peer = try freePort()
            let scheme = certificates == nil ? "http" : "https"
            var arguments = [
                "--data-dir", "\(self.directory.path)/data", "--log-level", "error",
                "--listen-client-urls", "\(scheme)://127.0.0.1:\(client)",
                "--advertise-client-urls", "\(scheme)://127.0.0.1:\(client)",
                "--listen-peer-urls", "http://127.0.0.1:\(peer)",
                "--initial-advertise-peer-urls", "http://127.0.0.1:\(peer)",
                "--initial-cluster", "default=http://127.0.0.1:\(peer)", "--unsafe-no-fsync",
            ]
            if !Program.succeeds("sh", ["-c", "etcd --help 2>&1 | grep -q unsafe-no-fsync"]) {
                arguments.removeLast()
            }
            if let certificates {
                arguments += [
                    "--cert-file", certificates.path("server.pem"), "--key-file",
                    certificates.path("server.key"), "--client-cert-auth", "--trusted-ca-file",
                    certificates.path("ca.pem"),
                ]
            }
            self.program = try Program("etcd", arguments)
            self.endpoint = .tcp(host: "127.0.0.1", port: client)
        }

        func stop() {
            self.program.stop()
            self.directory.remove()
        }
    }

    static var patient: RPCClientOptions {
        var options = RPCClientOptions()
        options.waitForReady = true
        options.timeout = .seconds(60)
        options.backoff = RPCBackoff(
            initial: .milliseconds(50),
            multiplier: 1.3,
            jitter: 0.2,
            maximum: .seconds(1)
        )
        return options
    }

    private static func with(
        _ body: (RPCClient) async throws -> Void
    ) async throws {
        let server = try Server()
        defer { server.stop() }
        let client = RPCClient(
            to: server.endpoint,
            options: Self.patient,
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { client.close(gracefully: false) }
        try await body(client)
    }

    private static func bytes(_ text: String) -> Bytes { Bytes([UInt8](text.utf8)) }

    @Test("put, range and txn")
    func keyValue() async throws {
        try await Self.with { client in
            let kv = Etcd.KVClient(channel: client)
            let put = try await kv.put(
                .with {
                    $0.key = Self.bytes("a")
                    $0.value = Self.bytes("1")
                }
            )
            #expect((put.header?.revision ?? 0) > 0)
            let range = try await kv.range(.with { $0.key = Self.bytes("a") })
            #expect(range.kvs.count == 1)
            #expect(range.kvs.first?.value == Self.bytes("1"))
            let txn = Etcd.TxnRequest.with { txn in
                txn.compare.append(
                    .with {
                        $0.result = .equal
                        $0.target = .value
                        $0.key = Self.bytes("a")
                        $0.value = Self.bytes("1")
                    }
                )
                txn.success.append(
                    .with { operation in
                        operation.requestPut = .with {
                            $0.key = Self.bytes("a")
                            $0.value = Self.bytes("2")
                        }
                    }
                )
            }
            #expect(try await kv.txn(txn).succeeded)
            #expect(try await kv.txn(txn).succeeded == false)
            // A request that etcd refuses: its status and message arrive.
            let text = await failure { _ = try await kv.put(Etcd.PutRequest()) }
            #expect(text?.contains("INVALID_ARGUMENT") == true)
            #expect(text?.contains("key is not provided") == true)
        }
    }

    @Test("a watch sees 10,000 events, each once and in order")
    func watch() async throws {
        try await Self.with { client in
            let count = 10_000
            let watch = try await Etcd.WatchClient(channel: client)
                .watch(options: CallOptions(timeout: .seconds(100)))
            try await watch.write(
                .with { request in
                    request.createRequest = .with {
                        $0.key = Self.bytes("w")
                        $0.rangeEnd = Self.bytes("x")
                    }
                }
            )
            let created = try await watch.responses.next()
            #expect(created?.created == true)
            let kv = Etcd.KVClient(channel: client)
            async let written: Void = withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<count {
                    if number >= 64 { try await group.next() }
                    group.addTask {
                        _ = try await kv.put(.with { $0.key = Self.bytes("w\(number)") })
                    }
                }
                try await group.waitForAll()
            }
            var keys: Set<Bytes> = []
            var revision: Int64 = 0
            var seen = 0
            while seen < count, let response = try await watch.responses.next() {
                for event in response.events {
                    seen += 1
                    keys.insert(event.kv?.key ?? Bytes())
                    let modified = event.kv?.modRevision ?? 0
                    #expect(modified > revision)
                    revision = modified
                }
            }
            try await written
            #expect(seen == count)
            #expect(keys.count == count)
            watch.cancel()
        }
    }

    @Test("a lease is kept alive")
    func lease() async throws {
        try await Self.with { client in
            let lease = Etcd.LeaseClient(channel: client)
            let granted = try await lease.leaseGrant(.with { $0.ttl = 60 })
            let keepAlive = try await lease.leaseKeepAlive()
            for _ in 0..<3 {
                try await keepAlive.write(.with { $0.id = granted.id })
                let response = try await keepAlive.responses.next()
                #expect(response?.id == granted.id)
                #expect((response?.ttl ?? 0) > 0)
            }
            keepAlive.finishRequests()
        }
    }

    @Test("TLS with client certificates", .enabled(if: Program.succeeds("openssl", ["version"])))
    func mutualTLS() async throws {
        let certificates = try OpenSSLCertificates()
        defer { certificates.remove() }
        let server = try Server(tls: certificates)
        defer { server.stop() }
        var configuration = TLSClientConfiguration(authorityPath: certificates.path("ca.pem"))
        configuration.identity = .init(
            certificatePath: certificates.path("client.pem"),
            privateKeyPath: certificates.path("client.key")
        )
        let client = RPCClient(
            to: server.endpoint,
            options: Self.patient,
            tls: try TLSContextSource(client: configuration),
            group: MultiThreadedEventLoopGroup.singleton
        )
        let kv = Etcd.KVClient(channel: client)
        let put = try await kv.put(.with { $0.key = Self.bytes("secure") })
        #expect((put.header?.revision ?? 0) > 0)
        client.close(gracefully: false)
        // Without a certificate there is no connection.
        var anonymous = TLSClientConfiguration(authorityPath: certificates.path("ca.pem"))
        anonymous.identity = nil
        let other = RPCClient(
            to: server.endpoint,
            tls: try TLSContextSource(client: anonymous),
            group: MultiThreadedEventLoopGroup.singleton
        )
        let code = await statusCode {
            _ = try await Etcd.KVClient(channel: other).put(.with { $0.key = Self.bytes("x") })
        }
        #expect(code == .unavailable)
        other.close(gracefully: false)
    }
}
