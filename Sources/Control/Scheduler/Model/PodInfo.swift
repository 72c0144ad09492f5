// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars
import Selectors

/// A pod and what the scheduler reads of it again and again, worked out once.
package final class PodInfo: Sendable {
    package let pod: CoreV1.Pod
    package let uid: String
    package let namespace: String
    package let name: String
    package let labels: LabelSet
    /// The node that the pod runs on; empty while it has none.
    package let nodeName: String
    package let priority: Int32
    /// The scheduler that the pod asks for.
    package let schedulerName: String
    package let requests: PodRequests
    package let hostPorts: [HostPort]
    package let tolerations: [Toleration]
    package let affinity: PodAffinityTerms
    package let isTerminating: Bool
    /// Why the pod's affinity cannot be understood; nil when it can.
    package let parseError: String?

    /// The volumes that the volume plugins look at; empty for most pods.
    package let volumes: PodVolumes

    package init(_ pod: CoreV1.Pod) {
        let metadata = pod.metadata
        let spec = pod.spec
        self.pod = pod
        self.uid = metadata.uid
        self.namespace = metadata.namespace
        self.name = metadata.name
        self.labels = LabelSet(metadata.labels)
        self.nodeName = spec.nodeName
        self.priority = spec.priority ?? 0
        self.schedulerName = spec.schedulerName
        self.requests = PodRequests(pod)
        self.hostPorts = HostPort.ports(of: spec)
        self.tolerations = spec.tolerations.map(Toleration.init)
        self.volumes = PodVolumes(pod)
        self.isTerminating = metadata.deletionTimestamp != nil
        do throws(SelectorError) {
            self.affinity = try PodAffinityTerms(spec.affinity, namespace: metadata.namespace)
            self.parseError = nil
        } catch {
            self.affinity = PodAffinityTerms()
            self.parseError = error.description
        }
    }

    /// Whether the pod has run to its end.
    package var isFinished: Bool {
        let phase = self.pod.status.phase
        return phase == "Succeeded" || phase == "Failed"
    }

    /// The node that the pod waits for since it preempted others there; empty when there is none.
    package var nominatedNodeName: String { self.pod.status.nominatedNodeName }

    /// The names of what must be removed before the pod may be scheduled.
    package var schedulingGates: [String] { self.pod.spec.schedulingGates.map(\.name) }

    /// When the pod started, in seconds; the far future when it has not.
    package var startSeconds: Int64 {
        self.pod.status.startTime?.timestamp?.seconds ?? .max
    }
}
