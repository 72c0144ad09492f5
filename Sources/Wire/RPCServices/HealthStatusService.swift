// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import GRPCServices
import Protobuf
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

    private struct State {
        var statuses: [String: Status] = ["": .serving]
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
        var isShutDown = false
    }

    /// One `Watch`. It sees the newest status only, so a slow client costs no memory.
    private struct Watcher {
        var service: String
        var wake: AsyncStream<Void>.Continuation
    }

    private let state = Mutex(State())

    /// Services that may be watched at once. Answer: `RESOURCE_EXHAUSTED`.
    public static let maximumWatchers = 10_000

    /// A server that serves, with no services known.
    public init() {}

    /// Sets the status of a service.
    public func set(_ status: Status, for service: String = "") {
        let wakes = self.state.withLock { state in
            guard !state.isShutDown, state.statuses[service] != status else {
                return [AsyncStream<Void>.Continuation]()
            }
            state.statuses[service] = status
            return state.watchers.values.filter { $0.service == service }.map(\.wake)
        }
        for wake in wakes { wake.yield() }
    }

    /// Says of every service, for good, that it does not serve: the server is going away.
    public func shutDown() {
        let wakes = self.state.withLock { state in
            state.isShutDown = true
            for service in state.statuses.keys { state.statuses[service] = .notServing }
            return state.watchers.values.map(\.wake)
        }
        for wake in wakes { wake.yield() }
    }

    // MARK: Health.HealthService

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
        let number = self.state.withLock { state -> Int? in
            guard state.watchers.count < Self.maximumWatchers else { return nil }
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = Watcher(service: service, wake: wake)
            return state.nextWatcher
        }
        guard let number else {
            throw RPCError(code: .resourceExhausted, message: "too many watches")
        }
        defer { self.state.withLock { _ = $0.watchers.removeValue(forKey: number) } }
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
}
