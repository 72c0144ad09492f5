// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
import ResourceTable
import Tasks

/// Brings the bootstrap roles and bindings into a cluster when its API server starts: what is
/// missing is made, what an administrator has taken away is given back unless they have turned that
/// off, and what they have added stays.
///
/// Source: kubernetes `pkg/registry/rbac/rest/storage_rbac.go`,
/// `pkg/registry/rbac/reconciliation`.
public struct BootstrapReconciler: Sendable {
    private let policy: BootstrapPolicy
    private let objects: any ObjectWriter

    /// Set to `false` on a role or binding to leave it as it is.
    static let autoupdateAnnotation = "rbac.authorization.kubernetes.io/autoupdate"
    static let bootstrappingLabel = "kubernetes.io/bootstrapping"

    /// How often a write that met another one is tried.
    private static let maximumAttempts = 3

    public init(_ objects: any ObjectWriter) {
        self.init(objects, policy: .builtin)
    }

    init(_ objects: any ObjectWriter, policy: BootstrapPolicy) {
        self.objects = objects
        self.policy = policy
    }

    /// Makes everything as it should be. The namespaces of roles must exist.
    ///
    /// All at once, so that the store commits them together.
    public func run() async throws(StatusError) {
        let failures = await self.items.failuresOfEach { item throws(StatusError) in
            try await self.reconcile(item)
        }
        if let failure = failures.first { throw failure }
    }

    /// An object that is to exist.
    private struct Item: Sendable {
        var resource: GroupResource
        var namespace = ""
        var object: APIObject
    }

    private var items: [Item] {
        var items: [Item] = []
        for role in self.policy.clusterRoles {
            let object = APIObject(self.clusterRole(role))
            items.append(Item(resource: RoleIndex.resources[0], object: object))
        }
        for role in self.policy.roles {
            let namespace = role.namespace ?? ""
            let object = APIObject(self.role(role, namespace))
            items.append(
                Item(resource: RoleIndex.resources[1], namespace: namespace, object: object)
            )
        }
        for binding in self.policy.bindings {
            if let namespace = binding.namespace {
                let object = APIObject(self.roleBinding(binding, namespace))
                items.append(
                    Item(resource: RoleIndex.resources[3], namespace: namespace, object: object)
                )
            } else {
                let object = APIObject(self.clusterRoleBinding(binding))
                items.append(Item(resource: RoleIndex.resources[2], object: object))
            }
        }
        return items
    }

    private func reconcile(_ item: Item) async throws(StatusError) {
        let (resource, namespace, wanted) = (item.resource, item.namespace, item.object)
        let name = wanted.metadata.name
        // What the cache has is enough to see that nothing is to be done.
        var found = self.objects.get(resource, namespace: namespace, name: name)
        for attempt in 1...Self.maximumAttempts {
            do throws(StatusError) {
                guard let current = found else {
                    try await self.objects.create(resource, wanted)
                    return
                }
                guard let merged = Self.merged(current, wanted) else { return }
                try await self.objects.update(resource, subresource: "", merged)
                return
            } catch {
                let isRace = error.reason == .conflict || error.reason == .alreadyExists
                guard isRace, attempt < Self.maximumAttempts else { throw error }
                found = try await self.objects.current(resource, namespace: namespace, name: name)
            }
        }
    }

    /// An object with what it lacks; nil when it lacks nothing or is to be left alone.
    static func merged(_ current: APIObject, _ wanted: APIObject) -> APIObject? {
        if current.metadata.annotations[Self.autoupdateAnnotation] == "false" { return nil }
        var merged = current
        for (key, value) in wanted.metadata.labels where current.metadata.labels[key] == nil {
            merged.metadata.labels[key] = value
        }
        for (key, value) in wanted.metadata.annotations
        where current.metadata.annotations[key] == nil {
            merged.metadata.annotations[key] = value
        }
        if let wanted: RbacV1.ClusterRole = wanted.message() {
            merged.change(RbacV1.ClusterRole.self) { role in
                Self.merge(wanted.rules, into: &role.rules)
                if let rule = wanted.aggregationRule {
                    for selector in rule.clusterRoleSelectors
                    where role.aggregationRule?.clusterRoleSelectors.contains(selector) != true {
                        var aggregation = role.aggregationRule ?? RbacV1.AggregationRule()
                        aggregation.clusterRoleSelectors.append(selector)
                        role.aggregationRule = aggregation
                    }
                }
            }
        } else if let wanted: RbacV1.Role = wanted.message() {
            merged.change(RbacV1.Role.self) { Self.merge(wanted.rules, into: &$0.rules) }
        } else if let wanted: RbacV1.ClusterRoleBinding = wanted.message() {
            merged.change(RbacV1.ClusterRoleBinding.self) {
                Self.merge(wanted.subjects, into: &$0.subjects)
            }
        } else if let wanted: RbacV1.RoleBinding = wanted.message() {
            merged.change(RbacV1.RoleBinding.self) {
                Self.merge(wanted.subjects, into: &$0.subjects)
            }
        }
        return merged == current ? nil : merged
    }

