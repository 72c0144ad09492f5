// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import KubernetesAPI
import NameRules
import ObjectModel
import Protobuf
import ResourceTable

/// All roles and bindings of a cluster, by who is bound: what a decision reads.
///
/// Made anew when a role or binding has changed, which is rare beside requests.
final class RoleIndex: Sendable {
    /// What one binding gives to one subject.
    struct Grant: Sendable {
        var rules: [PolicyRule]
        /// `ClusterRoleBinding "a" of ClusterRole "b" to User "c"`
        var reason: String
        /// Why the rules of the role are not known.
        var failure: String?
    }

    /// Grants by the names of those who have them.
    struct Grants: Sendable {
        var users: [String: [Grant]] = [:]
        var groups: [String: [Grant]] = [:]

        /// Visits the grants of a user until `body` returns true.
        func first(of user: UserInfo, where body: (Grant) -> Bool) -> Grant? {
            if let grant = self.users[user.name]?.first(where: body) { return grant }
            for group in user.groups {
                if let grant = self.groups[group]?.first(where: body) { return grant }
            }
            return nil
        }
    }

    /// The numbers of the objects that the index was made of.
    let generations: [UInt64]
    let cluster: Grants
    let namespaces: [String: Grants]
    private let clusterRoles: [String: [PolicyRule]]
    /// By namespace and name, with a slash between.
    private let roles: [String: [PolicyRule]]

    static let group = "rbac.authorization.k8s.io"
    static let resources = ["clusterroles", "roles", "clusterrolebindings", "rolebindings"].map {
        GroupResource(group: RoleIndex.group, resource: $0)
    }

    /// The numbers of the objects that an index would be made of now.
    static func generations(in objects: any ObjectReader) -> [UInt64] {
        self.resources.map(objects.generation(of:))
    }

    init(_ objects: any ObjectReader) {
        // Taken first: a change while reading makes the index old, not wrong.
        self.generations = Self.generations(in: objects)
        var clusterRoles: [String: [PolicyRule]] = [:]
        for object in objects.list(Self.resources[0], namespace: nil) {
            guard let role = object.message(as: RbacV1.ClusterRole.self) else { continue }
            clusterRoles[role.metadata.name] = role.rules.map { PolicyRule($0) }
        }
        var roles: [String: [PolicyRule]] = [:]
        for object in objects.list(Self.resources[1], namespace: nil) {
            guard let role = object.message(as: RbacV1.Role.self) else { continue }
            let key = "\(role.metadata.namespace)/\(role.metadata.name)"
            roles[key] = role.rules.map { PolicyRule($0) }
        }
        self.clusterRoles = clusterRoles
        self.roles = roles

        var cluster = Grants()
        for object in objects.list(Self.resources[2], namespace: nil) {
            guard let binding = object.message(as: RbacV1.ClusterRoleBinding.self) else { continue }
            Self.add(
                binding.subjects,
                of: binding.roleRef,
                named: "ClusterRoleBinding \(GoText.quoted(binding.metadata.name))",
                namespace: "",
                clusterRoles,
                roles,
                to: &cluster
            )
        }
        var namespaces: [String: Grants] = [:]
        for object in objects.list(Self.resources[3], namespace: nil) {
            guard let binding = object.message(as: RbacV1.RoleBinding.self) else { continue }
            let namespace = binding.metadata.namespace
            let name = "\(binding.metadata.name)/\(namespace)"
            Self.add(
                binding.subjects,
                of: binding.roleRef,
                named: "RoleBinding \(GoText.quoted(name))",
                namespace: namespace,
                clusterRoles,
                roles,
                to: &namespaces[namespace, default: Grants()]
            )
        }
        self.cluster = cluster
        self.namespaces = namespaces
    }

    private static func add(
        _ subjects: some Sequence<RbacV1.Subject>,
        of reference: RbacV1.RoleRef,
        named binding: String,
        namespace: String,
        _ clusterRoles: [String: [PolicyRule]],
        _ roles: [String: [PolicyRule]],
        to grants: inout Grants
    ) {
        let isCluster = reference.kind == "ClusterRole"
        let rules =
            isCluster ? clusterRoles[reference.name] : roles["\(namespace)/\(reference.name)"]
        let failure =
            rules == nil ? Self.missing(reference.kind, reference.name) : nil
        for subject in subjects {
            let isAccount = subject.kind == "ServiceAccount"
            let place = subject.namespace.isEmpty ? namespace : subject.namespace
            let shown = isAccount ? "\(subject.name)/\(subject.namespace)" : subject.name
            let grant = Grant(
                rules: rules ?? [],
                reason: "\(binding) of \(reference.kind) \(GoText.quoted(reference.name)) to "
                    + "\(subject.kind) \(GoText.quoted(shown))",
                failure: failure
            )
            switch subject.kind {
            case "User": grants.users[subject.name, default: []].append(grant)
            case "Group": grants.groups[subject.name, default: []].append(grant)
            case "ServiceAccount" where !place.isEmpty:
                let name = "\(UserInfo.serviceAccountPrefix)\(place):\(subject.name)"
                grants.users[name, default: []].append(grant)
            default: continue
            }
        }
    }

    private static func missing(_ kind: String, _ name: String) -> String {
        "\(kind.lowercased()).\(self.group) \(GoText.quoted(name)) not found"
    }

    /// The rules of a role that a binding refers to; nil when it does not exist.
    func rules(kind: String, name: String, namespace: String) -> [PolicyRule]? {
        kind == "ClusterRole" ? self.clusterRoles[name] : self.roles["\(namespace)/\(name)"]
    }

    /// Visits what a user has, in the cluster and in a namespace, until `body` returns true.
    func firstGrant(
        of user: UserInfo,
        in namespace: String,
        where body: (Grant) -> Bool
    ) -> Grant? {
        self.cluster.first(of: user, where: body)
            ?? (namespace.isEmpty
                ? nil : self.namespaces[namespace]?.first(of: user, where: body))
    }

    /// Everything that a user may do in a namespace.
    func rules(of user: UserInfo, in namespace: String) -> (rules: [PolicyRule], failures: [String])
    {
        var rules: [PolicyRule] = []
        var failures: [String] = []
        _ = self.firstGrant(of: user, in: namespace) { grant in
            rules += grant.rules
            if let failure = grant.failure { failures.append(failure) }
            return false
        }
        return (rules, failures)
    }
}
