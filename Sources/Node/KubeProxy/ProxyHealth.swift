// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import KubernetesAPI
import Protobuf
import Scalars
import Synchronization

/// Whether the proxy does its work: what `/healthz` and `/livez` say.
///
/// It is healthy when no change waits for longer than two full periods. Load balancers ask `/healthz`,
/// which is unhealthy too while the node is about to go.
///
/// Source: upstream `pkg/proxy/healthcheck/proxy_health.go`.
public final class ProxyHealth: Sendable {
    private struct State {
        var updatedAt: Timestamp?
        /// Uptime at which the oldest change that waits came.
        var queuedAt: Duration?
        var isEligible = true
    }

    /// Upstream: twice the default `syncPeriod` of 30 s.
    static let timeout = Duration.seconds(60)
    /// By which the cluster autoscaler says that it takes a node away.
    static let deletionTaint = "ToBeDeletedByClusterAutoscaler"

    private let clock: any ComponentClock
    private let families: [String]
    private let state = Mutex(State())

    init(clock: any ComponentClock, families: [String]) {
        self.clock = clock
        self.families = families
    }

    var hasSynced: Bool { self.state.withLock { $0.updatedAt != nil } }

    func queued() {
        let now = self.clock.uptime
        self.state.withLock { if $0.queuedAt == nil { $0.queuedAt = now } }
    }

    /// All that waited is in the kernel.
    func updated() {
        let now = self.clock.now
        self.state.withLock { state in
            state.updatedAt = now
            state.queuedAt = nil
        }
    }

    func setNode(isEligible: Bool) {
        self.state.withLock { $0.isEligible = isEligible }
    }

    static func isEligible(_ node: CoreV1.Node) -> Bool {
        node.metadata.deletionTimestamp == nil
            && !node.spec.taints.contains { $0.key == Self.deletionTaint }
    }

    /// Whether the rules are up to date.
    public var isHealthy: Bool {
        let now = self.clock.uptime
        return self.state.withLock { state in
            guard state.updatedAt != nil else { return false }
            return state.queuedAt.map { now - $0 < Self.timeout } ?? true
        }
    }

    /// A page and its status.
    struct Page {
        var isHealthy: Bool
        var body: String
    }

    /// - Parameter asksForNode: whether a node that is about to go is unhealthy: `/healthz`.
    func page(asksForNode: Bool) -> Page {
        let (updatedAt, isEligible) = self.state.withLock { ($0.updatedAt, $0.isEligible) }
        let now = self.clock.now
        let isCurrent = self.isHealthy
        // As upstream: the time of a healthy proxy is always recent.
        let updated = (isCurrent ? now : updatedAt ?? .zero).text(as: .nanoseconds)
        let times =
            "\"lastUpdated\":\"\(updated)\",\"currentTime\":\"\(now.text(as: .nanoseconds))\""
        let isHealthy = isCurrent && (isEligible || !asksForNode)
        let status = self.families.map { "\"\($0)\":{\(times),\"healthy\":\(isCurrent)}" }
        let node = asksForNode ? "\"nodeEligible\":\(isEligible)," : ""
        return Page(
            isHealthy: isHealthy,
            body: "{\(times),\"healthy\":\(isHealthy),\(node)"
                + "\"status\":{\(status.joined(separator: ","))}}"
        )
    }
}
