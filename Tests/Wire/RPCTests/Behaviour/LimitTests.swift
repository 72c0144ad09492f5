// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import RPCInterface
import Synchronization
import Testing

@testable import RPC

/// Both sides of limits that no other suite has.
@Suite("Limits of calls", .timeLimit(.minutes(5)))
struct LimitTests {
    @Test(
        "a longer timeout counts as the longest",
        arguments: [
            ("4999m", 4_999_000_000), ("5S", 5_000_000_000), ("5001m", 5_000_000_000),
            ("99999999H", 5_000_000_000),
        ] as [(String, Int64)]
    )
    func maxTimeout(_ text: String, _ nanoseconds: Int64) throws {
        let head = HTTPRequestHead(
            method: .post,
            authority: "test",
            path: "/test.v1.Echo/Unary",
            fields: [.contentType: "application/grpc", .grpcTimeout: text]
        )
        let plan = try CallPlan.parse(
            head,
            in: RPCServiceTable([TestEcho()]),
            maxTimeout: .seconds(5)
        )
        #expect(plan.timeoutNanoseconds == nanoseconds)
    }

    @Test("status messages are cut at the limit", arguments: [-1, 0, 1])
    func statusMessage(_ excess: Int) async throws {
        var options = RPCServerOptions()
        options.limits.statusMessageBytes = 100
        let message = String(repeating: "m", count: 100 + excess)
        var service = TestEcho()
        service.onUnary = { _, _ in throw RPCError(code: .notFound, message: message) }
        try await Transport.memoryHTTP.withEcho(service, server: options) { echo in
            let error = await rpcError { _ = try await echo.unary(EchoRequest()) }
            #expect(error?.code == .notFound)
            #expect(error?.message == String(message.prefix(100)))
        }
    }

    @Test("requests up to the limit are kept for sending them again", arguments: [-1, 0, 1])
    func retryBuffer(_ excess: Int) async throws {
        let request = EchoRequest(number: 1, payload: [UInt8](repeating: 2, count: 1000))
        // A prefix of five bytes, a number of eight, and the payload.
        var options = RPCClientOptions()
        options.retryBufferBytes = 1013 - excess
        try await MemoryConnection.with([TestEcho()], client: options) { client, connector in
            connector.faults.state.withLock { $0.refusals = 1 }
            let echo = EchoClient(channel: client)
            if excess <= 0 {
                let response = try await echo.unary(request)
                #expect(response == request)
                #expect(connector.faults.value.requests == 2)
            } else {
                await expectStatus(.unavailable) { _ = try await echo.unary(request) }
                #expect(connector.faults.value.requests == 1)
            }
        }
    }

    @Test(
        "a client spreads its calls over as many connections as it may have",
        arguments: [1, 2, 5]
    )
    func connections(_ count: Int) async throws {
        var options = RPCClientOptions()
        options.connections = count
        try await MemoryConnection.with([TestEcho()], client: options) { client, connector in
            let echo = EchoClient(channel: client)
            for number in 0..<UInt64(4 * count) {
                let response = try await echo.unary(EchoRequest(number: number))
                #expect(response.number == number)
            }
            #expect(connector.faults.value.connects == count)
        }
    }

    @Test("calls go on when their connection has reached its age")
    func connectionAge() async throws {
        var limits = HTTPLimits()
        limits.connectionAge = .milliseconds(300)
        let addresses = Shared<Set<String>>([])
        var service = TestEcho()
        service.onUnary = { request, context in
            let address = context.peer.address
            addresses.update { $0.insert(address) }
            return request
        }
        try await NetworkConnection.with([service], serverLimits: limits) { client in
            let echo = EchoClient(channel: client)
            let deadline = ContinuousClock.now.advanced(by: .seconds(60))
            var number: UInt64 = 0
            while addresses.value.count < 3, ContinuousClock.now < deadline {
                number += 1
                let response = try await echo.unary(EchoRequest(number: number))
                #expect(response.number == number)
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        #expect(addresses.value.count >= 3)
    }
}
