// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars

/// What filters should say, worked out afresh from the objects themselves, without any index: the
/// model that the scheduler's columns and counters are compared with.
///
/// Selectors have only `matchLabels`, and pods ask for nothing in init containers: what is compared
/// is the keeping of state, which the tables of ``FilterPluginTests`` do not try.
struct NaiveScheduler {
    var nodes: [String: CoreV1.Node] = [:]
    /// The pods that have a node, by uid.
    var pods: [String: CoreV1.Pod] = [:]
    var namespaces: [String: [String: String]] = [:]

    /// The nodes that will do for a pod.
    func feasibleNodes(_ pod: CoreV1.Pod) -> Set<String> {
        Set(self.nodes.keys.filter { self.isFeasible(pod, $0) })
    }

    func isFeasible(_ pod: CoreV1.Pod, _ name: String) -> Bool {
        guard let node = self.nodes[name] else { return false }
        return Self.toleratesNode(pod, node) && Self.matchesNode(pod, node)
            && self.hasPorts(pod, name) && self.fits(pod, node)
            && self.isSpread(pod, node) && self.isNear(pod, node) && self.isAway(pod, node)
    }

    private func podsOn(_ name: String) -> [CoreV1.Pod] {
        self.pods.values.filter { $0.spec.nodeName == name }
    }

    // MARK: The node itself

    private static func toleratesNode(_ pod: CoreV1.Pod, _ node: CoreV1.Node) -> Bool {
        var taints = node.spec.taints.filter { $0.effect != "PreferNoSchedule" }
        if node.spec.unschedulable {
            taints.append(
                .with {
                    $0.key = "node.kubernetes.io/unschedulable"
                    $0.effect = "NoSchedule"
                }
            )
        }
        return taints.allSatisfy { self.tolerates(pod, $0) }
    }

    private static func tolerates(_ pod: CoreV1.Pod, _ taint: CoreV1.Taint) -> Bool {
        pod.spec.tolerations.contains { toleration in
            (toleration.effect.isEmpty || toleration.effect == taint.effect)
                && (toleration.key.isEmpty || toleration.key == taint.key)
                && (toleration.operator == "Exists" || toleration.value == taint.value)
        }
    }

    private static func matchesNode(_ pod: CoreV1.Pod, _ node: CoreV1.Node) -> Bool {
        let labels = node.metadata.labels
        for (key, value) in pod.spec.nodeSelector where labels[key] != value { return false }
        let required = pod.spec.affinity?.nodeAffinity?
            .requiredDuringSchedulingIgnoredDuringExecution
        guard let required else { return true }
        return required.nodeSelectorTerms.contains { term in
            !(term.matchExpressions.isEmpty && term.matchFields.isEmpty)
                && term.matchExpressions.allSatisfy { self.holds($0, labels[$0.key]) }
                && term.matchFields.allSatisfy { self.holds($0, node.metadata.name) }
        }
    }

    private static func holds(
        _ expression: CoreV1.NodeSelectorRequirement,
        _ value: String?
    ) -> Bool {
        switch expression.operator {
        case "In": value.map(expression.values.contains) ?? false
        case "NotIn": !(value.map(expression.values.contains) ?? false)
        case "Exists": value != nil
        case "DoesNotExist": value == nil
        case "Gt": self.number(value).map { $0 > self.bound(expression) } ?? false
        case "Lt": self.number(value).map { $0 < self.bound(expression) } ?? false
        default: false
        }
    }

    private static func number(_ text: String?) -> Int? { text.flatMap { Int($0) } }

    private static func bound(_ expression: CoreV1.NodeSelectorRequirement) -> Int {
        Int(expression.values[0]) ?? 0
    }

    // MARK: What is taken

    private func hasPorts(_ pod: CoreV1.Pod, _ name: String) -> Bool {
        let taken = self.podsOn(name).flatMap(Self.ports)
        return Self.ports(pod).allSatisfy { !taken.contains($0) }
    }

    private static func ports(_ pod: CoreV1.Pod) -> [Int32] {
        pod.spec.containers.flatMap { $0.ports.map(\.hostPort).filter { $0 > 0 } }
    }

    private func fits(_ pod: CoreV1.Pod, _ node: CoreV1.Node) -> Bool {
        let others = self.podsOn(node.metadata.name)
        if others.count + 1 > Self.amount(node.status.allocatable, "pods") { return false }
        return ["cpu", "memory", "example.com/gpu"].allSatisfy { resource in
            let asked = Self.request(pod, resource)
            let used = others.reduce(0) { $0 + Self.request($1, resource) }
            return asked == 0 || asked + used <= Self.amount(node.status.allocatable, resource)
        }
    }

    private static func request(_ pod: CoreV1.Pod, _ resource: String) -> Int {
        pod.spec.containers.reduce(0) {
            $0 + self.amount($1.resources.requests, resource)
        }
    }

