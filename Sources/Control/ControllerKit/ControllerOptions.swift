// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What flags say about how controllers work, with upstream's defaults.
package struct ControllerOptions: Sendable, Hashable {
    /// Keys worked on at once, by the controller's name, where that is not its own number;
    /// `--concurrent-*-syncs`.
    package var workers: [String: Int] = [:]
    /// `--node-eviction-rate`: nodes per second of a healthy zone that are given the taint which
    /// drives pods away.
    package var nodeEvictionRate = 0.1
    /// `--secondary-node-eviction-rate`: the same of a large zone that is not healthy.
    package var secondaryNodeEvictionRate = 0.01
    /// `--unhealthy-zone-threshold`: the part of a zone's nodes that must fail for it to count as
    /// unhealthy.
    package var unhealthyZoneThreshold = 0.55
    /// `--large-cluster-size-threshold`: zones of up to so many nodes evict nothing when unhealthy.
    package var largeClusterSizeThreshold = 50
    /// `--max-endpoints-per-slice`.
    package var maximumEndpointsPerSlice = 100
    /// `--mirroring-max-endpoints-per-subset`.
    package var maximumMirroredEndpoints = 1000
    /// `--endpoint-updates-batch-period`: from a pod's change until its Service's Endpoints follow.
    package var endpointsBatchPeriod: Duration = .zero
    /// `--endpointslice-updates-batch-period`: the same for slices.
    package var slicesBatchPeriod: Duration = .zero
    /// `--mirroring-endpointslice-updates-batch-period`: the same for mirrored slices.
    package var mirroringBatchPeriod: Duration = .zero
    /// `--resource-quota-sync-period`: from a count by admission until everything is counted anew.
    package var quotaSyncPeriod: Duration = .seconds(300)

    package init() {}
}
