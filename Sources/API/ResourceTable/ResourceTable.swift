// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf

/// The resources that an API server has, found by path, by kind and by type.
public struct ResourceTable: Sendable {
    /// In the order of discovery.
    public let groups: [APIGroup]
    public let resources: [Resource]

    private let byPath: [String: [String: Int]]
    private let byKind: [GroupVersionKind: Int]

    public init(groups: [APIGroup], resources: [Resource]) {
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
            Resource.admissionregistration,
            Resource.apiextensions,
            Resource.apiregistration,
            Resource.apps,
            Resource.authentication,
            Resource.authorization,
            Resource.autoscaling,
            Resource.batch,
            Resource.certificates,
            Resource.coordination,
            Resource.core,
            Resource.discovery,
            Resource.events,
            Resource.flowcontrolApiserver,
            Resource.internalApiserver,
            Resource.networking,
            Resource.node,
            Resource.policy,
            Resource.rbacAuthorization,
            Resource.resource,
            Resource.scheduling,
            Resource.storage,
            Resource.storagemigration,
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
    public func resource(apiVersion: String, plural: String) -> Resource? {
        self.byPath[apiVersion]?[plural].map { self.resources[$0] }
    }

    /// The resource that has objects of a kind.
    public func resource(_ kind: GroupVersionKind) -> Resource? {
        self.byKind[kind].map { self.resources[$0] }
    }

    /// The resource of a message type; nil for one that is no object of a resource.
    public func resource<M: Message>(of type: M.Type) -> Resource? {
        let file = M.schema.file
        return self.resource(
            GroupVersionKind(group: file.group, version: file.version, kind: M.schema.name)
        )
    }

    /// The resources of a group and version, in the order of the table.
    public func resources(apiVersion: String) -> [Resource] {
        self.resources.filter { $0.apiVersion == apiVersion }
    }
}
