// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
package import Protobuf
import ResourceClient
package import Selectors

/// What keeps a number of equal pods: a ReplicaSet, or a ReplicationController.
package protocol ReplicaOwner: Message {
    /// As `--controllers` names it.
    static var controllerName: String { get }
    var metadata: MetaV1.ObjectMeta { get set }
    var wantedReplicas: Int { get }
    var minReadySeconds: Int32 { get }
    var podSelector: LabelSelector { get }
    var podTemplate: CoreV1.PodTemplateSpec { get }
    var replicaStatus: ReplicaStatus { get set }
}

/// The status that both kinds have.
package struct ReplicaStatus: Hashable, Sendable {
    package var replicas: Int32 = 0
    package var fullyLabeledReplicas: Int32 = 0
    package var readyReplicas: Int32 = 0
    package var availableReplicas: Int32 = 0
    package var terminatingReplicas: Int32?
    package var observedGeneration: Int64 = 0
    package var conditions: [AppsV1.ReplicaSetCondition] = []

    package init() {}
}

extension AppsV1.ReplicaSet: ReplicaOwner {
    package static var controllerName: String { "replicaset-controller" }
    package var wantedReplicas: Int { Int(self.spec.replicas ?? 1) }
    package var minReadySeconds: Int32 { self.spec.minReadySeconds }
    package var podSelector: LabelSelector { LabelSelector(self.spec.selector) }
    package var podTemplate: CoreV1.PodTemplateSpec { self.spec.template }

    package var replicaStatus: ReplicaStatus {
        get {
            var status = ReplicaStatus()
            status.replicas = self.status.replicas
            status.fullyLabeledReplicas = self.status.fullyLabeledReplicas
            status.readyReplicas = self.status.readyReplicas
            status.availableReplicas = self.status.availableReplicas
            status.terminatingReplicas = self.status.terminatingReplicas
            status.observedGeneration = self.status.observedGeneration
            status.conditions = Array(self.status.conditions)
            return status
        }
        set {
            self.status.replicas = newValue.replicas
            self.status.fullyLabeledReplicas = newValue.fullyLabeledReplicas
            self.status.readyReplicas = newValue.readyReplicas
            self.status.availableReplicas = newValue.availableReplicas
            self.status.terminatingReplicas = newValue.terminatingReplicas
            self.status.observedGeneration = newValue.observedGeneration
            self.status.conditions = RepeatedField(newValue.conditions)
        }
    }
}

extension CoreV1.ReplicationController: ReplicaOwner {
    package static var controllerName: String { "replicationcontroller-controller" }
    package var wantedReplicas: Int { Int(self.spec.replicas ?? 1) }
    package var minReadySeconds: Int32 { self.spec.minReadySeconds }
    package var podSelector: LabelSelector {
        let labels = self.spec.selector
        return labels.isEmpty ? .nothing : LabelSelector(equalTo: labels)
    }
    package var podTemplate: CoreV1.PodTemplateSpec {
        self.spec.template ?? CoreV1.PodTemplateSpec()
    }

    package var replicaStatus: ReplicaStatus {
        get {
            var status = ReplicaStatus()
            status.replicas = self.status.replicas
            status.fullyLabeledReplicas = self.status.fullyLabeledReplicas
            status.readyReplicas = self.status.readyReplicas
            status.availableReplicas = self.status.availableReplicas
            status.observedGeneration = self.status.observedGeneration
            status.conditions = self.status.conditions.map { condition in
                AppsV1.ReplicaSetCondition.with {
                    $0.type = condition.type
                    $0.status = condition.status
                    $0.lastTransitionTime = condition.lastTransitionTime
                    $0.reason = condition.reason
                    $0.message = condition.message
                }
            }
            return status
        }
        set {
            self.status.replicas = newValue.replicas
            self.status.fullyLabeledReplicas = newValue.fullyLabeledReplicas
            self.status.readyReplicas = newValue.readyReplicas
            self.status.availableReplicas = newValue.availableReplicas
            self.status.observedGeneration = newValue.observedGeneration
            self.status.conditions = RepeatedField(
                newValue.conditions.map { condition in
                    CoreV1.ReplicationControllerCondition.with {
                        $0.type = condition.type
                        $0.status = condition.status
                        $0.lastTransitionTime = condition.lastTransitionTime
                        $0.reason = condition.reason
                        $0.message = condition.message
                    }
                }
            )
        }
    }
}
