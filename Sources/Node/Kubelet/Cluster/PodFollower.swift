// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import Logging
import ObjectModel
import PodLifecycle
import Protobuf
import ResourceClient
import Synchronization

/// Passes the pods that the API server has for this node on to the fleet, in the order of their
/// changes.
struct PodFollower: Sendable {
    private enum Change: Sendable {
        case apply(CoreV1.Pod)
        case remove(String)
    }

    let cluster: APICluster
    let fleet: PodFleet

    /// Follows until the task is cancelled.
    func run() async {
        let (changes, continuation) = AsyncStream.makeStream(of: Change.self)
        self.cluster.pods.addHandler { event in
            switch event {
            case .added(let pod): continuation.yield(.apply(pod))
            case .updated(let old, let pod):
                if old.metadata.uid != pod.metadata.uid {
                    continuation.yield(.remove(old.metadata.uid))
                }
                continuation.yield(.apply(pod))
            case .deleted(let pod, _): continuation.yield(.remove(pod.metadata.uid))
            }
        }
        for await change in changes {
            switch change {
            case .apply(let pod):
                // A mirror stands for a static pod, which has a worker already.
                if !pod.isMirror { await self.fleet.apply(pod) }
            case .remove(let uid): await self.fleet.remove(uid)
            }
        }
    }
}
