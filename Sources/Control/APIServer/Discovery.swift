// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable

/// The documents that tell clients what is served.
///
/// Source: WIRE facts "Discovery"; upstream k8s.io/apiserver `pkg/endpoints/discovery`.
struct Discovery: Sendable {
    let table: ResourceTable
    /// Where clients find the server, as `/api` tells them.
    let serverAddress: String

    /// `/api`
    var legacyVersions: MetaV1.APIVersions {
        MetaV1.APIVersions.with {
            $0.versions.append("v1")
            $0.serverAddressByClientCIDRs.append(
                MetaV1.ServerAddressByClientCIDR.with {
                    $0.clientCIDR = "0.0.0.0/0"
                    $0.serverAddress = self.serverAddress
                }
            )
        }
    }

    /// `/apis`
    var groups: MetaV1.APIGroupList {
        MetaV1.APIGroupList.with {
            for group in self.table.groups where !group.name.isEmpty {
                guard let document = self.group(group.name) else { continue }
                $0.groups.append(document)
            }
        }
    }

    /// `/apis/GROUP`
    func group(_ name: String) -> MetaV1.APIGroup? {
        guard let group = self.table.groups.first(where: { $0.name == name }), !name.isEmpty else {
            return nil
        }
        let versions = self.servedVersions(group)
        guard !versions.isEmpty else { return nil }
        func version(_ name: String) -> MetaV1.GroupVersionForDiscovery {
            MetaV1.GroupVersionForDiscovery.with {
                $0.groupVersion = APIGroup.apiVersion(group.name, name)
                $0.version = name
            }
        }
        return MetaV1.APIGroup.with {
            $0.name = name
            for name in versions { $0.versions.append(version(name)) }
            $0.preferredVersion = version(
                versions.contains(group.preferredVersion)
                    ? group.preferredVersion : versions[0]
            )
        }
    }

    private func servedVersions(_ group: APIGroup) -> [String] {
        group.versions.map(\.name).filter { version in
            self.table.resources.contains { $0.group == group.name && $0.version == version }
        }
    }

    /// `/api/v1`, `/apis/GROUP/VERSION`
    func resources(apiVersion: String) -> MetaV1.APIResourceList? {
        let resources = self.table.resources(apiVersion: apiVersion)
        guard !resources.isEmpty else { return nil }
        return MetaV1.APIResourceList.with { list in
            list.groupVersion = apiVersion
            for resource in resources.sorted(by: { $0.plural < $1.plural }) {
                list.resources.append(Self.document(resource))
                for subresource in resource.subresources.sorted(by: { $0.name < $1.name }) {
                    list.resources.append(Self.document(subresource, of: resource))
                }
            }
        }
    }

    private static func document(_ resource: APIResource) -> MetaV1.APIResource {
        MetaV1.APIResource.with {
            $0.name = resource.plural
            $0.singularName = resource.singular
            $0.namespaced = resource.isNamespaced
            $0.kind = resource.kind
            $0.verbs = self.verbs(resource.verbs)
            for name in resource.shortNames { $0.shortNames.append(name) }
            for name in resource.categories { $0.categories.append(name) }
            $0.storageVersionHash = resource.storage?.hash ?? ""
        }
    }

    private static func document(
        _ subresource: APIResource.Subresource,
        of resource: APIResource
    ) -> MetaV1.APIResource {
        MetaV1.APIResource.with {
            $0.name = "\(resource.plural)/\(subresource.name)"
            $0.namespaced = resource.isNamespaced
            $0.kind = subresource.kind
            $0.group = subresource.group ?? ""
            $0.version = subresource.version ?? ""
            $0.verbs = self.verbs(subresource.verbs)
        }
    }

    private static func verbs(_ verbs: APIResource.Verbs) -> MetaV1.Verbs {
        MetaV1.Verbs.with { for name in verbs.names { $0.items.append(name) } }
    }
}
