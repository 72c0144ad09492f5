// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Clocks
import KubernetesAPI
import ObjectModel
import Protobuf
public import RPCInterface
import ResourceClient
import Scalars
import Synchronization

/// Lets one of several replicas do the work, by a Lease.
public final class LeaderElector: Sendable {
    private struct State {
        var election: LeaderElectionState
        /// The Lease as last read or written; nil when it must be read.
        var lease: CoordinationV1.Lease?
    }

    private let configuration: LeaderElectionConfiguration
    private let client: Client<CoordinationV1.Lease>
    private let clock: any ComponentClock
    private let state: Mutex<State>

    public init(
        _ configuration: LeaderElectionConfiguration,
        channel: any RPCChannel,
        clock: any ComponentClock = SystemClock()
    ) {
        self.configuration = configuration
        var client = Client<CoordinationV1.Lease>(channel)
        // A call that hangs must not outlive the deadline it is to meet.
        client.timeout = configuration.renewDeadline / 2
        self.client = client
        self.clock = clock
        self.state = Mutex(State(election: LeaderElectionState(configuration)))
    }

    /// Whether this replica leads.
    public var isLeader: Bool { self.state.withLock { $0.election.isLeader } }

    /// Who leads, as far as is known.
    public var leader: String { self.state.withLock { $0.election.leader } }

    /// What a health check says: nil, or why a leader is none any more and ought to be restarted.
    ///
    /// Source: upstream client-go `tools/leaderelection/healthzadaptor.go`.
    public func check() -> String? {
        let uptime = self.clock.uptime
        let isLost = self.state.withLock {
            $0.election.isLeader && $0.election.hasLost(uptime: uptime)
        }
        return isLost
            ? "failed election to renew leadership on lease \(self.configuration.name)" : nil
    }

    /// Waits to become leader, then runs `lead` until it returns, the Lease is lost or the task is
    /// cancelled. In the last two cases `lead` is cancelled and has ended before this returns.
    ///
    /// - Returns: whether leadership was lost, on which a component ends.
    @discardableResult
    public func run(_ lead: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        while !Task.isCancelled, await !self.tryOnce() {
            // Spread, so that candidates do not meet at every try.
            let jitter = Double.random(in: 0...1.2)
            await self.clock.sleep(for: self.configuration.retryPeriod * (1 + jitter))
        }
        if Task.isCancelled { return false }
        let isLost = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await lead()
                return false
            }
            group.addTask { await self.renew() }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        if !isLost, self.configuration.releasesOnCancel { await self.release() }
        return isLost
    }

    /// Renews until it fails for too long.
    ///
    /// - Returns: true when the Lease is lost, false when the task was cancelled.
    private func renew() async -> Bool {
        while await self.clock.sleep(for: self.configuration.retryPeriod) {
            await self.tryOnce()
            let uptime = self.clock.uptime
            if self.state.withLock({ $0.election.hasLost(uptime: uptime) }) { return true }
        }
        return false
    }

    /// Reads the Lease where that is needed, and writes it where that is due.
    ///
    /// - Returns: whether this replica leads now.
    @discardableResult
    private func tryOnce() async -> Bool {
        do throws(StatusError) {
            // A leader knows what it wrote last, and finds a conflict if that is not so any more.
            let known = self.state.withLock { $0.election.isLeader ? $0.lease : nil }
            let lease: CoordinationV1.Lease?
            if let known {
                lease = known
            } else {
                lease = try await self.read()
            }
            let now = self.clock.now
            let uptime = self.clock.uptime
            let action = self.state.withLock {
                $0.election.decide(lease?.spec, now: now, uptime: uptime)
            }
            switch action {
            case .follow: return false
            case .create(let spec):
                let object = CoordinationV1.Lease.with {
                    $0.metadata.namespace = self.configuration.namespace
                    $0.metadata.name = self.configuration.name
                    $0.spec = spec
                }
                self.accept(try await self.client.create(object))
            case .update(let spec):
                var object = lease ?? CoordinationV1.Lease()
                object.spec = spec
                self.accept(try await self.client.update(object))
            }
            return true
        } catch {
            // A conflict means that another wrote; anything else is tried again like it.
            self.state.withLock { $0.lease = nil }
            return false
        }
    }

    private func read() async throws(StatusError) -> CoordinationV1.Lease? {
        do throws(StatusError) {
            return try await self.client.get(
                self.configuration.name,
                in: self.configuration.namespace
            )
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private func accept(_ lease: CoordinationV1.Lease) {
        let uptime = self.clock.uptime
        self.state.withLock { state in
            state.lease = lease
            state.election.written(lease.spec, uptime: uptime)
        }
    }

    private func release() async {
        let now = self.clock.now
        let lease = self.state.withLock { state -> CoordinationV1.Lease? in
            guard var lease = state.lease, let spec = state.election.released(now: now) else {
                return nil
            }
            lease.spec = spec
            return lease
        }
        guard let lease else { return }
        // The task is cancelled already; the release has one of its own. When it fails the others
        // wait for the Lease to run out.
        let client = self.client
        await Task.detached { _ = try? await client.update(lease) }.value
        self.state.withLock { $0.lease = nil }
    }
}
