// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars
import WorkloadControllers

/// Objects for tests.
enum Samples {
    static let now = Timestamp(seconds: 1_800_000_000)

    static func template(_ image: String = "web:1") -> CoreV1.PodTemplateSpec {
        CoreV1.PodTemplateSpec.with {
            $0.metadata.labels["app"] = "web"
            $0.spec.containers.append(
                CoreV1.Container.with {
                    $0.name = "main"
                    $0.image = image
                }
            )
        }
    }

    static let selector = MetaV1.LabelSelector.with { $0.matchLabels["app"] = "web" }

    static func set(
        _ name: String = "web-1",
        replicas: Int32,
        available: Int32 = 0,
        image: String = "web:1",
        created: Int64 = 0,
        annotations: [String: String] = [:]
    ) -> AppsV1.ReplicaSet {
        AppsV1.ReplicaSet.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.metadata.uid = "uid-\(name)"
            $0.metadata.creationTimestamp = MetaV1.Time(
                Timestamp(seconds: Self.now.seconds + created)
            )
            $0.metadata.annotations = MapField(annotations)
            $0.spec.replicas = replicas
            $0.spec.selector = Self.selector
            $0.spec.template = Self.template(image)
            $0.status.replicas = replicas
            $0.status.readyReplicas = available
            $0.status.availableReplicas = available
        }
    }

    static func deployment(
        replicas: Int32,
        surge: IntStr.IntOrString = 1,
        unavailable: IntStr.IntOrString = 1,
        image: String = "web:1"
    ) -> AppsV1.Deployment {
        AppsV1.Deployment.with {
            $0.metadata.name = "web"
            $0.metadata.namespace = "default"
            $0.metadata.generation = 1
            $0.spec.replicas = replicas
            $0.spec.selector = Self.selector
            $0.spec.template = Self.template(image)
            $0.spec.strategy.type = "RollingUpdate"
            $0.spec.strategy.rollingUpdate = AppsV1.RollingUpdateDeployment.with {
                $0.maxSurge = surge
                $0.maxUnavailable = unavailable
            }
            $0.spec.progressDeadlineSeconds = 600
            $0.spec.revisionHistoryLimit = 10
        }
    }

    static func pod(
        _ name: String,
        phase: String = "Running",
        ready: Bool = true,
        node: String = "n",
        readyFor seconds: Int64 = 100,
        created: Int64 = -1000
    ) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.metadata.uid = "uid-\(name)"
            $0.metadata.labels["app"] = "web"
            $0.metadata.creationTimestamp = MetaV1.Time(
                Timestamp(seconds: Self.now.seconds + created)
            )
            $0.spec.nodeName = node
            $0.status.phase = phase
            $0.status.conditions = [
                CoreV1.PodCondition.with {
                    $0.type = "Ready"
                    $0.status = ready ? "True" : "False"
                    $0.lastTransitionTime = MetaV1.Time(
                        Timestamp(seconds: Self.now.seconds - seconds)
                    )
                }
            ]
        }
    }
}
