// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import Scalars

// Rules of pods that do not hold for templates of pods.

extension TypedRules {
    static var pod: [TypedRule] {
        [
            TypedRule(
                CoreV1.Pod.self,
                [
                    "spec.containers[].resources.requests[k]",
                    "spec.initContainers[].resources.requests[k]",
                ]
            ) { pod in
                for index in pod.spec.containers.indices {
                    guard pod.spec.containers[index].resources.lacksRequests else { continue }
                    pod.spec.containers[index].resources.setRequestsToLimits()
                }
                for index in pod.spec.initContainers.indices {
                    guard pod.spec.initContainers[index].resources.lacksRequests else { continue }
                    pod.spec.initContainers[index].resources.setRequestsToLimits()
                }
            },
            TypedRule(CoreV1.Pod.self, ["spec.resources.limits[hugepages-*]"]) {
                $0.spec.resources != nil
            } _: { pod in
                self.setHugePageLimits(of: &pod.spec)
            },
            TypedRule(CoreV1.Pod.self, ["spec.resources.requests[k]"]) {
                $0.spec.resources != nil
            } _: { pod in
                self.setRequests(of: &pod.spec)
            },
            TypedRule(
                CoreV1.Pod.self,
                [
                    "spec.containers[].ports[].hostPort", "spec.initContainers[].ports[].hostPort",
                ]
            ) {
                $0.spec.hostNetwork
            } _: { pod in
                for index in pod.spec.containers.indices {
                    pod.spec.containers[index].setHostPorts()
                }
                for index in pod.spec.initContainers.indices {
                    pod.spec.initContainers[index].setHostPorts()
                }
            },
        ]
    }

    // MARK: - Resources of the whole pod

    private typealias Resources = MapField<String, KubernetesAPI.Resource.Quantity>

    private static func isHugePage(_ name: String) -> Bool { name.hasPrefix("hugepages-") }

    /// Huge pages cannot be overcommitted, so a pod that states resources limits them to what its
    /// containers may use.
    private static func setHugePageLimits(of spec: inout CoreV1.PodSpec) {
        guard let resources = spec.resources,
            !resources.limits.isEmpty || !resources.requests.isEmpty
        else { return }
        for (name, limit) in self.aggregate(of: spec, \.limits) where self.isHugePage(name) {
            if resources.limits[name] == nil && resources.requests[name] == nil {
                spec.resources?.limits[name] = limit
            }
        }
    }

    /// A pod with limits requests what its containers request together, or else its limits.
    private static func setRequests(of spec: inout CoreV1.PodSpec) {
        guard let resources = spec.resources, !resources.limits.isEmpty else { return }
        var requests = resources.requests
        for (name, sum) in self.aggregate(of: spec, \.requests) {
            if requests[name] == nil, name == "cpu" || name == "memory" { requests[name] = sum }
        }
        for (name, limit) in resources.limits {
            let isSupported = name == "cpu" || name == "memory" || self.isHugePage(name)
            if requests[name] == nil && isSupported { requests[name] = limit }
        }
        if !requests.isEmpty { spec.resources?.requests = requests }
    }

    /// What the containers need together: the sum of those that run side by side, or more when an
    /// init container needs more beside the sidecars that were started before it.
    private static func aggregate(
        of spec: CoreV1.PodSpec,
        _ list: KeyPath<CoreV1.ResourceRequirements, Resources>
    ) -> Resources {
        var sums: [String: Quantity] = [:]
        var peaks: [String: Quantity] = [:]
        var sidecars: [String: Quantity] = [:]
        func add(_ resources: Resources, to totals: inout [String: Quantity]) {
            for (name, amount) in resources {
                guard let amount = try? amount.parsed() else { continue }
                totals[name, default: .zero].add(amount)
            }
        }
        for container in spec.containers { add(container.resources[keyPath: list], to: &sums) }
        for container in spec.initContainers {
            let own = container.resources[keyPath: list]
            var needed = sidecars
            add(own, to: &needed)
            if container.restartPolicy == "Always" {
                add(own, to: &sums)
                sidecars = needed
            }
            for (name, amount) in needed where (peaks[name] ?? .zero) < amount {
                peaks[name] = amount
            }
        }
        for (name, amount) in peaks where sums[name].map({ $0 < amount }) ?? true {
            sums[name] = amount
        }
        return Resources(sums.mapValues { KubernetesAPI.Resource.Quantity($0) })
    }
}

extension CoreV1.ResourceRequirements {
    /// Whether a limit has no request.
    fileprivate var lacksRequests: Bool {
        self.limits.contains { self.requests[$0.key] == nil }
    }

    fileprivate mutating func setRequestsToLimits() {
        self.requests.fill(from: self.limits)
    }
}

extension CoreV1.Container {
    /// In the network of the node a port is that of the node.
    fileprivate mutating func setHostPorts() {
        for index in self.ports.indices where self.ports[index].hostPort == 0 {
            self.ports[index].hostPort = self.ports[index].containerPort
        }
    }
}
