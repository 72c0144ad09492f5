// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
package import ObjectModel
import Protobuf
package import ResourceTable
import Scalars

/// What an object counts for in resource quotas: to admission when it comes, to the quota controller
/// while it is there.
///
/// Source: kubernetes `pkg/quota/v1/evaluator/core`.
package enum ObjectUsage {
    /// Resources that are counted by their own name, beside `count/…`.
    private static let named: Set<String> = [
        "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas",
        "secrets", "services",
    ]

    /// What one object of a resource counts for, whatever is in it.
    package static func count(_ resource: GroupResource) -> ResourceAmounts {
        let name = resource.description
        var usage: ResourceAmounts = ["count/\(name)": Quantity(1)]
        if self.named.contains(name) { usage[name] = Quantity(1) }
        return usage
    }

    /// What an object counts for.
    package static func usage(_ resource: GroupResource, _ object: APIObject) -> ResourceAmounts {
        if let pod: CoreV1.Pod = object.message() { return self.usage(pod) }
        if let service: CoreV1.Service = object.message() { return self.usage(service) }
        if let claim: CoreV1.PersistentVolumeClaim = object.message() { return self.usage(claim) }
        return self.count(resource)
    }

    /// What a pod counts for; one that has ended uses nothing but its place in the store.
    package static func usage(_ pod: CoreV1.Pod) -> ResourceAmounts {
        var usage = self.count(GroupResource(group: "", resource: "pods"))
        if pod.status.phase == "Succeeded" || pod.status.phase == "Failed" {
            usage["pods"] = nil
            return usage
        }
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
        return usage
    }

    /// What a Service counts for.
    package static func usage(_ service: CoreV1.Service) -> ResourceAmounts {
        var usage = self.count(GroupResource(group: "", resource: "services"))
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
        return usage
    }

    /// What a claim counts for.
    package static func usage(_ claim: CoreV1.PersistentVolumeClaim) -> ResourceAmounts {
        var usage = self.count(GroupResource(group: "", resource: "persistentvolumeclaims"))
        let size = claim.spec.resources.requests["storage"].flatMap { try? $0.parsed() }
        if let size { usage["requests.storage"] = size }
        let name =
            claim.metadata.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? claim.spec.storageClassName ?? ""
        guard !name.isEmpty else { return usage }
        let prefix = "\(name).storageclass.storage.k8s.io"
        usage["\(prefix)/persistentvolumeclaims"] = Quantity(1)
        if let size { usage["\(prefix)/requests.storage"] = size }
        return usage
    }

    // MARK: - Scopes

    /// Whether a quota counts an object.
    package static func matches(_ quota: CoreV1.ResourceQuota, _ object: APIObject) -> Bool {
        if !self.hasScopes(quota.spec) { return true }
        guard let pod: CoreV1.Pod = object.message() else { return false }
        return self.matches(quota.spec, pod)
    }

    /// Whether a quota has scopes: they are of pods, and it counts nothing else.
    package static func hasScopes(_ spec: CoreV1.ResourceQuotaSpec) -> Bool {
        !spec.scopes.isEmpty || !(spec.scopeSelector?.matchExpressions.isEmpty ?? true)
    }

    /// Whether a pod is in all scopes of a quota.
    package static func matches(_ spec: CoreV1.ResourceQuotaSpec, _ pod: CoreV1.Pod) -> Bool {
        spec.scopes.allSatisfy { self.isIn($0, pod) }
            && (spec.scopeSelector?.matchExpressions.allSatisfy { self.isIn($0, pod) } ?? true)
    }

    /// The scopes of a quota, in whichever of the two ways they are written.
    package static func scopes(
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
    package static func isIn(
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
        if !pod.status.qosClass.isEmpty { return pod.status.qosClass == "BestEffort" }
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
    package static func unsaid(_ pod: CoreV1.Pod, _ hard: Set<String>) -> String? {
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
