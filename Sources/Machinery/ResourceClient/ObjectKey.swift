// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI

/// An object's place among those of its resource.
public struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Empty for a cluster-scoped object.
    public var namespace: String
    public var name: String

    public init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    public init(_ metadata: MetaV1.ObjectMeta) {
        self.init(namespace: metadata.namespace, name: metadata.name)
    }

    /// `namespace/name`, or `name` alone.
    public var description: String {
        self.namespace.isEmpty ? self.name : "\(self.namespace)/\(self.name)"
    }

    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
