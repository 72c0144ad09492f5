// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars

/// A pod that may be ended for want of something, with what it uses of it.
///
/// Source: upstream `pkg/kubelet/eviction/helpers.go` (`rankMemoryPressure`, `rankDiskPressureFunc`,
/// `rankPIDPressure`, `evictionMessage`).
package struct EvictionCandidate: Sendable {
    package var pod: CoreV1.Pod
    /// Of the resource that runs short: bytes, inodes, or processes.
    package var use: Int64
    /// By container.
    package var containerUse: [String: Int64]

    package init(pod: CoreV1.Pod, use: Int64, containerUse: [String: Int64] = [:]) {
        self.pod = pod
        self.use = use
        self.containerUse = containerUse
    }

    /// Whether it may be ended at all: what the cluster cannot do without stays.
    package var isEvictable: Bool { !self.pod.isCritical }

    /// The pods in the order in which they are ended.
    package static func ranked(
        _ candidates: [EvictionCandidate],
        for signal: EvictionSignal
    ) -> [EvictionCandidate] {
        let resource = signal.resource
        let rows = candidates.map { candidate in
            let requested = PodResources(of: candidate.pod).requests[resource]?.value ?? 0
            let excess = candidate.use - requested
            let exceeds = resource != "pids" && excess > 0
            return (
                candidate: candidate, exceeds: exceeds,
                priority: candidate.pod.spec.priority ?? 0, excess: excess
            )
        }
        return rows.sorted { left, right in
            if left.exceeds != right.exceeds { return left.exceeds }
            if left.priority != right.priority { return left.priority < right.priority }
            if left.excess != right.excess { return left.excess > right.excess }
            return left.candidate.pod.metadata.uid < right.candidate.pod.metadata.uid
        }.map(\.candidate)
    }

    /// What the pod's status says of its end.
    package func message(
        _ threshold: EvictionThreshold,
        _ seen: EvictionObservation
    ) -> String {
        let resource = threshold.signal.resource
        let isBytes = resource == "memory" || resource == "ephemeral-storage"
        let quantity = { (value: Int64) in
            Scalars.Quantity(value, format: isBytes ? .binarySI : .decimalSI).text
        }
        var text =
            "The node was low on resource: \(resource). Threshold quantity: "
            + "\(threshold.value.quantity(of: seen.capacity).text), available: "
            + "\(quantity(seen.available)). "
        guard isBytes else { return text }
        for spec in self.pod.allSpecs {
            guard let used = self.containerUse[spec.name] else { continue }
            let request = try? spec.container.resources.requests[resource]?.parsed()
            let requested = request ?? .zero
            guard used > requested.value else { continue }
            text +=
                "Container \(spec.name) was using \(quantity(used)), request is "
                + "\(requested.text), has larger consumption of \(resource). "
        }
        return text
    }
}

extension CoreV1.Pod {
    /// Whether the cluster or the node cannot do without it: static pods, mirrors and pods of the
    /// system's priorities.
    ///
    /// Source: upstream `pkg/kubelet/types/pod_update.go` (`IsCriticalPod`).
    package var isCritical: Bool {
        self.isStatic || self.isMirror || (self.spec.priority ?? 0) >= 2_000_000_000
    }
}
