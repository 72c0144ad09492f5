// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics

/// Of the controller of EndpointSlices.
package struct EndpointSliceMetrics: Sendable {
    /// By operation: create, update, delete.
    package let changes: MetricFamily<Counter>
    /// By result: success, error.
    package let syncs: MetricFamily<Counter>

    init(_ registry: MetricRegistry) {
        self.changes = registry.counter(
            "endpoint_slice_controller_changes",
            help: "Number of EndpointSlice changes",
            labels: ["operation"]
        )
        self.syncs = registry.counter(
            "endpoint_slice_controller_syncs",
            help: "Number of EndpointSlice syncs",
            labels: ["result"]
        )
    }
}

/// Of the controller that mirrors Endpoints.
package struct MirroringMetrics: Sendable {
    /// By operation: create, update, delete.
    package let changes: MetricFamily<Counter>
    package let skippedPerSync: Histogram

    init(_ registry: MetricRegistry) {
        self.changes = registry.counter(
            "endpoint_slice_mirroring_controller_changes",
            help: "Number of EndpointSlice changes",
            labels: ["operation"]
        )
        self.skippedPerSync = registry.histogram(
            "endpoint_slice_mirroring_controller_addresses_skipped_per_sync",
            help: "Number of addresses skipped on each Endpoints sync due to being invalid or"
                + " exceeding MaxEndpointsPerSubset",
            bounds: .exponential(start: 2, factor: 2, count: 15)
        )
    }
}
