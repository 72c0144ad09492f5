// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// What counts against a quota. Pure.
///
/// Source: upstream `pkg/quota/v1/evaluator/core`.
package struct QuotaUsage {
    package private(set) var amounts: [String: Quantity] = [:]

    package init() {}

    package mutating func add(_ name: String, _ amount: Quantity) {
        self.amounts[name] = (self.amounts[name] ?? .zero) + amount
    }

    package mutating func count(_ name: String, _ count: Int = 1) {
        self.add(name, Quantity(Int64(count)))
    }

    /// A pod: it counts until it has ended.
    package mutating func add(_ pod: CoreV1.Pod) {
        self.count("count/pods")
        guard !pod.isTerminal else { return }
        self.count("pods")
        for (name, amount) in Self.total(pod, \.requests) {
            self.add("requests.\(name)", amount)
            if ["cpu", "memory", "ephemeral-storage"].contains(name) { self.add(name, amount) }
        }
        for (name, amount) in Self.total(pod, \.limits) { self.add("limits.\(name)", amount) }
    }

    package mutating func add(_ service: CoreV1.Service) {
        self.count("services")
        self.count("count/services")
        let ports = service.spec.ports.count
        switch service.spec.type {
        case "NodePort": self.count("services.nodeports", ports)
        case "LoadBalancer":
            self.count("services.loadbalancers")
            if service.spec.allocateLoadBalancerNodePorts != false {
                self.count("services.nodeports", ports)
            }
        default: break
        }
    }

    package mutating func add(_ claim: CoreV1.PersistentVolumeClaim) {
        self.count("persistentvolumeclaims")
        self.count("count/persistentvolumeclaims")
        let storage = (try? claim.spec.resources.requests["storage"]?.parsed()) ?? .zero
        self.add("requests.storage", storage)
        guard let name = claim.spec.storageClassName, !name.isEmpty else { return }
        let prefix = "\(name).storageclass.storage.k8s.io"
        self.count("\(prefix)/persistentvolumeclaims")
        self.add("\(prefix)/requests.storage", storage)
    }

    /// What a pod needs at most at once: its containers together, or its greediest init container.
    private static func total(
        _ pod: CoreV1.Pod,
        _ list: KeyPath<CoreV1.ResourceRequirements, MapField<String, Resource.Quantity>>
    ) -> [String: Quantity] {
        var running: [String: Quantity] = [:]
        for container in pod.spec.containers {
            for (name, amount) in container.resources[keyPath: list] {
                running[name] = (running[name] ?? .zero) + ((try? amount.parsed()) ?? .zero)
            }
        }
        // Sidecars run on beside what comes after them.
        var sidecars: [String: Quantity] = [:]
        var peak: [String: Quantity] = [:]
        for container in pod.spec.initContainers {
            let isSidecar = container.restartPolicy == "Always"
            for (name, amount) in container.resources[keyPath: list] {
                let value = (sidecars[name] ?? .zero) + ((try? amount.parsed()) ?? .zero)
                if isSidecar { sidecars[name] = value }
                peak[name] = max(peak[name] ?? .zero, value)
            }
        }
        var total: [String: Quantity] = [:]
        for name in Set(running.keys).union(peak.keys) {
            let together = (running[name] ?? .zero) + (sidecars[name] ?? .zero)
            total[name] = max(together, peak[name] ?? .zero)
        }
        for (name, amount) in pod.spec.overhead {
            total[name] = (total[name] ?? .zero) + ((try? amount.parsed()) ?? .zero)
        }
        return total
    }

    /// Whether a pod is within a quota's scopes.
    package static func matches(_ pod: CoreV1.Pod, _ spec: CoreV1.ResourceQuotaSpec) -> Bool {
        var terms = spec.scopes.map { ($0, "Exists", [String]()) }
        for term in spec.scopeSelector?.matchExpressions ?? RepeatedField() {
            terms.append((term.scopeName, term.operator, Array(term.values)))
        }
        return terms.allSatisfy { self.matches(pod, $0.0, $0.1, $0.2) }
    }

    private static func matches(
        _ pod: CoreV1.Pod,
        _ scope: String,
        _ comparison: String,
        _ values: [String]
    ) -> Bool {
        let isTerminating = (pod.spec.activeDeadlineSeconds ?? -1) >= 0
        let isBestEffort = pod.status.qosClass == "BestEffort"
        switch scope {
        case "Terminating": return isTerminating
        case "NotTerminating": return !isTerminating
        case "BestEffort": return isBestEffort
        case "NotBestEffort": return !isBestEffort
        case "PriorityClass":
            let name = pod.spec.priorityClassName
            switch comparison {
            case "In": return values.contains(name)
            case "NotIn": return !values.contains(name)
            case "DoesNotExist": return name.isEmpty
            default: return !name.isEmpty
            }
        case "CrossNamespacePodAffinity":
            let affinity = pod.spec.affinity
            let terms =
                Array(affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
                + Array(
                    affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
                )
            return terms.contains { !$0.namespaces.isEmpty || $0.namespaceSelector != nil }
        default: return false
        }
    }
}

extension Quantity {
    fileprivate static func + (left: Quantity, right: Quantity) -> Quantity {
        var sum = left
        sum.add(right)
        return sum
    }
}
