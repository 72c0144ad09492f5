// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf

extension Strategy {
    /// Pods. Source: upstream `pkg/registry/core/pod/strategy.go`.
    static let pods = Strategy(
        generation: .spec,
        prepareForCreate: { object, _ in
            object.change(CoreV1.Pod.self) { pod in
                pod.status = CoreV1.PodStatus.with {
                    $0.phase = "Pending"
                    $0.qosClass = PodQuality.classOf(pod.spec).rawValue
                }
                guard !pod.spec.schedulingGates.isEmpty else { return }
                pod.status.conditions.append(
                    CoreV1.PodCondition.with {
                        $0.type = "PodScheduled"
                        $0.status = "False"
                        $0.reason = "SchedulingGated"
                        $0.message = "Scheduling is blocked due to non-empty scheduling gates"
                    }
                )
            }
        },
        prepareForStatusUpdate: { object, old, _ in
            guard let before = old.message(as: CoreV1.Pod.self) else { return }
            object.change(CoreV1.Pod.self) { pod in
                pod.metadata.ownerReferences = before.metadata.ownerReferences
                if pod.status.qosClass.isEmpty { pod.status.qosClass = before.status.qosClass }
            }
        },
        subresources: [
            "ephemeralcontainers": { object, old, _ in
                Self.merge(&object, old) { (new: CoreV1.Pod, pod) in
                    pod.spec.ephemeralContainers = new.spec.ephemeralContainers
                }
            },
            "resize": { object, old, _ in
                Self.merge(&object, old) { (new: CoreV1.Pod, pod) in
                    Self.resize(&pod.spec.containers, new.spec.containers)
                    Self.resize(&pod.spec.initContainers, new.spec.initContainers)
                }
            },
        ],
        gracePeriod: { object, wanted in
            guard let pod = object.message(as: CoreV1.Pod.self) else { return 0 }
            let isOver = pod.status.phase == "Succeeded" || pod.status.phase == "Failed"
            if pod.spec.nodeName.isEmpty || isOver { return 0 }
            let period = wanted ?? pod.spec.terminationGracePeriodSeconds ?? 30
            return period < 0 ? 1 : period
        }
    )

    /// Takes the resources of containers of the same name.
    private static func resize(
        _ containers: inout RepeatedField<CoreV1.Container>,
        _ wanted: RepeatedField<CoreV1.Container>
    ) {
        for index in containers.indices {
            let name = containers[index].name
            guard let new = wanted.first(where: { $0.name == name }) else { continue }
            containers[index].resources = new.resources
            containers[index].resizePolicy = new.resizePolicy
        }
    }
}