    private static func amount(
        _ list: MapField<String, Resource.Quantity>,
        _ resource: String
    ) -> Int {
        guard let text = list[resource]?.string, let quantity = try? Quantity(parsing: text)
        else { return 0 }
        return Int(resource == "cpu" ? quantity.milliValue : quantity.value)
    }

    // MARK: Other pods

    private static func selects(_ selector: MetaV1.LabelSelector?, _ pod: CoreV1.Pod) -> Bool {
        guard let selector else { return false }
        return selector.matchLabels.allSatisfy { pod.metadata.labels[$0.key] == $0.value }
    }

    private func isSpread(_ pod: CoreV1.Pod, _ node: CoreV1.Node) -> Bool {
        let constraints = pod.spec.topologySpreadConstraints.filter {
            $0.whenUnsatisfiable == "DoNotSchedule"
        }
        let keys = constraints.map(\.topologyKey)
        return constraints.allSatisfy { constraint in
            guard let value = node.metadata.labels[constraint.topologyKey] else { return false }
            var domains: [String: Int] = [:]
            for other in self.nodes.values {
                let labels = other.metadata.labels
                guard keys.allSatisfy({ labels[$0] != nil }),
                    let domain = labels[constraint.topologyKey],
                    constraint.nodeAffinityPolicy == "Ignore" || Self.matchesNode(pod, other),
                    constraint.nodeTaintsPolicy != "Honor"
                        || other.spec.taints.allSatisfy({
                            $0.effect == "PreferNoSchedule" || Self.tolerates(pod, $0)
                        })
                else { continue }
                let members = self.podsOn(other.metadata.name).filter {
                    $0.metadata.namespace == pod.metadata.namespace
                        && $0.metadata.deletionTimestamp == nil
                        && Self.selects(constraint.labelSelector, $0)
                }
                domains[domain, default: 0] += members.count
            }
            let isFew = domains.count < constraint.minDomains ?? 1
            let fewest = isFew ? 0 : domains.values.min() ?? 0
            let own = Self.selects(constraint.labelSelector, pod) ? 1 : 0
            return (domains[value] ?? 0) + own - fewest <= Int(constraint.maxSkew)
        }
    }

    private func selects(
        _ term: CoreV1.PodAffinityTerm,
        of owner: CoreV1.Pod,
        _ pod: CoreV1.Pod
    ) -> Bool {
        let namespace = pod.metadata.namespace
        var isIn = term.namespaces.contains(namespace)
        if let selector = term.namespaceSelector {
            let labels = self.namespaces[namespace] ?? [:]
            if selector.matchLabels.allSatisfy({ labels[$0.key] == $0.value }) { isIn = true }
        } else if term.namespaces.isEmpty {
            isIn = namespace == owner.metadata.namespace
        }
        return isIn && Self.selects(term.labelSelector, pod)
    }

    /// The pods on nodes that are in one domain with a node.
    private func pods(near node: CoreV1.Node, _ key: String) -> [CoreV1.Pod] {
        guard let value = node.metadata.labels[key] else { return [] }
        return self.pods.values.filter {
            self.nodes[$0.spec.nodeName]?.metadata.labels[key] == value
        }
    }

    private func isNear(_ pod: CoreV1.Pod, _ node: CoreV1.Node) -> Bool {
        let terms = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution
        guard let terms, !terms.isEmpty else { return true }
        func isWanted(_ other: CoreV1.Pod) -> Bool {
            terms.allSatisfy { self.selects($0, of: pod, other) }
        }
        if terms.contains(where: { node.metadata.labels[$0.topologyKey] == nil }) { return false }
        let finds = terms.allSatisfy { term in
            self.pods(near: node, term.topologyKey).contains(where: isWanted)
        }
        if finds { return true }
        let isFirst = !self.pods.values.contains { other in
            guard let labels = self.nodes[other.spec.nodeName]?.metadata.labels else {
                return false
            }
            return isWanted(other) && terms.contains { labels[$0.topologyKey] != nil }
        }
        return isFirst && isWanted(pod)
    }

    private func isAway(_ pod: CoreV1.Pod, _ node: CoreV1.Node) -> Bool {
        for term in Self.antiAffinity(pod) {
            for other in self.pods(near: node, term.topologyKey)
            where self.selects(term, of: pod, other) {
                return false
            }
        }
        for other in self.pods.values {
            for term in Self.antiAffinity(other) where self.selects(term, of: other, pod) {
                let key = term.topologyKey
                if let value = self.nodes[other.spec.nodeName]?.metadata.labels[key],
                    node.metadata.labels[key] == value
                {
                    return false
                }
            }
        }
        return true
    }

    private static func antiAffinity(_ pod: CoreV1.Pod) -> [CoreV1.PodAffinityTerm] {
        Array(
            pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution
                ?? []
        )
    }
}
