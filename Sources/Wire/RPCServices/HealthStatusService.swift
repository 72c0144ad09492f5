// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import GRPCServices
import Protobuf
import RPC
public import RPCInterface
import Synchronization

/// `grpc.health.v1.Health`: tells clients which services of this server work.
///
/// The empty name is the server as a whole and serves from the start. A service that was never set
/// is `NOT_FOUND` for `Check`, and `SERVICE_UNKNOWN` for `Watch`, which goes on until it is known.
///
/// Source: gRPC `doc/health-checking.md`.
public final class HealthStatusService: Health.HealthService {
    /// How a service is.
    public typealias Status = Health.HealthCheckResponse.ServingStatus

    private let state: Mutex<HealthState>

    /// Services that may be watched at once, unless said otherwise. Answer: `RESOURCE_EXHAUSTED`.
    public static let maximumWatchers = 10_000

    /// A server that serves, with no services known.
    public init(maximumWatchers: Int = HealthStatusService.maximumWatchers) {
        self.state = Mutex(HealthState(maximumWatchers: maximumWatchers))
    }

    /// Sets the status of a service.
    public func set(_ status: Status, for service: String = "") {
        self.tell { $0.set(status, for: service) }
    }

    /// Says of every service, for good, that it does not serve: the server is going away.
    public func shutDown() {
        self.tell { $0.shutDown() }
    }

    // MARK: Health.HealthService

    /// As generated, but a watch on a network has no task: thousands of them are idle all day.
    public var rpcMethods: [RPCServerMethod] {
        [
            .unary(Health.HealthMethods.check) {
                (request: Health.HealthCheckRequest, context) -> Health.HealthCheckResponse in
                try await self.check(request, context: context)
            },
            .unary(Health.HealthMethods.list) {
                (request: Health.HealthListRequest, context) -> Health.HealthListResponse in
                try await self.list(request, context: context)
            },
            RPCServerMethod(
                method: Health.HealthMethods.watch,
                start: .onRequest { bytes, call in
                    let request = try Health.HealthCheckRequest(rpcBytes: bytes)
                    if let deferred = call as? any RPCDeferredCall,
                        self.watch(request.service, in: deferred)
                    {
                        return
                    }
                    call.run {
                        try await self.watch(
                            request,
                            responses: RPCWriter(call),
                            context: ServerContext(call)
                        )
                    }
                }
            ),
        ]
    }

    public func check(
        _ request: Health.HealthCheckRequest,
        context: ServerContext
    ) async throws -> Health.HealthCheckResponse {
        let service = request.service
        guard let status = self.state.withLock({ $0.statuses[service] }) else {
            throw RPCError(code: .notFound, message: "unknown service")
        }
        return .with { $0.status = status }
    }

    public func list(
        _ request: Health.HealthListRequest,
        context: ServerContext
    ) async throws -> Health.HealthListResponse {
        let statuses = self.state.withLock { $0.statuses }
        return .with { response in
            for (service, status) in statuses {
                response.statuses[service] = .with { $0.status = status }
            }
        }
    }

    public func watch(
        _ request: Health.HealthCheckRequest,
        responses: RPCWriter<Health.HealthCheckResponse>,
        context: ServerContext
    ) async throws {
        let service = request.service
        let (changes, wake) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        guard let number = self.state.withLock({ $0.add(service, .task(wake)) }) else {
            throw Self.tooManyWatches
        }
        defer { _ = self.state.withLock { $0.watchers.removeValue(forKey: number) } }
        var last: Status?
        wake.yield()
        for await _ in changes {
            let status = self.state.withLock { $0.statuses[service] } ?? .serviceUnknown
            guard status != last else { continue }
            last = status
            try await responses.write(.with { $0.status = status })
        }
        // The stream of changes ends with the task only.
        throw CancellationError()
    }

    // MARK: - Watches without a task

    /// Begins a watch that is told of a change by whoever makes it.
    ///
    /// - Returns: false when the call needs a task.
    private func watch(_ service: String, in call: any RPCDeferredCall) -> Bool {
        let number = self.state.withLock { $0.takeNumber() }
        guard call.beginDeferred(whenAbandoned: { self.abandoned(number) }) else { return false }
        let isAdded = self.state.withLock { $0.add(service, .call(call), as: number) != nil }
        if isAdded {
            self.tell { _ in [number] }
        } else {
            call.refuse(Self.tooManyWatches)
        }
        return true
    }

    private func abandoned(_ number: Int) {
        let watcher = self.state.withLock { $0.watchers.removeValue(forKey: number) }
        guard case .call(let call)? = watcher?.outlet else { return }
        call.refuse(RPCError(code: .cancelled, message: "the call was cancelled"))
    }

    /// Changes statuses and tells the watchers whose numbers are returned.
    private func tell(_ change: (inout HealthState) -> [Int]) {
        let told = self.state.withLock { state in
            // Under the lock, so that two changes reach a client in their order.
            change(&state).reduce(into: HealthState.Told()) { state.tell($1, &$0) }
        }
        for wake in told.tasks { wake.yield() }
        for (number, call) in told.full { self.waitForRoom(number, call) }
    }

    /// Goes on when a slow client has read. It is told of the status as it is then.
    private func waitForRoom(_ number: Int, _ call: any RPCDeferredCall) {
        Task {
            // When the call has ended meanwhile, so has its watcher.
            try? await call.waitForRoom()
            self.tell { state in
                state.watchers[number]?.isFull = false
                return [number]
            }
        }
    }

    private static var tooManyWatches: RPCError {
        RPCError(code: .resourceExhausted, message: "too many watches")
    }
}
