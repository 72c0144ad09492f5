// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GRPCServices
import HTTP2Transport
import NIOCore
import NIOPosix
import Protobuf
import RPC
import RPCInterface
import Synchronization
import Testing

@testable import RPCServices

@Suite("HealthStatusService", .timeLimit(.minutes(5)))
struct HealthStatusServiceTests {
    typealias Status = HealthStatusService.Status

    /// How a watch is carried: with a task in process and behind interceptors, else without.
    enum Way: CaseIterable {
        case inProcess
        case network
        case networkBehindInterceptor
    }

    struct Passing: ServerInterceptor {
        func intercept(_ context: ServerContext, next: () async throws -> Void) async throws {
            try await next()
        }
    }

    /// Notes how calls end.
    final class Ends: ServerObserver {
        private let list = Mutex<[RPCStatusCode]>([])
        var all: [RPCStatusCode] { self.list.withLock { $0 } }

        func callBegan(_ method: RPCMethod) {}
        func callEnded(_ method: RPCMethod, _ failure: RPCError?) {
            self.list.withLock { $0.append(failure?.code ?? .ok) }
        }
    }

    private func with(
        _ service: HealthStatusService,
        _ way: Way,
        options: RPCServerOptions = RPCServerOptions(),
        _ body: (Health.HealthClient) async throws -> Void
    ) async throws {
        var options = options
        if way == .networkBehindInterceptor { options.interceptors.append(Passing()) }
        if way == .inProcess {
            let channel = InProcessChannel(services: [service], server: options)
            return try await body(Health.HealthClient(channel: channel))
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
        var failure: (any Error)?
        do { try await body(Health.HealthClient(channel: client)) } catch { failure = error }
        client.close(gracefully: false)
        await server.shutdown(drain: .zero)
        if let failure { throw failure }
    }

    /// Waits at most a minute.
    private func poll(_ what: Comment, until condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record(what)
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func code(_ body: () async throws -> Void) async -> RPCStatusCode? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? RPCError)?.code ?? .unknown
        }
    }

    @Test(
        "a watch is told of every change of its service, and of nothing else",
        arguments: Way.allCases
    )
    func changes(_ way: Way) async throws {
        let service = HealthStatusService()
        try await self.with(service, way) { client in
            let watch = try await client.watch(.with { $0.service = "a" })
            #expect(try await watch.next()?.status == .serviceUnknown)
            service.set(.serving, for: "b")
            service.set(.serving, for: "a")
            #expect(try await watch.next()?.status == .serving)
            service.set(.serving, for: "a")
            service.set(.notServing, for: "")
            service.set(.notServing, for: "a")
            #expect(try await watch.next()?.status == .notServing)
            service.set(.serving, for: "a")
            #expect(try await watch.next()?.status == .serving)
            service.shutDown()
            #expect(try await watch.next()?.status == .notServing)
            service.set(.serving, for: "a")
            #expect(try await client.check(.with { $0.service = "a" }).status == .notServing)
        }
    }

    @Test("many watches hear of one change", arguments: Way.allCases)
    func many(_ way: Way) async throws {
        let service = HealthStatusService()
        try await self.with(service, way) { client in
            var watches: [RPCResponseStream<Health.HealthCheckResponse>] = []
            for _ in 0..<100 {
                let watch = try await client.watch(Health.HealthCheckRequest())
                let first = try await watch.next()?.status
                #expect(first == .serving)
                watches.append(watch)
            }
            service.set(.notServing)
            for watch in watches {
                let next = try await watch.next()?.status
                #expect(next == .notServing)
            }
        }
    }

    @Test(
        "watches above the limit are refused, and one that ended makes room",
        arguments: Way.allCases
    )
    func limit(_ way: Way) async throws {
        let service = HealthStatusService(maximumWatchers: 2)
        try await self.with(service, way) { client in
            let first = try await client.watch(Health.HealthCheckRequest())
            #expect(try await first.next()?.status == .serving)
            do {
                let second = try await client.watch(Health.HealthCheckRequest())
                let status = try await second.next()?.status
                #expect(status == .serving)
                let refused = await self.code {
                    _ = try await client.watch(Health.HealthCheckRequest()).next()
                }
                #expect(refused == .resourceExhausted)
                withExtendedLifetime(second) {}
            }
            // The second is cancelled, because nobody holds it any more.
            try await self.poll("there is room again") {
                await self.code {
                    _ = try await client.watch(Health.HealthCheckRequest()).next()
                } == nil
            }
            service.set(.notServing)
            #expect(try await first.next()?.status == .notServing)
        }
    }

    @Test("a deadline ends a watch for good", arguments: Way.allCases)
    func deadline(_ way: Way) async throws {
        let service = HealthStatusService(maximumWatchers: 1)
        try await self.with(service, way) { client in
            let watch = try await client.watch(
                Health.HealthCheckRequest(),
                options: CallOptions(timeout: .seconds(1))
            )
            let code = await self.code { while try await watch.next() != nil {} }
            #expect(code == .deadlineExceeded)
            try await self.poll("there is room again") {
                await self.code {
                    _ = try await client.watch(Health.HealthCheckRequest()).next()
                } == nil
            }
        }
    }

    @Test("an observer sees how a watch ends", arguments: Way.allCases)
    func observed(_ way: Way) async throws {
        let ends = Ends()
        var options = RPCServerOptions()
        options.interceptors = [ends]
        try await self.with(HealthStatusService(), way, options: options) { client in
            do {
                let watch = try await client.watch(Health.HealthCheckRequest())
                let status = try await watch.next()?.status
                #expect(status == .serving)
            }
            // It is cancelled, because nobody holds it any more.
            try await self.poll("the server has seen the end") { ends.all == [.cancelled] }
        }
    }

    @Test("a client that is slow sees the newest status, and none twice in a row")
    func slow() async throws {
        let service = HealthStatusService()
        var options = RPCServerOptions()
        // Every message fills the call.
        options.limits.outboundBufferBytes = 1
        try await self.with(service, .network, options: options) { client in
            let watch = try await client.watch(Health.HealthCheckRequest())
            for round in 0..<2_000 { service.set(round % 2 == 0 ? .notServing : .serving) }
            service.set(.unknown)
            var last: Status?
            while last != .unknown, let status = try await watch.next()?.status {
                #expect(status != last)
                last = status
            }
            #expect(last == .unknown)
            service.set(.serving)
            #expect(try await watch.next()?.status == .serving)
        }
    }
}
