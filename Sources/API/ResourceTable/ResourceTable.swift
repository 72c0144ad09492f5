// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf

/// The resources that an API server has, found by path, by kind and by type.
public struct ResourceTable: Sendable {
    /// In the order of discovery.
    public let groups: [APIGroup]
    public let resources: [APIResource]

    private let byPath: [String: [String: Int]]
    private let byKind: [GroupVersionKind: Int]

    public init(groups: [APIGroup], resources: [APIResource]) {
        self.groups = groups
        self.resources = resources
        var byPath: [String: [String: Int]] = [:]
        var byKind: [GroupVersionKind: Int] = [:]
        for (index, resource) in resources.enumerated() {
            byPath[resource.apiVersion, default: [:]][resource.plural] = index
            let kind = GroupVersionKind(
                group: resource.group,
                version: resource.version,
                kind: resource.kind
            )
            byKind[kind] = index
        }
        self.byPath = byPath
        self.byKind = byKind
    }

    /// Every built-in resource of Kubernetes 1.36, those that are off by default included.
    public static let builtin = ResourceTable(
        groups: APIGroup.all,
        resources: [
            APIResource.admissionregistration,
            APIResource.apiextensions,
            APIResource.apiregistration,
            APIResource.apps,
            APIResource.authentication,
            APIResource.authorization,
            APIResource.autoscaling,
            APIResource.batch,
            APIResource.certificates,
            APIResource.coordination,
            APIResource.core,
            APIResource.discovery,
            APIResource.events,
            APIResource.flowcontrolApiserver,
            APIResource.internalApiserver,
            APIResource.networking,
            APIResource.node,
            APIResource.policy,
            APIResource.rbacAuthorization,
            APIResource.resource,
            APIResource.scheduling,
            APIResource.storage,
            APIResource.storagemigration,
        ].flatMap { $0 }
    )

    /// Those of ``builtin`` that are served without `--runtime-config`.
    public static let served = ResourceTable(
        groups: APIGroup.all.filter { $0.versions.contains(where: \.isServedByDefault) },
        resources: ResourceTable.builtin.resources.filter(\.isServedByDefault)
    )

    /// The resource at a path.
    ///
    /// - Parameter apiVersion: `v1`, `apps/v1`.
    public func resource(apiVersion: String, plural: String) -> APIResource? {
        self.byPath[apiVersion]?[plural].map { self.resources[$0] }
    }

    /// The resource that has objects of a kind.
    public func resource(_ kind: GroupVersionKind) -> APIResource? {
        self.byKind[kind].map { self.resources[$0] }
    }

    /// The resource of a message type; nil for one that is no object of a resource.
    public func resource<M: Message>(of type: M.Type) -> APIResource? {
        let file = M.schema.file
        return self.resource(
            GroupVersionKind(group: file.group, version: file.version, kind: M.schema.name)
        )
    }

    /// The resources of a group and version, in the order of the table.
    public func resources(apiVersion: String) -> [APIResource] {
        self.resources.filter { $0.apiVersion == apiVersion }
    }
}
