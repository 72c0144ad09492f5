// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// Where a DaemonSet's pods belong, and how they are made. Pure.
///
/// Source: upstream `pkg/controller/daemon/daemon_controller.go`, `util/daemonset_util.go`.
package enum DaemonPod {
    package static let hashLabel = "controller-revision-hash"

    /// Whether a node shall have a pod, and whether one that it has may stay.
    package static func fit(
        _ set: AppsV1.DaemonSet,
        _ node: CoreV1.Node
    ) -> (shouldRun: Bool, mayStay: Bool) {
        let spec = set.spec.template.spec
        guard spec.nodeName.isEmpty || spec.nodeName == node.metadata.name,
            NodeAffinityMatcher.fits(spec, node)
        else { return (false, false) }
        let tolerations = self.tolerations(spec)
        func isTolerated(_ taint: CoreV1.Taint) -> Bool {
            tolerations.contains { $0.tolerates(taint) }
        }
        let refused = node.spec.taints.filter {
            ($0.effect == "NoSchedule" || $0.effect == "NoExecute") && !isTolerated($0)
        }
        if refused.isEmpty { return (true, true) }
        return (false, !refused.contains { $0.effect == "NoExecute" })
    }

    /// The template's tolerations and those that every daemon has.
    package static func tolerations(_ spec: CoreV1.PodSpec) -> [CoreV1.Toleration] {
        var tolerations = Array(spec.tolerations)
        var own = [
            ("node.kubernetes.io/not-ready", "NoExecute"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
            ("node.kubernetes.io/disk-pressure", "NoSchedule"),
            ("node.kubernetes.io/memory-pressure", "NoSchedule"),
            ("node.kubernetes.io/pid-pressure", "NoSchedule"),
            ("node.kubernetes.io/unschedulable", "NoSchedule"),
        ]
        if spec.hostNetwork {
            own.append(("node.kubernetes.io/network-unavailable", "NoSchedule"))
        }
        for (key, effect) in own {
            let toleration = CoreV1.Toleration.with {
                $0.key = key
                $0.operator = "Exists"
                $0.effect = effect
            }
            if !tolerations.contains(toleration) { tolerations.append(toleration) }
        }
        return tolerations
    }

    /// The pod of a node.
    package static func pod(
        _ set: AppsV1.DaemonSet,
        node: String,
        hash: String
    ) -> CoreV1.Pod {
        var pod = PodControl.pod(set.spec.template, of: set)
        pod.metadata.labels[self.hashLabel] = hash
        if let generation = set.metadata.annotations["deprecated.daemonset.template.generation"] {
            pod.metadata.labels["pod-template-generation"] = generation
        }
        pod.spec.tolerations = RepeatedField(self.tolerations(set.spec.template.spec))
        var affinity = pod.spec.affinity ?? CoreV1.Affinity()
        var nodeAffinity = affinity.nodeAffinity ?? CoreV1.NodeAffinity()
        nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution = CoreV1.NodeSelector.with {
            $0.nodeSelectorTerms = [
                CoreV1.NodeSelectorTerm.with {
                    $0.matchFields = [
                        CoreV1.NodeSelectorRequirement.with {
                            $0.key = "metadata.name"
                            $0.operator = "In"
                            $0.values = [node]
                        }
                    ]
                }
            ]
        }
        affinity.nodeAffinity = nodeAffinity
        pod.spec.affinity = affinity
        return pod
    }

    /// The node that a pod is for, be it scheduled or not.
    package static func node(of pod: CoreV1.Pod) -> String {
        if !pod.spec.nodeName.isEmpty { return pod.spec.nodeName }
        let required = pod.spec.affinity?.nodeAffinity?
            .requiredDuringSchedulingIgnoredDuringExecution
        for term in required?.nodeSelectorTerms ?? RepeatedField() {
            for field in term.matchFields
            where field.key == "metadata.name" && field.operator == "In" && field.values.count == 1
            {
                return field.values[0]
            }
        }
        return ""
    }
}
