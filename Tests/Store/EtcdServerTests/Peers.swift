// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import EtcdClient
import Foundation
import HTTP2Transport
import KeyValueStore
import KeyValueStoreSuite
import NIOCore
import NIOPosix
import RPC
import RPCInterface
import StoreTestSupport
import TestFolders

@testable import Engine
@testable import EtcdServer

/// Whether the long versions of tests are wanted (`APUS_TEST_LONG=1`).
let isLongRun = ProcessInfo.processInfo.environment["APUS_TEST_LONG"] == "1"

/// A client of what listens on a port of the loopback.
func connect(_ port: Int) -> RPCClient {
    var options = RPCClientOptions()
    options.backoff.initial = .milliseconds(50)
    options.backoff.maximum = .milliseconds(200)
    return RPCClient(
        to: .tcp(host: "127.0.0.1", port: port),
        options: options,
        group: MultiThreadedEventLoopGroup.singleton
    )
}

/// Our services on a port, over a store in memory whose clock is the test's.
final class ServedStore: StoreEnvironment {
    let embedded: EmbeddedStore
    let clock = ManualClock()
    let server: RPCServer
    let client: RPCClient
    let store: any KeyValueStore

    init(_ backend: any StorageBackend = MemoryBackend()) async throws {
        var options = StoreOptions()
        options.applyDelay = .milliseconds(5)
        self.embedded = try EmbeddedStore(backend: backend, options: options, clock: self.clock)
        let member = EtcdMember(name: "test", peerURLs: [], clientURLs: ["http://127.0.0.1:1"])
        var server = RPCServerOptions()
        server.limits.maxInboundMessageBytes = 2 << 20
        self.server = try await RPCServer.start(
            on: .tcp(host: "127.0.0.1", port: 0),
            services: EtcdServices.all(self.embedded, member: member),
            options: server,
            group: MultiThreadedEventLoopGroup.singleton
        )
        self.client = connect(self.server.localAddress?.port ?? 0)
        self.store = RemoteStore(channel: self.client)
    }

    func pass(seconds: Double) async throws {
        self.clock.advance(seconds: seconds)
    }

    func stop() async {
        self.client.close()
        try? self.embedded.close()
        await self.server.shutdown(drain: .zero)
    }
}

/// Debian's `etcd-server`: one member or more, each with a directory and ports of its own.
final class RealEtcd: StoreEnvironment {
    static let path = Program.find("etcd")

    struct Member: Sendable {
        let client: Int
        let arguments: [String]
    }

    let members: [Member]
    let clients: [RPCClient]
    let store: any KeyValueStore
    private let directory = TemporaryDirectory()
    private let programs: Programs

    private actor Programs {
        var running: [Int: Program] = [:]

        func set(_ index: Int, _ program: Program?) -> Program? {
            defer { self.running[index] = program }
            return self.running[index]
        }

        func takeAll() -> [Program] {
            defer { self.running = [:] }
            return Array(self.running.values)
        }
    }

    init(members count: Int = 1, timeout: Duration? = nil) async throws {
        let peers = try (0..<count).map { _ in try Program.freePort() }
        let cluster = peers.enumerated().map { "m\($0)=http://127.0.0.1:\($1)" }
        let path = self.directory.path
        self.members = try peers.enumerated().map { index, peer in
            let client = try Program.freePort()
            return Member(
                client: client,
                arguments: [
                    "--name", "m\(index)", "--data-dir", "\(path)/m\(index)",
                    "--listen-client-urls", "http://127.0.0.1:\(client)",
                    "--advertise-client-urls", "http://127.0.0.1:\(client)",
                    "--listen-peer-urls", "http://127.0.0.1:\(peer)",
                    "--initial-advertise-peer-urls", "http://127.0.0.1:\(peer)",
                    "--initial-cluster", cluster.joined(separator: ","),
                    "--logger", "zap", "--log-outputs", "\(path)/m\(index).log",
                ]
            )
        }
        self.clients = self.members.map { connect($0.client) }
        self.store = RemoteStore(channels: self.clients, timeout: timeout)
        self.programs = Programs()
        for index in 0..<count { try await self.start(index) }
        for _ in 0..<400 {
            if (try? await self.store.range(RangeRequest(key: "x"))) != nil { return }
            try await Task.sleep(for: .milliseconds(25))
        }
    }

    func start(_ index: Int) async throws {
        guard let path = Self.path else { return }
        let program = try Program(path, self.members[index].arguments)
        _ = await self.programs.set(index, program)
    }

    /// Ends a member without warning.
    func kill(_ index: Int) async {
        guard let program = await self.programs.set(index, nil) else { return }
        Foundation.kill(program.pid, SIGKILL)
        _ = program.finish()
    }

    func pass(seconds: Double) async throws {
        try await Task.sleep(for: .seconds(seconds))
    }

    func stop() async {
        for client in self.clients { client.close() }
        for program in await self.programs.takeAll() { program.stop() }
    }
}
