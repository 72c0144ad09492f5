// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import ResourceTable

extension Discovery {
    /// The aggregated document of `/api` (the core group) or `/apis` (all others).
    func aggregated(isCore: Bool) -> ApidiscoveryV2.APIGroupDiscoveryList {
        ApidiscoveryV2.APIGroupDiscoveryList.with { list in
            for group in self.table.groups where group.name.isEmpty == isCore {
                let document = self.aggregated(group)
                if !document.versions.isEmpty { list.items.append(document) }
            }
        }
    }

    private func aggregated(_ group: APIGroup) -> ApidiscoveryV2.APIGroupDiscovery {
        ApidiscoveryV2.APIGroupDiscovery.with {
            $0.metadata.name = group.name
            for version in group.versions {
                let resources = self.table.resources(
                    apiVersion: APIGroup.apiVersion(group.name, version.name)
                )
                guard !resources.isEmpty else { continue }
                $0.versions.append(
                    ApidiscoveryV2.APIVersionDiscovery.with {
                        $0.version = version.name
                        $0.freshness = "Current"
                        for resource in resources.sorted(by: { $0.plural < $1.plural }) {
                            $0.resources.append(Self.aggregated(resource))
                        }
                    }
                )
            }
        }
    }

    private static func aggregated(_ resource: APIResource) -> ApidiscoveryV2.APIResourceDiscovery {
        ApidiscoveryV2.APIResourceDiscovery.with {
            $0.resource = resource.plural
            $0.responseKind = MetaV1.GroupVersionKind.with { $0.kind = resource.kind }
            $0.scope = resource.isNamespaced ? "Namespaced" : "Cluster"
            $0.singularResource = resource.singular
            for name in resource.verbs.names { $0.verbs.append(name) }
            for name in resource.shortNames { $0.shortNames.append(name) }
            for name in resource.categories { $0.categories.append(name) }
            for subresource in resource.subresources.sorted(by: { $0.name < $1.name }) {
                $0.subresources.append(
                    ApidiscoveryV2.APISubresourceDiscovery.with {
                        $0.subresource = subresource.name
                        $0.responseKind = MetaV1.GroupVersionKind.with {
                            $0.kind = subresource.kind
                            $0.group = subresource.group ?? ""
                            $0.version = subresource.version ?? ""
                        }
                        for name in subresource.verbs.names { $0.verbs.append(name) }
                    }
                )
            }
        }
    }
}
