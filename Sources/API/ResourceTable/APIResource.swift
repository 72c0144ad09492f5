// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf

/// A resource of the API: a plural name in a group and version.
///
/// The API server serves what is in the table, clients find the path of a kind here, and discovery
/// is made from it: adding a kind is adding a row.
public struct APIResource: Sendable {
    /// API group; empty is the core group.
    public let group: String
    /// Version in the group, such as `v1`.
    public let version: String
    /// The name in paths, such as `pods`.
    public let plural: String
    /// The name that people use for one, such as `pod`.
    public let singular: String
    /// Such as `po`.
    public let shortNames: [String]
    /// What the resource is listed under with others, such as `all`.
    public let categories: [String]
    public let scope: Scope
    public let verbs: Verbs
    /// Served without `--runtime-config`.
    public let isServedByDefault: Bool
    /// The feature gate that serving it needs too.
    public let featureGate: String?
    /// How objects lie in the store; nil for what is not stored, such as reviews.
    public let storage: Storage?
    public let behaviour: Behaviour
    public let subresources: [Subresource]
    /// The type of an object.
    public let type: any Message.Type
    /// The type of a list; nil where there is no list.
    public let listType: (any Message.Type)?

    /// Such as `Pod`.
    public var kind: String { self.schema.name }
    /// Such as `PodList`; nil where there is no list.
    public var listKind: String? { self.listType?.schema.name }
    /// The schema of an object.
    public var schema: MessageSchema { self.type.schema }
    /// `v1`, `apps/v1`
    public var apiVersion: String { APIGroup.apiVersion(self.group, self.version) }
    public var isNamespaced: Bool { self.scope == .namespaced }
    /// The name without its version.
    public var groupResource: GroupResource {
        GroupResource(group: self.group, resource: self.plural)
    }
    /// The subresource of a name.
    public func subresource(_ name: String) -> Subresource? {
        self.subresources.first { $0.name == name }
    }

    init(
        _ plural: String,
        of type: any Message.Type,
        list listType: (any Message.Type)? = nil,
        group: String,
        version: String,
        singular: String,
        shortNames: [String] = [],
        categories: [String] = [],
        scope: Scope,
        verbs: Verbs,
        isServedByDefault: Bool = true,
        featureGate: String? = nil,
        storage: Storage? = nil,
        behaviour: Behaviour = [],
        subresources: [Subresource] = []
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.singular = singular
        self.shortNames = shortNames
        self.categories = categories
        self.scope = scope
        self.verbs = verbs
        self.isServedByDefault = isServedByDefault
        self.featureGate = featureGate
        self.storage = storage
        self.behaviour = behaviour
        self.subresources = subresources
        self.type = type
        self.listType = listType
    }
}

extension APIResource {
    public enum Scope: Sendable {
        case namespaced
        case cluster
    }

    /// How objects lie in the store.
    public struct Storage: Sendable {
        /// The type in its storage version.
        public let type: any Message.Type
        /// What keys begin with, slash included; namespaced ones go on with `<namespace>/<name>`.
        public let prefix: String
        public let group: String
        public let version: String
        public let encoding: Encoding
        /// `storageVersionHash` of discovery.
        public let hash: String

        public enum Encoding: Sendable {
            /// The `k8s\0` envelope.
            case protobuf
            case json
        }

        init(
            _ type: any Message.Type,
            at prefix: String,
            group: String,
            version: String,
            encoding: Encoding = .protobuf,
            hash: String
        ) {
            self.type = type
            self.prefix = prefix
            self.group = group
            self.version = version
            self.encoding = encoding
            self.hash = hash
        }
    }

    /// What can be done with a resource.
    public struct Verbs: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16

        public init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        public static let create = Verbs(rawValue: 1 << 0)
        public static let delete = Verbs(rawValue: 1 << 1)
        public static let deleteCollection = Verbs(rawValue: 1 << 2)
        public static let get = Verbs(rawValue: 1 << 3)
        public static let list = Verbs(rawValue: 1 << 4)
        public static let patch = Verbs(rawValue: 1 << 5)
        public static let update = Verbs(rawValue: 1 << 6)
        public static let watch = Verbs(rawValue: 1 << 7)
        public static let all: Verbs = [
            .create, .delete, .deleteCollection, .get, .list, .patch, .update, .watch,
        ]

        private static let allNames = [
            "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
        ]

        /// The names in the order of discovery.
        public var names: [String] {
            Self.allNames.enumerated().compactMap { index, name in
                self.contains(Verbs(rawValue: 1 << UInt16(index))) ? name : nil
            }
        }

        /// Whether the verb with this name is among them.
        public func contains(_ name: String) -> Bool {
            guard let index = Self.allNames.firstIndex(of: name) else { return false }
            return self.contains(Verbs(rawValue: 1 << UInt16(index)))
        }
    }

    /// Where resources differ in how they are written.
    public struct Behaviour: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// PUT of a missing object creates it.
        public static let createOnUpdate = Behaviour(rawValue: 1 << 0)
        /// PUT without `resourceVersion` is allowed.
        public static let unconditionalUpdate = Behaviour(rawValue: 1 << 1)
        /// A completed delete answers with the object, not with a Status.
        public static let deleteReturnsObject = Behaviour(rawValue: 1 << 2)
    }

    /// A part of an object with a path of its own, such as `status`.
    public struct Subresource: Sendable {
        public let name: String
        /// The type of its bodies.
        public let type: any Message.Type
        /// Group of its kind where it is not that of the resource.
        public let group: String?
        public let version: String?
        public let verbs: Verbs

        public var schema: MessageSchema { self.type.schema }
        /// Such as `Scale`.
        public var kind: String { self.schema.name }

        init(
            _ name: String,
            of type: any Message.Type,
            group: String? = nil,
            version: String? = nil,
            verbs: Verbs
        ) {
            self.name = name
            self.type = type
            self.group = group
            self.version = version
            self.verbs = verbs
        }
    }
}

/// A resource without its version.
public struct GroupResource: Hashable, Sendable, CustomStringConvertible {
    public var group: String
    public var resource: String

    public init(group: String, resource: String) {
        self.group = group
        self.resource = resource
    }

    /// `pods`, `deployments.apps`
    public var description: String {
        self.group.isEmpty ? self.resource : "\(self.resource).\(self.group)"
    }
}

/// A kind with its group and version.
public struct GroupVersionKind: Hashable, Sendable, CustomStringConvertible {
    public var group: String
    public var version: String
    public var kind: String

    public init(group: String, version: String, kind: String) {
        self.group = group
        self.version = version
        self.kind = kind
    }

    /// From `apiVersion` and `kind` of an object.
    public init(apiVersion: String, kind: String) {
        let parts = apiVersion.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(
            group: parts.count == 2 ? String(parts[0]) : "",
            version: String(parts.last ?? ""),
            kind: kind
        )
    }

    public var apiVersion: String { APIGroup.apiVersion(self.group, self.version) }

    /// As Go prints it: `apps/v1, Kind=Deployment`.
    public var description: String {
        "\(self.group)/\(self.version), Kind=\(self.kind)"
    }
}