    private static func merge(
        _ wanted: RepeatedField<RbacV1.PolicyRule>,
        into rules: inout RepeatedField<RbacV1.PolicyRule>
    ) {
        let missing = PolicyRule.uncovered(
            wanted.map { PolicyRule($0) },
            by: rules.map { PolicyRule($0) }
        )
        rules.append(contentsOf: PolicyRule.compacted(missing).map(\.message))
    }

    private static func merge(
        _ wanted: RepeatedField<RbacV1.Subject>,
        into subjects: inout RepeatedField<RbacV1.Subject>
    ) {
        let missing = wanted.filter { !subjects.contains($0) }
        subjects.append(contentsOf: missing)
    }
}

// MARK: - Objects

extension BootstrapReconciler {
    private func metadata(
        _ name: String,
        namespace: String = "",
        labels: [String: String] = [:]
    ) -> MetaV1.ObjectMeta {
        .with {
            $0.name = name
            $0.namespace = namespace
            $0.labels[Self.bootstrappingLabel] = "rbac-defaults"
            for (key, value) in labels { $0.labels[key] = value }
            $0.annotations[Self.autoupdateAnnotation] = "true"
        }
    }

    private func clusterRole(_ role: BootstrapPolicy.Role) -> RbacV1.ClusterRole {
        .with {
            $0.metadata = self.metadata(role.name, labels: role.labels)
            $0.rules.append(contentsOf: role.rules.map(\.message))
            guard !role.aggregated.isEmpty else { return }
            $0.aggregationRule = .with { rule in
                for labels in role.aggregated {
                    rule.clusterRoleSelectors.append(
                        .with { $0.matchLabels = MapField(labels) }
                    )
                }
            }
        }
    }

    private func role(_ role: BootstrapPolicy.Role, _ namespace: String) -> RbacV1.Role {
        .with {
            $0.metadata = self.metadata(role.name, namespace: namespace, labels: role.labels)
            $0.rules.append(contentsOf: role.rules.map(\.message))
        }
    }

    private func clusterRoleBinding(
        _ binding: BootstrapPolicy.Binding
    ) -> RbacV1.ClusterRoleBinding {
        .with {
            $0.metadata = self.metadata(binding.name)
            $0.subjects.append(contentsOf: binding.subjects.map(Self.subject))
            $0.roleRef = Self.reference(binding)
        }
    }

    private func roleBinding(
        _ binding: BootstrapPolicy.Binding,
        _ namespace: String
    ) -> RbacV1.RoleBinding {
        .with {
            $0.metadata = self.metadata(binding.name, namespace: namespace)
            $0.subjects.append(contentsOf: binding.subjects.map(Self.subject))
            $0.roleRef = Self.reference(binding)
        }
    }

    private static func subject(_ subject: BootstrapPolicy.Subject) -> RbacV1.Subject {
        .with {
            $0.kind = subject.kind
            $0.apiGroup = subject.kind == "ServiceAccount" ? "" : RoleIndex.group
            $0.name = subject.name
            $0.namespace = subject.namespace
        }
    }

    private static func reference(_ binding: BootstrapPolicy.Binding) -> RbacV1.RoleRef {
        .with {
            $0.apiGroup = RoleIndex.group
            $0.kind = binding.roleKind
            $0.name = binding.roleName
        }
    }
}
