// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Metrics
import Scalars
import ServiceRules

/// The proxy's metrics, with upstream's names.
///
/// Source: upstream `pkg/proxy/metrics/metrics.go`.
public struct ProxyMetrics: Sendable {
    public let registry: MetricRegistry
    private let syncs: MetricFamily<Histogram>
    private let wholeSyncs: MetricFamily<Histogram>
    private let partialSyncs: MetricFamily<Histogram>
    private let programming: MetricFamily<Histogram>
    private let lastSync: MetricFamily<Gauge>
    private let lastQueued: MetricFamily<Gauge>
    private let failures: MetricFamily<Counter>
    private let withoutLocal: MetricFamily<Gauge>
    private let forgotten: MetricFamily<Counter>
    private let forgetting: MetricFamily<Histogram>
    let serviceChanges: Counter
    let endpointChanges: Counter
    private let pendingServiceChanges: Gauge
    private let pendingEndpointChanges: Gauge
    let healthCodes: MetricFamily<Counter>
    let liveCodes: MetricFamily<Counter>

    public init(_ registry: MetricRegistry = MetricRegistry()) {
        self.registry = registry
        let bounds = [Double].exponential(start: 0.001, factor: 2, count: 15)
        func seconds(_ name: String, _ help: String) -> MetricFamily<Histogram> {
            registry.histogram(
                "kubeproxy_\(name)",
                help: help,
                labels: ["ip_family"],
                bounds: bounds
            )
        }
        func gauge(_ name: String, _ help: String) -> MetricFamily<Gauge> {
            registry.gauge("kubeproxy_\(name)", help: help, labels: ["ip_family"])
        }
        self.syncs = seconds(
            "sync_proxy_rules_duration_seconds",
            "SyncProxyRules latency in seconds"
        )
        self.wholeSyncs = seconds(
            "sync_full_proxy_rules_duration_seconds",
            "SyncProxyRules latency in seconds for full resyncs"
        )
        self.partialSyncs = seconds(
            "sync_partial_proxy_rules_duration_seconds",
            "SyncProxyRules latency in seconds for partial resyncs"
        )
        self.programming = registry.histogram(
            "kubeproxy_network_programming_duration_seconds",
            help: "In Cluster Network Programming Latency in seconds",
            labels: ["ip_family"],
            bounds: [0.25, 0.5] + [Double].linear(start: 1, width: 1, count: 59)
                + [Double].linear(start: 60, width: 5, count: 12)
                + [Double].linear(start: 120, width: 30, count: 7)
        )
        self.lastSync = gauge(
            "sync_proxy_rules_last_timestamp_seconds",
            "The last time proxy rules were successfully synced"
        )
        self.lastQueued = gauge(
            "sync_proxy_rules_last_queued_timestamp_seconds",
            "The last time a sync of proxy rules was queued"
        )
        self.failures = registry.counter(
            "kubeproxy_sync_proxy_rules_nftables_sync_failures_total",
            help: "Cumulative proxy nftables sync failures",
            labels: ["ip_family"]
        )
        self.withoutLocal = registry.gauge(
            "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
            help: "Number of services with a Local traffic policy and no endpoints",
            labels: ["ip_family", "traffic_policy"]
        )
        self.forgotten = registry.counter(
            "kubeproxy_conntrack_reconciler_deleted_entries_total",
            help: "Cumulative conntrack flows deleted by conntrack reconciler",
            labels: ["ip_family"]
        )
        self.forgetting = seconds(
            "conntrack_reconciler_sync_duration_seconds",
            "ReconcileConntrackFlowsLatency latency in seconds"
        )
        self.serviceChanges = registry.counter(
            "kubeproxy_sync_proxy_rules_service_changes_total",
            help: "Cumulative proxy rules Service changes"
        )
        self.endpointChanges = registry.counter(
            "kubeproxy_sync_proxy_rules_endpoint_changes_total",
            help: "Cumulative proxy rules Endpoint changes"
        )
        self.pendingServiceChanges = registry.gauge(
            "kubeproxy_sync_proxy_rules_service_changes_pending",
            help: "Pending proxy rules Service changes"
        )
        self.pendingEndpointChanges = registry.gauge(
            "kubeproxy_sync_proxy_rules_endpoint_changes_pending",
            help: "Pending proxy rules Endpoint changes"
        )
        self.healthCodes = registry.counter(
            "kubeproxy_proxy_healthz_total",
            help: "Cumulative proxy healthz HTTP status",
            labels: ["code"]
        )
        self.liveCodes = registry.counter(
            "kubeproxy_proxy_livez_total",
            help: "Cumulative proxy livez HTTP status",
            labels: ["code"]
        )
    }

    private static func seconds(_ time: Timestamp) -> Double {
        Double(time.seconds) + Double(time.nanoseconds) * 1e-9
    }

    func lastQueued(_ families: [AddressFamily], _ now: Timestamp) {
        for family in families { self.lastQueued.with(family.rawValue).set(Self.seconds(now)) }
    }

    /// How many changes wait for the rules.
    func pending(_ services: Int, _ endpoints: Int) {
        self.pendingServiceChanges.set(Double(services))
        self.pendingEndpointChanges.set(Double(endpoints))
    }

    func synced(
        _ families: [AddressFamily],
        isWhole: Bool,
        took duration: Duration,
        at now: Timestamp
    ) {
        for family in families.map(\.rawValue) {
            self.syncs.with(family).observe(duration)
            (isWhole ? self.wholeSyncs : self.partialSyncs).with(family).observe(duration)
            self.lastSync.with(family).set(Self.seconds(now))
        }
    }

    func failed(_ families: [AddressFamily]) {
        for family in families { self.failures.with(family.rawValue).increment() }
    }

    func programmed(_ families: [AddressFamily], _ duration: Duration) {
        for family in families { self.programming.with(family.rawValue).observe(duration) }
    }

    func forgot(_ family: AddressFamily, _ count: Int, took duration: Duration) {
        self.forgotten.with(family.rawValue).increment(by: UInt64(count))
        self.forgetting.with(family.rawValue).observe(duration)
    }

    func withoutLocalEndpoints(_ tables: [RuleTable]) {
        for table in tables {
            let (inner, outer) = table.withoutLocalEndpoints
            let family = table.family.rawValue
            self.withoutLocal.with(family, "internal").set(Double(inner))
            self.withoutLocal.with(family, "external").set(Double(outer))
        }
    }
}
