// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf

/// The pods and claims of a StatefulSet: names, identity and storage. Pure.
///
/// Source: upstream `pkg/controller/statefulset/stateful_set_utils.go`.
package enum StatefulPod {
    package static let revisionLabel = "controller-revision-hash"
    package static let nameLabel = "statefulset.kubernetes.io/pod-name"
    package static let indexLabel = "apps.kubernetes.io/pod-index"

    package static func name(_ set: AppsV1.StatefulSet, _ ordinal: Int) -> String {
        "\(set.metadata.name)-\(ordinal)"
    }

    /// The ordinal in a pod's name; nil when it is no pod of a set.
    package static func ordinal(_ pod: CoreV1.Pod, of set: AppsV1.StatefulSet) -> Int? {
        let prefix = "\(set.metadata.name)-"
        guard pod.metadata.name.hasPrefix(prefix) else { return nil }
        return Int(pod.metadata.name.dropFirst(prefix.count))
    }

    /// A pod with its identity.
    package static func pod(
        _ set: AppsV1.StatefulSet,
        _ template: CoreV1.PodTemplateSpec,
        ordinal: Int,
        revision: String
    ) -> CoreV1.Pod {
        var pod = PodControl.pod(template, of: set)
        let name = self.name(set, ordinal)
        pod.metadata.generateName = "\(set.metadata.name)-"
        pod.metadata.name = name
        pod.metadata.labels[self.revisionLabel] = revision
        pod.metadata.labels[self.nameLabel] = name
        pod.metadata.labels[self.indexLabel] = String(ordinal)
        pod.spec.hostname = name
        pod.spec.subdomain = set.spec.serviceName
        // A volume of a claim's name is the claim's, whatever the template says.
        let claims = set.spec.volumeClaimTemplates.map(\.metadata.name)
        pod.spec.volumes.removeAll { claims.contains($0.name) }
        for claim in claims {
            pod.spec.volumes.append(
                CoreV1.Volume.with {
                    $0.name = claim
                    var source = CoreV1.PersistentVolumeClaimVolumeSource()
                    source.claimName = self.claimName(set, claim, ordinal)
                    $0.volumeSource.persistentVolumeClaim = source
                }
            )
        }
        return pod
    }

    package static func claimName(
        _ set: AppsV1.StatefulSet,
        _ template: String,
        _ ordinal: Int
    ) -> String {
        "\(template)-\(self.name(set, ordinal))"
    }

    /// The claims of a pod, as they are made when they are missing.
    package static func claims(
        _ set: AppsV1.StatefulSet,
        ordinal: Int
    ) -> [CoreV1.PersistentVolumeClaim] {
        set.spec.volumeClaimTemplates.map { template in
            var claim = template
            claim.metadata.name = self.claimName(set, template.metadata.name, ordinal)
            claim.metadata.namespace = set.metadata.namespace
            for (key, value) in set.spec.selector?.matchLabels ?? MapField() {
                claim.metadata.labels[key] = value
            }
            return claim
        }
    }
}
