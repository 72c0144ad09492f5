// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import RPCInterface
import Synchronization
import Testing

@testable import RPC

/// How a client makes, loses and remakes its connections.
@Suite("Client connections", .serialized, .timeLimit(.minutes(10)))
struct ClientConnectionTests {
    static var quick: RPCClientOptions {
        var options = RPCClientOptions()
        options.backoff = RPCBackoff(
            initial: .milliseconds(10),
            multiplier: 1.5,
            jitter: 0.2,
            maximum: .milliseconds(100)
        )
        options.seed = 1
        return options
    }

    @Test("connects when the first call comes, once for many")
    func lazyConnect() async throws {
        try await MemoryConnection.with([TestEcho()]) { client, connector in
            #expect(connector.faults.value.connects == 0)
            let echo = EchoClient(channel: client)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { _ = try await echo.unary(EchoRequest()) } }
                try await group.waitForAll()
            }
            #expect(connector.faults.value.connects == 1)
            try await poll("streams are closed") { connector.faults.value.openStreams == 0 }
        }
    }

    @Test("sends a call again that the server did not process, with its messages")
    func retries() async throws {
        try await MemoryConnection.with([TestEcho()]) { client, connector in
            let echo = EchoClient(channel: client)
            connector.faults.state.withLock { $0.refusals = 3 }
            let request = EchoRequest(number: 5, payload: [1, 2, 3])
            #expect(try await echo.unary(request) == request)
            #expect(connector.faults.value.requests == 4)
            connector.faults.state.withLock { $0.refusals = 1 }
            let call = try await echo.upload()
            try await call.write(EchoRequest(number: 1))
            try await call.write(EchoRequest(number: 2))
            #expect(try await call.finish().number == 3)
        }
    }

    @Test("gives up after the allowed number of retries")
    func retryLimit() async throws {
        try await MemoryConnection.with([TestEcho()]) { client, connector in
            connector.faults.state.withLock { $0.refusals = 100 }
            let error = await rpcError {
                _ = try await EchoClient(channel: client).unary(EchoRequest())
            }
            #expect(error?.code == .unavailable)
            #expect(connector.faults.value.requests == 1 + RPCClientOptions().maxRetries)
        }
    }

    @Test("fails calls while the server cannot be reached, and recovers")
    func unreachable() async throws {
        var options = Self.quick
        options.backoff.initial = .seconds(3600)
        options.backoff.maximum = .seconds(3600)
        try await MemoryConnection.with([TestEcho()], client: options) { client, connector in
            let echo = EchoClient(channel: client)
            connector.faults.state.withLock { $0.connectFailures = 1 }
            let error = await rpcError { _ = try await echo.unary(EchoRequest()) }
            #expect(error?.code == .unavailable)
            // Within the backoff nobody connects.
            let again = await rpcError { _ = try await echo.unary(EchoRequest()) }
            #expect(again?.code == .unavailable)
            #expect(connector.faults.value.connects == 1)
        }
        // With a short one it recovers by itself.
        try await MemoryConnection.with([TestEcho()], client: Self.quick) { client, connector in
            let echo = EchoClient(channel: client)
            connector.faults.state.withLock { $0.connectFailures = 2 }
            var isBack = false
            for _ in 0..<1000 where !isBack {
                isBack = (try? await echo.unary(EchoRequest())) != nil
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(isBack)
            #expect(connector.faults.value.connects == 3)
        }
    }

    @Test("waits for ready when asked to, until the deadline")
    func waitForReady() async throws {
        try await MemoryConnection.with([TestEcho()], client: Self.quick) { client, connector in
            let echo = EchoClient(channel: client)
            connector.faults.state.withLock { $0.connectFailures = 3 }
            _ = try await echo.unary(
                EchoRequest(),
                options: CallOptions(timeout: .seconds(30), waitForReady: true)
            )
            #expect(connector.faults.value.connects == 4)
        }
        try await MemoryConnection.with([TestEcho()], client: Self.quick) { client, connector in
            connector.faults.state.withLock { $0.connectFailures = 1_000_000 }
            let error = await rpcError {
                _ = try await EchoClient(channel: client).unary(
                    EchoRequest(),
                    options: CallOptions(timeout: .seconds(2), waitForReady: true)
                )
            }
            #expect(error?.code == .deadlineExceeded)
            let connects = connector.faults.value.connects
            #expect(connects > 1)
            // Nobody waits any more, so nobody connects.
            try await Task.sleep(for: .milliseconds(300))
            #expect(connector.faults.value.connects <= connects + 1)
        }
    }

    @Test("a lost connection fails its calls and is made again")
    func lostConnection() async throws {
        var service = TestEcho()
        service.onUnary = { request, _ in
            if request.number == 1 { try await sleepUntilCancelled() }
            return request
        }
        try await MemoryConnection.with([service]) { client, connector in
            let echo = EchoClient(channel: client)
            _ = try await echo.unary(EchoRequest())
            let hanging = Task { try await echo.unary(EchoRequest(number: 1)) }
            try await poll("the call is there") { connector.faults.value.requests == 2 }
            connector.made.loseLast()
            let error = await rpcError { _ = try await hanging.value }
            #expect(error?.code == .unavailable)
            _ = try await echo.unary(EchoRequest())
            #expect(connector.faults.value.connects == 2)
        }
    }

    @Test("calls go over a new connection when certificates changed; those that run finish")
    func changedCertificates() async throws {
        let (goOn, continuation) = AsyncStream.makeStream(of: Void.self)
        var service = TestEcho()
        service.onUnary = { request, _ in
            if request.number == 1 { for await _ in goOn { break } }
            return request
        }
        try await MemoryConnection.with([service]) { client, connector in
            let echo = EchoClient(channel: client)
            let running = Task { try await echo.unary(EchoRequest(number: 1)) }
            try await poll("the call is there") { connector.faults.value.requests == 1 }
            connector.faults.state.withLock { $0.outdatedBefore = 2 }
            _ = try await echo.unary(EchoRequest())
            _ = try await echo.unary(EchoRequest())
            #expect(connector.faults.value.connects == 2)
            continuation.yield()
            #expect(try await running.value.number == 1)
        }
    }

    @Test("a closed client refuses calls")
    func closed() async throws {
        try await MemoryConnection.with([TestEcho()]) { client, _ in
            client.close()
            let error = await rpcError {
                _ = try await EchoClient(channel: client).unary(EchoRequest())
            }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("calls that wait for a connection are limited")
    func waitingLimit() async throws {
        var options = Self.quick
        options.limits.waitingCalls = 2
        options.waitForReady = true
        try await MemoryConnection.with([TestEcho()], client: options) { client, connector in
            connector.faults.state.withLock { $0.connectFailures = 1_000_000 }
            let echo = EchoClient(channel: client)
            let codes = await withTaskGroup(of: RPCStatusCode?.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        let options = CallOptions(timeout: .seconds(3))
                        return await rpcError {
                            _ = try await echo.unary(EchoRequest(), options: options)
                        }?.code
                    }
                }
                var codes: [RPCStatusCode?] = []
                for await code in group { codes.append(code) }
                return codes
            }
            #expect(codes.filter { $0 == .unavailable }.count == 3)
            #expect(codes.filter { $0 == .deadlineExceeded }.count == 2)
        }
    }

    @Test("leaves no stream open whatever becomes of calls")
    func noLeaks() async throws {
        var service = TestEcho()
        service.onTalk = { requests, responses, _ in
            for try await request in requests {
                if request.number == 3 { throw RPCError(code: .aborted, message: "three") }
                try await responses.write(request)
            }
        }
        try await MemoryConnection.with([service]) { client, connector in
            let echo = EchoClient(channel: client)
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 as Range<UInt64> {
                    group.addTask {
                        do {
                            let call = try await echo.talk(
                                options: CallOptions(
                                    timeout: number % 5 == 0 ? .milliseconds(5) : nil
                                )
                            )
                            for value in 0..<(number % 7) {
                                try await call.write(EchoRequest(number: value))
                                _ = try await call.responses.next()
                            }
                            if number % 3 == 0 { call.finishRequests() }
                            if number % 4 == 0 { call.cancel() }
                        } catch {
                            // Expected for some: what counts is what is left.
                        }
                    }
                }
            }
            try await poll("streams are closed") { connector.faults.value.openStreams == 0 }
        }
    }
}
