// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Dispatch
import RPCInterface
import Testing

@testable import RPC

@Suite("Calls without a task", .timeLimit(.minutes(5)))
struct DeferredCallTests {
    /// Counts calls and what they end with.
    struct Counting: ServerObserver {
        let log: Shared<[String]>

        func callBegan(_ method: RPCMethod) {
            self.log.update { $0.append("began \(method.name)") }
        }

        func callEnded(_ method: RPCMethod, _ failure: RPCError?) {
            self.log.update { $0.append("ended \(failure?.code ?? .ok)") }
        }
    }

    /// An interceptor that needs a task.
    struct Waiting: ServerInterceptor {
        func intercept(_ context: ServerContext, next: () async throws -> Void) async throws {
            await Task.yield()
            try await next()
        }
    }

    /// Gives requests back: number 0 at once, 1 as an error at once, 2 as an error of the encoder, 3
    /// when it is let go, others on another thread.
    struct Service: RPCService {
        static let rpcServiceName = "test.v1.Echo"
        /// How many calls had a task.
        let tasks = Shared(0)
        let held = Shared<[@Sendable () -> Void]>([])
        /// How many calls nobody waits for any more.
        let abandoned = Shared(0)

        var rpcMethods: [RPCServerMethod] {
            [
                RPCServerMethod(
                    method: EchoMethods.unary,
                    start: .onRequest { bytes, call in
                        let request = try EchoRequest(rpcBytes: bytes)
                        if let deferred = call as? any RPCDeferredCall,
                            deferred.beginDeferred(whenAbandoned: {
                                self.abandoned.update { $0 += 1 }
                            })
                        {
                            self.answer(request, deferred)
                            return
                        }
                        self.tasks.update { $0 += 1 }
                        call.run {
                            _ = try call.append { sink in try request.encodeRPC(to: &sink) }
                        }
                    }
                )
            ]
        }

        private func answer(_ request: EchoRequest, _ call: any RPCDeferredCall) {
            let failure = RPCError(code: .dataLoss, message: "gone")
            switch request.number {
            case 0: call.answer { sink in try request.encodeRPC(to: &sink) }
            case 1: call.refuse(failure)
            case 2: call.answer { _ in throw failure }
            case 3:
                self.held.update { held in
                    held.append { call.answer { sink in try request.encodeRPC(to: &sink) } }
                }
            default:
                DispatchQueue.global().async {
                    call.answer { sink in try request.encodeRPC(to: &sink) }
                }
            }
        }
    }

    private func options(_ interceptors: [any ServerInterceptor]) -> RPCServerOptions {
        var options = RPCServerOptions()
        options.interceptors = interceptors
        return options
    }

    @Test("are answered at once, and from other threads", arguments: [0, 4] as [UInt64])
    func answers(_ number: UInt64) async throws {
        let service = Service()
        try await NetworkConnection.with([service]) { client in
            let echo = EchoClient(channel: client)
            let request = EchoRequest(number: number, payload: [UInt8](repeating: 7, count: 70_000))
            for _ in 0..<20 {
                let response = try await echo.unary(request)
                #expect(response == request)
            }
        }
        #expect(service.tasks.value == 0)
        #expect(service.abandoned.value == 0)
    }

    @Test("are answered side by side, each with its own")
    func many() async throws {
        try await NetworkConnection.with([Service()]) { client in
            let echo = EchoClient(channel: client)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 10..<510 as Range<UInt64> {
                    group.addTask {
                        let request = EchoRequest(number: number, payload: [1, 2, 3])
                        return try await echo.unary(request) == request
                    }
                }
                for try await isSame in group { #expect(isSame) }
            }
        }
    }

    @Test(
        "end with the error that is given, or that the encoder throws",
        arguments: [1, 2] as [UInt64]
    )
    func refusals(_ number: UInt64) async throws {
        let log = Shared<[String]>([])
        let server = self.options([Counting(log: log)])
        try await MemoryConnection.with([Service()], server: server) { client, _ in
            let echo = EchoClient(channel: client)
            let error = await rpcError { _ = try await echo.unary(EchoRequest(number: number)) }
            #expect(error?.code == .dataLoss && error?.message == "gone")
        }
        #expect(log.value == ["began Unary", "ended DATA_LOSS"])
    }

    @Test("are observed, but not where an interceptor needs a task", arguments: [false, true])
    func interceptors(_ needsTask: Bool) async throws {
        let log = Shared<[String]>([])
        var interceptors: [any ServerInterceptor] = [Counting(log: log)]
        if needsTask { interceptors.append(Waiting()) }
        let service = Service()
        try await MemoryConnection.with([service], server: self.options(interceptors)) {
            client,
            _ in
            _ = try await EchoClient(channel: client).unary(EchoRequest())
        }
        #expect(service.tasks.value == (needsTask ? 1 : 0))
        #expect(log.value == ["began Unary", "ended OK"])
    }

    @Test("may be answered when nobody waits any more")
    func late() async throws {
        let log = Shared<[String]>([])
        let service = Service()
        let server = self.options([Counting(log: log)])
        try await NetworkConnection.with([service], server: server) { client in
            let echo = EchoClient(channel: client)
            let waiting = Task { try await echo.unary(EchoRequest(number: 3)) }
            try await poll("the call has begun") { service.held.value.count == 1 }
            waiting.cancel()
            await expectStatus(.cancelled) { _ = try await waiting.value }
            // The connection works on, and has brought the end of the call before this call.
            _ = try await echo.unary(EchoRequest())
            #expect(service.abandoned.value == 1)
            service.held.value[0]()
            try await poll("the end was seen") { log.value.last == "ended CANCELLED" }
            _ = try await echo.unary(EchoRequest())
        }
        #expect(service.abandoned.value == 1)
    }

    @Test("hear that their deadline has passed")
    func abandonedAtDeadline() async throws {
        let service = Service()
        try await NetworkConnection.with([service]) { client in
            let echo = EchoClient(channel: client)
            // On a busy machine a deadline may pass before the call has begun.
            for seconds in [1, 5, 25] where service.held.value.isEmpty {
                await expectStatus(.deadlineExceeded) {
                    _ = try await echo.unary(
                        EchoRequest(number: 3),
                        options: CallOptions(timeout: .seconds(seconds))
                    )
                }
            }
            try await poll("the service has heard of it") {
                let begun = service.held.value.count
                return begun > 0 && service.abandoned.value == begun
            }
            for answer in service.held.value { answer() }
        }
    }

    @Test("hear that their connection is lost")
    func abandonedWithConnection() async throws {
        let service = Service()
        try await NetworkConnection.with([service]) { client in
            let waiting = Task {
                try await EchoClient(channel: client).unary(EchoRequest(number: 3))
            }
            try await poll("the call has begun") { service.held.value.count == 1 }
            client.close(gracefully: false)
            await expectStatus(.unavailable) { _ = try await waiting.value }
            try await poll("the service has heard of it") { service.abandoned.value == 1 }
            service.held.value[0]()
        }
    }
}
