// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars

/// Whether a pod keeps within its limits of storage on the node's disk.
///
/// Source: upstream `pkg/kubelet/eviction/eviction_manager.go` (`localStorageEviction`).
package struct LocalStorageLimits: Sendable {
    /// Bytes that a pod has on disk.
    package struct Use: Sendable {
        /// Everything: writable layers, logs, volumes, the pod's own files.
        package var total: Int64 = 0
        /// Writable layer and logs, by container.
        package var containers: [String: Int64] = [:]
        /// Volumes of the kind emptyDir on disk, by name.
        package var emptyDirectories: [String: Int64] = [:]

        package init() {}
    }

    /// By volume.
    private let emptyDirectories: [String: Scalars.Quantity]
    private let pod: Scalars.Quantity?
    /// By container.
    private let containers: [String: Scalars.Quantity]

    package init(of pod: CoreV1.Pod) {
        var volumes: [String: Scalars.Quantity] = [:]
        for volume in pod.spec.volumes {
            guard let empty = volume.volumeSource.emptyDir, empty.medium != "Memory",
                let limit = try? empty.sizeLimit?.parsed(), limit.sign > 0
            else { continue }
            volumes[volume.name] = limit
        }
        self.emptyDirectories = volumes
        var containers: [String: Scalars.Quantity] = [:]
        for spec in pod.initSpecs + pod.regularSpecs {
            guard
                let limit = try? spec.container.resources.limits["ephemeral-storage"]?.parsed(),
                limit.sign > 0
            else { continue }
            containers[spec.name] = limit
        }
        self.containers = containers
        let limit = PodResources(of: pod).limits["ephemeral-storage"]
        self.pod = limit.flatMap { $0.sign > 0 ? $0 : nil }
    }

    /// Whether there is nothing to be held to.
    package var isEmpty: Bool {
        self.emptyDirectories.isEmpty && self.containers.isEmpty && self.pod == nil
    }

    /// Why the pod is to be ended; nil when it keeps within its limits.
    package func violation(_ use: Use) -> String? {
        for (name, limit) in self.emptyDirectories.sorted(by: { $0.key < $1.key })
        where limit.compare(to: use.emptyDirectories[name] ?? 0) < 0 {
            return "Usage of EmptyDir volume \"\(name)\" exceeds the limit \"\(limit.text)\". "
        }
        if let limit = self.pod, limit.compare(to: use.total) < 0 {
            return "Pod ephemeral local storage usage exceeds the total limit of containers "
                + "\(limit.text). "
        }
        for (name, limit) in self.containers.sorted(by: { $0.key < $1.key })
        where limit.compare(to: use.containers[name] ?? 0) < 0 {
            return "Container \(name) exceeded its local ephemeral storage limit "
                + "\"\(limit.text)\". "
        }
        return nil
    }
}
