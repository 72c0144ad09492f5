// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
import KubernetesAPI
import ObjectModel
import Quotas
import ResourceClient
import ResourceTable
import Scalars

/// What a namespace has of what a quota counts.
struct QuotaContent {
    var pods: [CoreV1.Pod] = []
    var services: [CoreV1.Service] = []
    var claims: [CoreV1.PersistentVolumeClaim] = []
    /// How many there are of all others.
    var others: [(GroupResource, Int)] = []

    /// The resources that are counted by what is in their objects.
    static let typed: Set<String> = ["pods", "services", "persistentvolumeclaims"]

    /// What all of it counts for.
    func usage(_ spec: CoreV1.ResourceQuotaSpec) -> ResourceAmounts {
        var usage: ResourceAmounts = [:]
        for pod in self.pods where ObjectUsage.matches(spec, pod) {
            PodResources.add(ObjectUsage.usage(pod), to: &usage)
        }
        if ObjectUsage.hasScopes(spec) { return usage }
        for service in self.services { PodResources.add(ObjectUsage.usage(service), to: &usage) }
        for claim in self.claims { PodResources.add(ObjectUsage.usage(claim), to: &usage) }
        for (resource, count) in self.others where count > 0 {
            for name in ObjectUsage.count(resource).keys { usage[name] = Quantity(Int64(count)) }
        }
        return usage
    }

    /// What the server has now, of that which is counted under these names.
    ///
    /// Informers need not be as far as the quota's own is. Where nothing stands in a quota yet, what
    /// they have not seen would be let in once more.
    static func current(
        of namespace: String,
        _ names: some Sequence<String>,
        _ resources: [ResourceName],
        _ context: ControllerContext
    ) async throws(StatusError) -> QuotaContent {
        var wanted: Set<String> = []
        for name in names {
            if name.hasPrefix("count/") {
                wanted.insert(String(name.dropFirst("count/".count)))
            } else if name.hasPrefix("services") {
                wanted.insert("services")
            } else {
                // Amounts are of pods or of claims; other names are those of resources.
                wanted.formUnion([name, "pods", "persistentvolumeclaims"])
            }
        }
        var content = QuotaContent()
        if wanted.contains("pods") {
            content.pods = try await context.client(CoreV1.Pod.self).list(in: namespace).items
        }
        if wanted.contains("services") {
            content.services =
                try await context.client(CoreV1.Service.self).list(in: namespace).items
        }
        if wanted.contains("persistentvolumeclaims") {
            content.claims =
                try await context.client(CoreV1.PersistentVolumeClaim.self)
                .list(in: namespace).items
        }
        for resource in resources where resource.isNamespaced {
            let name = resource.groupResource.description
            guard wanted.contains(name), !Self.typed.contains(name) else { continue }
            let client = Client<MetaV1.PartialObjectMetadata>(context.channel, resource: resource)
            content.others.append(
                (resource.groupResource, try await client.list(in: namespace).items.count)
            )
        }
        return content
    }
}
