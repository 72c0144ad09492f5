// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics
package import ResourceClient
import Synchronization

/// How many slices and endpoints the Services of a controller have, summed up when somebody asks.
///
/// Source: upstream `staging/src/k8s.io/endpointslice/metrics/cache.go`.
package final class SliceTotals: Sendable {
    /// Of one Service.
    package struct Share: Sendable, Equatable {
        package var slices: Int
        package var desiredSlices: Int
        package var endpoints: Int
        /// The Service's `trafficDistribution`; empty when it has none.
        package var distribution: String

        package init(
            slices: Int,
            desiredSlices: Int,
            endpoints: Int,
            distribution: String = ""
        ) {
            self.slices = slices
            self.desiredSlices = desiredSlices
            self.endpoints = endpoints
            self.distribution = distribution
        }
    }

    private let shares = Mutex<[ObjectKey: Share]>([:])

    init(_ registry: MetricRegistry, prefix: String) {
        self.register(registry, "\(prefix)_num_endpoint_slices", "Number of EndpointSlices") {
            $0.slices
        }
        self.register(
            registry,
            "\(prefix)_desired_endpoint_slices",
            "Number of EndpointSlices that would exist with perfect endpoint allocation"
        ) {
            $0.desiredSlices
        }
        self.register(registry, "\(prefix)_endpoints_desired", "Number of endpoints desired") {
            $0.endpoints
        }
    }

    private func register(
        _ registry: MetricRegistry,
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (Share) -> Int
    ) {
        registry.callback(name, .gauge, help: help) { [weak self] in
            let sum = self?.shares.withLock { $0.values.reduce(0) { $0 + value($1) } }
            return Double(sum ?? 0)
        }
    }

    /// Counts the Services of each traffic distribution as well.
    func countDistributions(_ registry: MetricRegistry, _ name: String) {
        let known = ["PreferClose", "PreferSameZone", "PreferSameNode"]
        registry.callback(
            name,
            .gauge,
            help: "Number of Services using some specific trafficDistribution",
            labels: ["traffic_distribution"]
        ) { [weak self] in
            let all = self?.shares.withLock { $0.values.map(\.distribution) } ?? []
            let counts = Dictionary(grouping: all.filter { !$0.isEmpty }) {
                known.contains($0) ? $0 : "ImplementationSpecific"
            }
            return counts.sorted { $0.key < $1.key }
                .map { Sample(labels: [$0.key], Double($0.value.count)) }
        }
    }

    /// Notes what a Service has now; nil when it is gone.
    package func note(_ key: ObjectKey, _ share: Share?) {
        self.shares.withLock { $0[key] = share }
    }
}

/// Of the controller of EndpointSlices.
package struct EndpointSliceMetrics: Sendable {
    /// By operation: create, update, delete.
    package let changes: MetricFamily<Counter>
    /// By result: success, error.
    package let syncs: MetricFamily<Counter>
    package let addedPerSync: Histogram
    package let removedPerSync: Histogram
    /// By topology and traffic distribution.
    package let changedSlicesPerSync: MetricFamily<Histogram>
    package let totals: SliceTotals

    init(_ registry: MetricRegistry) {
        let prefix = "endpoint_slice_controller"
        self.changes = registry.counter(
            "\(prefix)_changes",
            help: "Number of EndpointSlice changes",
            labels: ["operation"]
        )
        self.syncs = registry.counter(
            "\(prefix)_syncs",
            help: "Number of EndpointSlice syncs",
            labels: ["result"]
        )
        self.addedPerSync = registry.histogram(
            "\(prefix)_endpoints_added_per_sync",
            help: "Number of endpoints added on each Service sync",
            bounds: .exponential(start: 2, factor: 2, count: 15)
        )
        self.removedPerSync = registry.histogram(
            "\(prefix)_endpoints_removed_per_sync",
            help: "Number of endpoints removed on each Service sync",
            bounds: .exponential(start: 2, factor: 2, count: 15)
        )
        self.changedSlicesPerSync = registry.histogram(
            "\(prefix)_endpointslices_changed_per_sync",
            help: "Number of EndpointSlices changed on each Service sync",
            labels: ["topology", "traffic_distribution"],
            bounds: .exponential(start: 2, factor: 2, count: 15)
        )
        self.totals = SliceTotals(registry, prefix: prefix)
        self.totals.countDistributions(
            registry,
            "\(prefix)_services_count_by_traffic_distribution"
        )
    }
}

/// Of the controller that mirrors Endpoints.
package struct MirroringMetrics: Sendable {
    /// By operation: create, update, delete.
    package let changes: MetricFamily<Counter>
    package let skippedPerSync: Histogram
    package let addedPerSync: Histogram
    package let updatedPerSync: Histogram
    package let removedPerSync: Histogram
    package let syncSeconds: Histogram
    package let totals: SliceTotals

    init(_ registry: MetricRegistry) {
        let prefix = "endpoint_slice_mirroring_controller"
        func perSync(_ what: String, _ help: String) -> Histogram {
            registry.histogram(
                "\(prefix)_\(what)_per_sync",
                help: help,
                bounds: .exponential(start: 2, factor: 2, count: 15)
            )
        }
        self.changes = registry.counter(
            "\(prefix)_changes",
            help: "Number of EndpointSlice changes",
            labels: ["operation"]
        )
        self.skippedPerSync = perSync(
            "addresses_skipped",
            "Number of addresses skipped on each Endpoints sync due to being invalid or exceeding"
                + " MaxEndpointsPerSubset"
        )
        self.addedPerSync = perSync(
            "endpoints_added",
            "Number of endpoints added on each Endpoints sync"
        )
        self.updatedPerSync = perSync(
            "endpoints_updated",
            "Number of endpoints updated on each Endpoints sync"
        )
        self.removedPerSync = perSync(
            "endpoints_removed",
            "Number of endpoints removed on each Endpoints sync"
        )
        self.syncSeconds = registry.histogram(
            "\(prefix)_endpoints_sync_duration",
            help: "Duration of syncEndpoints() in seconds",
            bounds: .exponential(start: 0.001, factor: 2, count: 15)
        )
        self.totals = SliceTotals(registry, prefix: prefix)
    }
}
