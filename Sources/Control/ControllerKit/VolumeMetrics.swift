// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Metrics
import Protobuf
import Synchronization

/// How many volumes and claims there are; they are counted when somebody asks.
///
/// Source: upstream `pkg/controller/volume/persistentvolume/metrics/metrics.go`.
package final class VolumeMetrics: Sendable {
    /// What there is now.
    package struct Reading: Sendable {
        package var volumes: [CoreV1.PersistentVolume]
        package var claims: [CoreV1.PersistentVolumeClaim]

        package init(
            volumes: [CoreV1.PersistentVolume] = [],
            claims: [CoreV1.PersistentVolumeClaim] = []
        ) {
            self.volumes = volumes
            self.claims = claims
        }
    }

    private static let betaClass = "volume.beta.kubernetes.io/storage-class"

    private let reader = Mutex<(@Sendable () -> Reading)?>(nil)

    init(_ registry: MetricRegistry) {
        self.register(
            registry,
            "pv_collector_total_pv_count",
            "Gauge measuring total number of persistent volumes",
            ["plugin_name", "volume_mode"]
        ) { reading in
            reading.volumes.map { [Self.plugin(of: $0), $0.spec.volumeMode ?? "Filesystem"] }
        }
        for (state, isBound) in [("bound", true), ("unbound", false)] {
            self.register(
                registry,
                "pv_collector_\(state)_pv_count",
                "Gauge measuring number of persistent volume currently \(state)",
                ["storage_class"]
            ) { reading in
                reading.volumes.filter { ($0.status.phase == "Bound") == isBound }
                    .map { [Self.storageClass($0.metadata, $0.spec.storageClassName)] }
            }
            self.register(
                registry,
                "pv_collector_\(state)_pvc_count",
                "Gauge measuring number of persistent volume claim currently \(state)",
                ["namespace", "storage_class", "volume_attributes_class"]
            ) { reading in
                reading.claims.filter { ($0.status.phase == "Bound") == isBound }
                    .map { claim in
                        [
                            claim.metadata.namespace,
                            Self.storageClass(claim.metadata, claim.spec.storageClassName ?? ""),
                            claim.spec.volumeAttributesClassName ?? "",
                        ]
                    }
            }
        }
    }

    private func register(
        _ registry: MetricRegistry,
        _ name: String,
        _ help: String,
        _ labels: [String],
        _ values: @escaping @Sendable (Reading) -> [[String]]
    ) {
        registry.callback(name, .gauge, help: help, labels: labels) { [weak self] in
            let read = self?.reader.withLock { $0 }
            let counts = Dictionary(grouping: values(read?() ?? Reading())) { $0 }
            return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .map { Sample(labels: $0.key, Double($0.value.count)) }
        }
    }

    /// Says who knows the volumes.
    package func read(by reader: @escaping @Sendable () -> Reading) {
        self.reader.withLock { $0 = reader }
    }

    private static func storageClass(_ metadata: MetaV1.ObjectMeta, _ name: String) -> String {
        metadata.annotations[self.betaClass] ?? name
    }

    /// The name of the volume plugin that a volume is for.
    private static func plugin(of volume: CoreV1.PersistentVolume) -> String {
        let source = volume.spec.persistentVolumeSource
        if let csi = source.csi { return "kubernetes.io/csi:\(csi.driver)" }
        if source.hostPath != nil { return "kubernetes.io/host-path" }
        if source.local != nil { return "kubernetes.io/local-volume" }
        if source.nfs != nil { return "kubernetes.io/nfs" }
        if source.iscsi != nil { return "kubernetes.io/iscsi" }
        if source.fc != nil { return "kubernetes.io/fc" }
        return "N/A"
    }
}
