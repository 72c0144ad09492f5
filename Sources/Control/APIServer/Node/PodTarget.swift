// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import KubernetesAPI
import ObjectModel
import Protobuf

/// A container of a pod that somebody wants to talk to.
///
/// Source: upstream `pkg/registry/core/pod/strategy.go` (LogLocation, streamLocation).
struct PodTarget: Sendable {
    let pod: CoreV1.Pod
    let container: String

    private static let defaultContainer = "kubectl.kubernetes.io/default-container"

    /// - Parameter container: the name that was asked for; empty for the only one.
    init(_ pod: CoreV1.Pod, container: String) throws(StatusError) {
        self.pod = pod
        let containers = pod.spec.containers.map(\.name)
        let initial = pod.spec.initContainers.map(\.name)
        let ephemeral = pod.spec.ephemeralContainers.map(\.ephemeralContainerCommon.name)
        let name = pod.metadata.name
        if container.isEmpty {
            let marked = pod.metadata.annotations[Self.defaultContainer] ?? ""
            if containers.contains(marked) {
                self.container = marked
            } else if containers.count == 1 {
                self.container = containers[0]
            } else {
                var text =
                    "a container name must be specified for pod \(name), choose one of: "
                    + "[\(containers.joined(separator: " "))]"
                if !initial.isEmpty {
                    text += " or one of the init containers: [\(initial.joined(separator: " "))]"
                }
                throw .badRequest(text)
            }
        } else {
            guard (containers + initial + ephemeral).contains(container) else {
                throw .badRequest("container \(container) is not valid for pod \(name)")
            }
            self.container = container
        }
        guard !pod.spec.nodeName.isEmpty else {
            throw .badRequest("pod \(name) does not have a host assigned")
        }
    }

    var node: String { self.pod.spec.nodeName }

    /// The container as the kubelet is told.
    var message: ApusNode.ContainerTarget {
        ApusNode.ContainerTarget.with {
            $0.pod = Self.message(self.pod)
            $0.container = self.container
        }
    }

    static func message(_ pod: CoreV1.Pod) -> ApusNode.PodTarget {
        ApusNode.PodTarget.with {
            $0.namespace = pod.metadata.namespace
            $0.name = pod.metadata.name
            $0.uid = pod.metadata.uid
        }
    }
}
