// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ApusAPI
public import Protobuf
public import ResourceTable
import Synchronization

/// A resource as a client names it: enough to reach built-in and custom ones.
public struct ResourceName: Hashable, Sendable, CustomStringConvertible {
    public var group: String
    public var version: String
    /// Such as `pods`.
    public var plural: String
    public var isNamespaced: Bool
    /// Kind of the objects.
    public var kind: String

    public init(
        group: String,
        version: String,
        plural: String,
        kind: String,
        isNamespaced: Bool
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// A resource of the table.
    public init(_ resource: APIResource) {
        self.init(
            group: resource.group,
            version: resource.version,
            plural: resource.plural,
            kind: resource.kind,
            isNamespaced: resource.isNamespaced
        )
    }

    /// The resource whose objects have the type.
    ///
    /// - Precondition: the type is a built-in kind with a resource.
    public init<Object: Message>(of type: Object.Type) {
        let id = ObjectIdentifier(type)
        if let known = Self.known.withLock({ $0[id] }) {
            self = known
            return
        }
        guard let resource = ResourceTable.builtin.resource(of: type) else {
            preconditionFailure("\(Object.schema.fullName) is no kind of a resource")
        }
        let name = Self(resource)
        Self.known.withLock { $0[id] = name }
        self = name
    }

    /// Names of types that were asked for: every owner reference and event needs one.
    private static let known = Mutex<[ObjectIdentifier: ResourceName]>([:])

    public var groupResource: GroupResource {
        GroupResource(group: self.group, resource: self.plural)
    }

    public var apiVersion: String {
        self.group.isEmpty ? self.version : "\(self.group)/\(self.version)"
    }

    public var groupVersionKind: GroupVersionKind {
        GroupVersionKind(group: self.group, version: self.version, kind: self.kind)
    }

    public var description: String { self.groupResource.description }

    /// What a request is about.
    public func target(
        namespace: String = "",
        name: String = "",
        subresource: String = ""
    ) -> ApusResource.Target {
        ApusResource.Target.with {
            $0.group = self.group
            $0.version = self.version
            $0.resource = self.plural
            $0.namespace = namespace
            $0.name = name
            $0.subresource = subresource
        }
    }
}
