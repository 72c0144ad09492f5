// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// What a pod asks of a node.
///
/// Source: upstream `k8s.io/component-helpers/resource/helpers.go`, PodRequests.
package struct PodRequests: Sendable, Hashable {
    /// What it asks for.
    package let amounts: ResourceAmounts
    /// CPU for scoring, in thousandths: containers that ask for none count as 100.
    package let scoredMilliCPU: Int64
    /// Memory for scoring, in bytes: containers that ask for none count as 200 MiB.
    package let scoredMemory: Int64

    /// What a container that asks for no CPU counts as when nodes are scored.
    package static let defaultMilliCPU: Int64 = 100
    /// What a container that asks for no memory counts as when nodes are scored.
    package static let defaultMemory: Int64 = 200 * 1024 * 1024

    package init(_ pod: CoreV1.Pod) {
        let spec = pod.spec
        let plain = Self.sum(pod, spec, withDefaults: false)
        self.amounts = plain
        let scored = Self.sum(pod, spec, withDefaults: true)
        self.scoredMilliCPU = scored.milliCPU
        self.scoredMemory = scored.memory
    }

    private static func sum(
        _ pod: CoreV1.Pod,
        _ spec: CoreV1.PodSpec,
        withDefaults: Bool
    ) -> ResourceAmounts {
        let statuses = pod.status.containerStatuses
        let initStatuses = pod.status.initContainerStatuses
        var total = ResourceAmounts()
        for container in spec.containers {
            total.add(self.request(container, statuses, pod, withDefaults))
        }
        var sidecars = ResourceAmounts()
        var peak = ResourceAmounts()
        for container in spec.initContainers {
            var request = self.request(container, initStatuses, pod, withDefaults)
            if container.restartPolicy == "Always" {
                // A sidecar runs on: with the containers, and with the init containers after it.
                total.add(request)
                sidecars.add(request)
                request = sidecars
            } else {
                request.add(sidecars)
            }
            peak.formMaximum(request)
        }
        total.formMaximum(peak)
        self.applyPodLevel(spec, withDefaults, &total)
        total.add(ResourceAmounts(spec.overhead))
        return total
    }

    /// Requests of the pod as a whole replace the sums of its containers.
    private static func applyPodLevel(
        _ spec: CoreV1.PodSpec,
        _ withDefaults: Bool,
        _ total: inout ResourceAmounts
    ) {
        guard let resources = spec.resources else { return }
        let requests = resources.requests
        for (name, quantity) in requests
        where name == ResourceName.cpu || name == ResourceName.memory
            || name.hasPrefix("hugepages-")
        {
            total[name] = ResourceAmounts.amount(of: quantity, name)
        }
    }

    /// What a container asks for; of one that is being resized, the larger of what it has and what
    /// it wants.
    private static func request(
        _ container: CoreV1.Container,
        _ statuses: RepeatedField<CoreV1.ContainerStatus>,
        _ pod: CoreV1.Pod,
        _ withDefaults: Bool
    ) -> ResourceAmounts {
        let requests = container.resources.requests
        var amounts = ResourceAmounts(requests)
        if let status = statuses.first(where: { $0.name == container.name }) {
            var actual = ResourceAmounts(status.allocatedResources)
            if let resources = status.resources {
                actual.formMaximum(ResourceAmounts(resources.requests))
            }
            if self.isResizeInfeasible(pod), !status.allocatedResources.isEmpty {
                amounts = actual
            } else {
                amounts.formMaximum(actual)
            }
        }
        if withDefaults {
            if amounts.milliCPU == 0, requests[ResourceName.cpu] == nil {
                amounts.milliCPU = self.defaultMilliCPU
            }
            if amounts.memory == 0, requests[ResourceName.memory] == nil {
                amounts.memory = self.defaultMemory
            }
        }
        return amounts
    }

    private static func isResizeInfeasible(_ pod: CoreV1.Pod) -> Bool {
        pod.status.conditions.contains {
            $0.type == "PodResizePending" && $0.reason == "Infeasible"
        }
    }
}
