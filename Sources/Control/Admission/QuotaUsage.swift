// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Scalars

/// What an object counts for in resource quotas.
///
/// Source: kubernetes `pkg/quota/v1/evaluator/core`.
enum QuotaUsage {
    /// Resources that are counted by their own name, beside `count/…`.
    private static let named: [GroupResource: String] = [
        .pods: "pods", .persistentVolumeClaims: "persistentvolumeclaims",
        .resourceQuotas: "resourcequotas",
        GroupResource(group: "", resource: "services"): "services",
        GroupResource(group: "", resource: "secrets"): "secrets",
        GroupResource(group: "", resource: "configmaps"): "configmaps",
        GroupResource(group: "", resource: "replicationcontrollers"): "replicationcontrollers",
    ]

    static func usage(_ resource: GroupResource, _ object: APIObject) -> ResourceAmounts {
        var usage: ResourceAmounts = ["count/\(resource)": Quantity(1)]
        if let pod: CoreV1.Pod = object.message() {
            self.add(pod, to: &usage)
        } else {
            if let name = self.named[resource] { usage[name] = Quantity(1) }
            if let service: CoreV1.Service = object.message() {
                self.add(service, to: &usage)
            } else if let claim: CoreV1.PersistentVolumeClaim = object.message() {
                self.add(claim, to: &usage)
            }
        }
        return usage
    }

    private static func add(_ pod: CoreV1.Pod, to usage: inout ResourceAmounts) {
        // A pod that has ended uses nothing but its place in the store.
        if pod.status.phase == "Succeeded" || pod.status.phase == "Failed" { return }
        usage["pods"] = Quantity(1)
        for (name, amount) in PodResources.requests(of: pod.spec) {
            usage["requests.\(name)"] = amount
            if ["cpu", "memory", "ephemeral-storage"].contains(name) || name.hasPrefix("hugepages-")
            {
                usage[name] = amount
            }
        }
        for (name, amount) in PodResources.limits(of: pod.spec)
        where ["cpu", "memory", "ephemeral-storage"].contains(name) {
            usage["limits.\(name)"] = amount
        }
    }

    private static func add(_ service: CoreV1.Service, to usage: inout ResourceAmounts) {
        let ports = Int64(service.spec.ports.count)
        switch service.spec.type {
        case "NodePort": usage["services.nodeports"] = Quantity(ports)
        case "LoadBalancer":
            usage["services.loadbalancers"] = Quantity(1)
            let hasPorts = service.spec.allocateLoadBalancerNodePorts != false
            let own = Int64(service.spec.ports.filter { $0.nodePort != 0 }.count)
            usage["services.nodeports"] = Quantity(hasPorts ? ports : own)
        default: break
        }
    }

    private static func add(_ claim: CoreV1.PersistentVolumeClaim, to usage: inout ResourceAmounts)
    {
        let size = claim.spec.resources.requests["storage"].flatMap { try? $0.parsed() }
        if let size { usage["requests.storage"] = size }
        let name =
            claim.metadata.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? claim.spec.storageClassName ?? ""
        guard !name.isEmpty else { return }
        let prefix = "\(name).storageclass.storage.k8s.io"
        usage["\(prefix)/persistentvolumeclaims"] = Quantity(1)
        if let size { usage["\(prefix)/requests.storage"] = size }
    }

    // MARK: - Scopes

    /// Whether a quota counts an object.
    static func matches(_ quota: CoreV1.ResourceQuota, _ object: APIObject) -> Bool {
        let expressions = quota.spec.scopeSelector?.matchExpressions ?? []
        if quota.spec.scopes.isEmpty, expressions.isEmpty { return true }
        guard let pod: CoreV1.Pod = object.message() else { return false }
        return quota.spec.scopes.allSatisfy { self.isIn($0, pod) }
            && expressions.allSatisfy { self.isIn($0, pod) }
    }

    /// The scopes of a quota, in whichever of the two ways they are written.
    static func scopes(
        of quota: CoreV1.ResourceQuota
    ) -> [CoreV1.ScopedResourceSelectorRequirement] {
        quota.spec.scopes.map { scope in
            CoreV1.ScopedResourceSelectorRequirement.with {
                $0.scopeName = scope
                $0.operator = "Exists"
            }
        } + (quota.spec.scopeSelector.map { Array($0.matchExpressions) } ?? [])
    }

    /// Whether a pod is in a scope.
    static func isIn(
        _ scope: CoreV1.ScopedResourceSelectorRequirement,
        _ pod: CoreV1.Pod
    ) -> Bool {
        guard scope.scopeName == "PriorityClass" else { return self.isIn(scope.scopeName, pod) }
        let name = pod.spec.priorityClassName
        switch scope.operator {
        case "In": return scope.values.contains(name)
        case "NotIn": return !scope.values.contains(name)
        case "Exists": return !name.isEmpty
        case "DoesNotExist": return name.isEmpty
        default: return false
        }
    }

    private static func isIn(_ scope: String, _ pod: CoreV1.Pod) -> Bool {
        switch scope {
        case "Terminating": pod.spec.activeDeadlineSeconds != nil
        case "NotTerminating": pod.spec.activeDeadlineSeconds == nil
        case "BestEffort": self.isBestEffort(pod)
        case "NotBestEffort": !self.isBestEffort(pod)
        case "PriorityClass": !pod.spec.priorityClassName.isEmpty
        case "CrossNamespacePodAffinity": self.reachesOut(pod)
        default: false
        }
    }

    private static func isBestEffort(_ pod: CoreV1.Pod) -> Bool {
        func isEmpty(_ resources: CoreV1.ResourceRequirements?) -> Bool {
            guard let resources else { return true }
            return ["cpu", "memory"].allSatisfy {
                resources.requests[$0] == nil && resources.limits[$0] == nil
            }
        }
        return isEmpty(pod.spec.resources)
            && pod.spec.containers.allSatisfy { isEmpty($0.resources) }
            && pod.spec.initContainers.allSatisfy { isEmpty($0.resources) }
    }

    private static func reachesOut(_ pod: CoreV1.Pod) -> Bool {
        func reaches(_ term: CoreV1.PodAffinityTerm) -> Bool {
            !term.namespaces.isEmpty || term.namespaceSelector != nil
        }
        let affinity = pod.spec.affinity
        let required =
            Array(affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
            + Array(affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
        let preferred =
            Array(affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
            + Array(
                affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
            )
        return required.contains(where: reaches)
            || preferred.contains { reaches($0.podAffinityTerm) }
    }

    // MARK: - What has to be said

    private static let mandatory = [
        "cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory",
    ]

    /// What the containers of a pod leave out that a quota counts, in upstream's words.
    static func unsaid(_ pod: CoreV1.Pod, _ hard: Set<String>) -> String? {
        let texts = self.mandatory.filter(hard.contains).compactMap { name -> String? in
            let isLimit = name.hasPrefix("limits.")
            let resource = name.split(separator: ".").last.map(String.init) ?? name
            if let whole = pod.spec.resources,
                (isLimit ? whole.limits[resource] : whole.requests[resource]) != nil
            {
                return nil
            }
            let silent = [pod.spec.containers, pod.spec.initContainers].joined().filter {
                (isLimit ? $0.resources.limits[resource] : $0.resources.requests[resource]) == nil
            }.map(\.name).sorted()
            return silent.isEmpty ? nil : "\(name) for: \(silent.joined(separator: ","))"
        }
        return texts.isEmpty ? nil : "must specify \(texts.joined(separator: "; "))"
    }
}
