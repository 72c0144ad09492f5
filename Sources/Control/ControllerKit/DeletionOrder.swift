// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import KubernetesAPI
import Protobuf
package import Scalars

/// Which of several pods is deleted first when there are too many.
///
/// Source: upstream `pkg/controller/controller_utils.go`, ActivePodsWithRanks.
package struct DeletionOrder {
    /// Pods of the same application on each pod's node: crowded nodes give up theirs first.
    private let crowding: [String: Int]
    private let now: Timestamp

    package init(related: [CoreV1.Pod], now: Timestamp) {
        var crowding: [String: Int] = [:]
        for pod in related where pod.isActive && !pod.spec.nodeName.isEmpty {
            crowding[pod.spec.nodeName, default: 0] += 1
        }
        self.crowding = crowding
        self.now = now
    }

    /// The `count` pods to delete first.
    package func first(_ count: Int, of pods: [CoreV1.Pod]) -> [CoreV1.Pod] {
        if count >= pods.count { return pods }
        return Array(pods.sorted(by: self.precedes).prefix(max(count, 0)))
    }

    package func precedes(_ left: CoreV1.Pod, _ right: CoreV1.Pod) -> Bool {
        let isAssigned = (!left.spec.nodeName.isEmpty, !right.spec.nodeName.isEmpty)
        if isAssigned.0 != isAssigned.1 { return !isAssigned.0 }
        let phases = (Self.phase(left), Self.phase(right))
        if phases.0 != phases.1 { return phases.0 < phases.1 }
        if left.isReady != right.isReady { return !left.isReady }
        let costs = (Self.cost(left), Self.cost(right))
        if costs.0 != costs.1 { return costs.0 < costs.1 }
        let ranks = (self.rank(left), self.rank(right))
        if ranks.0 != ranks.1 { return ranks.0 > ranks.1 }
        if left.isReady, let a = left.readySince, let b = right.readySince, a != b {
            let ages = (self.ageClass(a), self.ageClass(b))
            return ages.0 == ages.1 ? left.metadata.uid < right.metadata.uid : ages.0 < ages.1
        }
        let restarts = (left.maximumRestarts, right.maximumRestarts)
        if restarts.0 != restarts.1 { return restarts.0 > restarts.1 }
        let created = (
            left.metadata.creationTimestamp.timestamp ?? .zero,
            right.metadata.creationTimestamp.timestamp ?? .zero
        )
        if created.0 != created.1 {
            let ages = (self.ageClass(created.0), self.ageClass(created.1))
            return ages.0 == ages.1 ? left.metadata.uid < right.metadata.uid : ages.0 < ages.1
        }
        return left.metadata.uid < right.metadata.uid
    }

    private static func phase(_ pod: CoreV1.Pod) -> Int {
        switch pod.status.phase {
        case "Pending", "": 0
        case "Unknown": 1
        default: 2
        }
    }

    private static func cost(_ pod: CoreV1.Pod) -> Int32 {
        pod.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"].flatMap(Int32.init)
            ?? 0
    }

    private func rank(_ pod: CoreV1.Pod) -> Int { self.crowding[pod.spec.nodeName] ?? 0 }

    /// Ages count by their order of magnitude, so that the choice among pods of like age is random.
    private func ageClass(_ time: Timestamp) -> Int {
        let seconds = max(self.now.since(time).components.seconds, 0)
        return seconds == 0 ? -1 : 63 - seconds.leadingZeroBitCount
    }
}
