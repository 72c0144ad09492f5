// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics
import Synchronization

/// What a zone is like now.
package struct NodeZoneReading: Sendable {
    package var zone: String
    package var size: Int
    package var notReady: Int

    package init(zone: String, size: Int, notReady: Int) {
        self.zone = zone
        self.size = size
        self.notReady = notReady
    }
}

/// Of zones of nodes; they are looked at when somebody asks.
///
/// Source: upstream `pkg/controller/nodelifecycle/metrics.go`.
package final class NodeZoneMetrics: Sendable {
    private let reader = Mutex<(@Sendable () -> [NodeZoneReading])?>(nil)

    init(_ registry: MetricRegistry) {
        self.register(
            registry,
            "node_collector_zone_health",
            "Gauge measuring percentage of healthy nodes per zone."
        ) {
            $0.size == 0 ? 100 : 100 * Double($0.size - $0.notReady) / Double($0.size)
        }
        self.register(
            registry,
            "node_collector_zone_size",
            "Gauge measuring number of registered Nodes per zones."
        ) {
            Double($0.size)
        }
        self.register(
            registry,
            "node_collector_unhealthy_nodes_in_zone",
            "Gauge measuring number of not Ready Nodes per zones."
        ) {
            Double($0.notReady)
        }
    }

    private func register(
        _ registry: MetricRegistry,
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (NodeZoneReading) -> Double
    ) {
        registry.callback(name, .gauge, help: help, labels: ["zone"]) { [weak self] in
            let read = self?.reader.withLock { $0 }
            return (read?() ?? []).map { Sample(labels: [$0.zone], value($0)) }
        }
    }

    /// Says who knows the zones.
    package func read(by reader: @escaping @Sendable () -> [NodeZoneReading]) {
        self.reader.withLock { $0 = reader }
    }
}

/// Of taint eviction.
package struct TaintEvictionMetrics: Sendable {
    package let deletions: Counter
    /// From when a pod was to go until it was told to.
    package let latency: Histogram

    init(_ registry: MetricRegistry) {
        self.deletions = registry.counter(
            "taint_eviction_controller_pod_deletions_total",
            help: "Total number of Pods deleted by TaintEvictionController since its start."
        )
        self.latency = registry.histogram(
            "taint_eviction_controller_pod_deletion_duration_seconds",
            help: "Latency, in seconds, between the time when a taint effect has been activated for"
                + " the Pod and its deletion via TaintEvictionController.",
            bounds: [
                0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240,
            ]
        )
    }
}

/// Of the pod garbage collector, by namespace and reason.
package struct PodGarbageMetrics: Sendable {
    package let deletions: MetricFamily<Counter>
    package let failures: MetricFamily<Counter>

    init(_ registry: MetricRegistry) {
        self.deletions = registry.counter(
            "pod_gc_collector_force_delete_pods_total",
            help: "Number of pods that are being forcefully deleted since the Pod GC Controller"
                + " started.",
            labels: ["namespace", "reason"]
        )
        self.failures = registry.counter(
            "pod_gc_collector_force_delete_pod_errors_total",
            help: "Number of errors encountered when forcefully deleting the pods since the Pod GC"
                + " Controller started.",
            labels: ["namespace", "reason"]
        )
    }
}

/// Of the ranges of pod addresses that nodes get, by the range that they are cut from.
///
/// Source: upstream `pkg/controller/nodeipam/ipam/cidrset/metrics.go`; the spelling of one name is
/// upstream's.
package struct NodeRangeMetrics: Sendable {
    package let allocations: MetricFamily<Counter>
    package let releases: MetricFamily<Counter>
    /// From 0 to 1.
    package let usage: MetricFamily<Gauge>
    package let maximum: MetricFamily<Gauge>
    package let tries: MetricFamily<Histogram>

    init(_ registry: MetricRegistry) {
        let labels = ["clusterCIDR"]
        self.allocations = registry.counter(
            "node_ipam_controller_cidrset_cidrs_allocations_total",
            help: "Counter measuring total number of CIDR allocations.",
            labels: labels
        )
        self.releases = registry.counter(
            "node_ipam_controller_cidrset_cidrs_releases_total",
            help: "Counter measuring total number of CIDR releases.",
            labels: labels
        )
        self.usage = registry.gauge(
            "node_ipam_controller_cidrset_usage_cidrs",
            help: "Gauge measuring percentage of allocated CIDRs.",
            labels: labels
        )
        self.maximum = registry.gauge(
            "node_ipam_controller_cirdset_max_cidrs",
            help: "Maximum number of CIDRs that can be allocated.",
            labels: labels
        )
        self.tries = registry.histogram(
            "node_ipam_controller_cidrset_allocation_tries_per_request",
            help: "Number of endpoints added on each Service sync",
            labels: labels,
            bounds: .exponential(start: 1, factor: 5, count: 5)
        )
    }
}
