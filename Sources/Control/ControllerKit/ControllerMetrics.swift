// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics

/// What single controllers count, by upstream's names.
///
/// Source: the `metrics` folders of upstream `pkg/controller`, and
/// `staging/src/k8s.io/endpointslice/metrics`.
package final class ControllerMetrics: Sendable {
    package let jobs: JobMetrics
    package let jobCreationSkew: Histogram
    package let jobDeletion: Histogram
    package let endpointSlices: EndpointSliceMetrics
    package let mirroring: MirroringMetrics
    package let zones: NodeZoneMetrics
    /// Nodes that were given the taint which drives pods away, by zone.
    package let evictions: MetricFamily<Counter>
    /// From the look at a node until its condition and taints are what they should be.
    package let nodeHealth: Histogram
    /// From when there was a node to look at until there was none left.
    package let allNodesHealth: Histogram
    /// Resources that could not be listed or watched for the garbage collector.
    package let garbageFailures: Counter
    package let taintEviction: TaintEvictionMetrics
    package let podGarbage: PodGarbageMetrics
    package let rootCA: RootCAMetrics
    package let volumes: VolumeMetrics
    package let nodeRanges: NodeRangeMetrics
    /// Of pods that ReplicaSets delete: how much older they are than the youngest.
    package let deletionAgeRatio: Histogram
    package let ephemeralVolumes: EphemeralVolumeMetrics
    package let statefulSets: StatefulSetMetrics

    package init(_ registry: MetricRegistry) {
        self.jobs = JobMetrics(registry)
        self.jobCreationSkew = registry.histogram(
            "cronjob_controller_job_creation_skew_duration_seconds",
            help: "Time between when a cronjob is scheduled to be run, and when the corresponding"
                + " job is created",
            bounds: .exponential(start: 1, factor: 2, count: 10)
        )
        self.jobDeletion = registry.histogram(
            "ttl_after_finished_controller_job_deletion_duration_seconds",
            help: "The time it took to delete the job since it became eligible for deletion",
            bounds: .exponential(start: 0.1, factor: 2, count: 14)
        )
        self.endpointSlices = EndpointSliceMetrics(registry)
        self.mirroring = MirroringMetrics(registry)
        self.zones = NodeZoneMetrics(registry)
        self.evictions = registry.counter(
            "node_collector_evictions_total",
            help: "Number of Node evictions that happened since current instance of NodeController"
                + " started.",
            labels: ["zone"]
        )
        self.nodeHealth = registry.histogram(
            "node_collector_update_node_health_duration_seconds",
            help: "Duration in seconds for NodeController to update the health of a single node.",
            bounds: .exponential(start: 0.001, factor: 4, count: 8)
        )
        self.allNodesHealth = registry.histogram(
            "node_collector_update_all_nodes_health_duration_seconds",
            help: "Duration in seconds for NodeController to update the health of all nodes.",
            bounds: .exponential(start: 0.01, factor: 4, count: 8)
        )
        self.garbageFailures = registry.counter(
            "garbagecollector_controller_resources_sync_error_total",
            help: "Number of garbage collector resources sync errors"
        )
        self.taintEviction = TaintEvictionMetrics(registry)
        self.podGarbage = PodGarbageMetrics(registry)
        self.rootCA = RootCAMetrics(registry)
        self.volumes = VolumeMetrics(registry)
        self.nodeRanges = NodeRangeMetrics(registry)
        self.deletionAgeRatio = registry.histogram(
            "replicaset_controller_sorting_deletion_age_ratio",
            help: "The ratio of chosen deleted pod's ages to the current youngest pod's age (at the"
                + " time). Should be <2. The intent of this metric is to measure the rough efficacy"
                + " of the LogarithmicScaleDown feature gate's effect on the sorting (and deletion)"
                + " of pods when a replicaset scales down. This only considers Ready pods when"
                + " calculating and reporting.",
            bounds: .exponential(start: 0.25, factor: 2, count: 6)
        )
        self.ephemeralVolumes = EphemeralVolumeMetrics(registry)
        self.statefulSets = StatefulSetMetrics(registry)
    }
}

/// Of the root CA publisher, by the code of the answer.
package struct RootCAMetrics: Sendable {
    package let syncs: MetricFamily<Counter>
    package let seconds: MetricFamily<Histogram>

    init(_ registry: MetricRegistry) {
        let help = "Number of namespace syncs happened in root ca cert publisher."
        self.syncs = registry.counter(
            "root_ca_cert_publisher_sync_total",
            help: help,
            labels: ["code"]
        )
        self.seconds = registry.histogram(
            "root_ca_cert_publisher_sync_duration_seconds",
            help: help,
            labels: ["code"],
            bounds: .exponential(start: 0.001, factor: 2, count: 15)
        )
    }
}

/// Of the ephemeral volume controller.
package struct EphemeralVolumeMetrics: Sendable {
    package let creations: Counter
    package let failures: Counter

    init(_ registry: MetricRegistry) {
        self.creations = registry.counter(
            "ephemeral_volume_controller_create_total",
            help: "Number of PersistentVolumeClaim creation requests"
        )
        self.failures = registry.counter(
            "ephemeral_volume_controller_create_failures_total",
            help: "Number of failed PersistentVolumeClaim creation requests"
        )
    }
}
