// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// How claims that waited for a pod get their volumes on its node.
package struct VolumePlan: Sendable {
    /// A volume that exists, and the claim it shall be bound to.
    package struct Binding: Sendable {
        package let volume: CoreV1.PersistentVolume
        package let claim: CoreV1.PersistentVolumeClaim
    }

    package internal(set) var bindings: [Binding] = []
    /// Claims for which a volume shall be made, reachable from the node.
    package internal(set) var provisions: [CoreV1.PersistentVolumeClaim] = []

    /// Whether there is nothing to be done.
    package var isEmpty: Bool { self.bindings.isEmpty && self.provisions.isEmpty }

    init() {}

    /// What a pod's claims need on the node in a row; nil when there is no way.
    init?(_ pod: PodInfo, row: Int, _ cluster: Cluster) {
        let waiting = pod.volumes.claims.compactMap {
            cluster.volumes.claim($0.name, of: pod)
        }.filter { !$0.isFullyBound }
        guard case .plan(let plan) = VolumeSearch(waiting, cluster).result(row, cluster) else {
            return nil
        }
        self = plan
    }
}
