// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import Logging
import ObjectModel
import PodLifecycle
import Protobuf
import ResourceClient

/// Shows static pods in the API: a mirror for each, and none for those that are gone.
///
/// Source: upstream `pkg/kubelet/pod/mirror_client.go`.
struct MirrorPods: Sendable {
    let cluster: APICluster
    let logger: Logger

    private var client: Client<CoreV1.Pod> { Client(self.cluster.channel) }

    /// Makes mirrors be those of `pods`.
    ///
    /// - Returns: whether everything is as it should be.
    func reconcile(_ pods: [CoreV1.Pod], node: CoreV1.Node?) async -> Bool {
        var isDone = true
        let wanted = Dictionary(pods.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
        for mirror in self.cluster.pods.list() where mirror.isMirror {
            let source = wanted[mirror.key]
            let isSame =
                source?.metadata.annotations[PodAnnotation.hash]
                == mirror.metadata.annotations[PodAnnotation.mirror]
            if source != nil, isSame, !mirror.isDeleted { continue }
            isDone = await self.delete(mirror) && isDone
        }
        for pod in pods
        where self.cluster.pods.get(pod.metadata.name, in: pod.metadata.namespace) == nil {
            isDone = await self.create(pod, node) && isDone
        }
        return isDone
    }

    private func create(_ pod: CoreV1.Pod, _ node: CoreV1.Node?) async -> Bool {
        guard let node else { return false }
        var mirror = pod
        mirror.metadata.uid = ""
        mirror.status = CoreV1.PodStatus()
        mirror.metadata.annotations[PodAnnotation.mirror] =
            pod.metadata.annotations[PodAnnotation.hash]
        mirror.metadata.ownerReferences = [
            MetaV1.OwnerReference.with {
                $0.apiVersion = "v1"
                $0.kind = "Node"
                $0.name = node.metadata.name
                $0.uid = node.metadata.uid
                $0.controller = true
            }
        ]
        do throws(StatusError) {
            _ = try await self.client.create(mirror)
            return true
        } catch {
            if error.isAlreadyExists { return true }
            self.logger.warning(
                "a mirror pod cannot be made",
                metadata: ["pod": "\(pod.key)", "error": "\(error.message)"]
            )
            return false
        }
    }

    private func delete(_ mirror: CoreV1.Pod) async -> Bool {
        do throws(StatusError) {
            try await self.client.delete(
                mirror.metadata.name,
                in: mirror.metadata.namespace,
                DeleteOptions(gracePeriodSeconds: 0, uid: mirror.metadata.uid)
            )
            return true
        } catch {
            return error.isNotFound || error.isConflict
        }
    }
}
