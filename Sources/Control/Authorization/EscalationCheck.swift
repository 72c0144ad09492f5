// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf
public import ResourceTable

/// Nobody gives to others what they do not have: checks writes of roles and bindings.
///
/// It is part of the registry upstream and has no name among the admission plugins. Source:
/// kubernetes `pkg/registry/rbac/*/policybased/storage.go`, `pkg/registry/rbac/validation/rule.go`.
public struct EscalationCheck: AdmissionPlugin {
    public let name = "RBACEscalation"
    private let rbac: RBACAuthorizer
    private let authorizer: any Authorizer

    /// - Parameter authorizer: answers whether the user may `escalate` or `bind`.
    public init(_ rbac: RBACAuthorizer, authorizer: any Authorizer) {
        self.rbac = rbac
        self.authorizer = authorizer
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        subresource.isEmpty && RoleIndex.resources.contains(resource)
            && (operation == .create || operation == .update)
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard !attributes.user.isMaster, let object = attributes.object else { return }
        if let old = attributes.oldObject, Self.differOnlyInOwners(object, old) { return }
        if let role = object.message(as: RbacV1.ClusterRole.self) {
            let rules = role.rules.map { PolicyRule($0) }
            try await self.checkRole(rules, attributes)
            guard role.aggregationRule != nil else { return }
            let all = [
                PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]),
                PolicyRule(verbs: ["*"], paths: ["*"]),
            ]
            let owned = self.rbac.current.rules(of: attributes.user, in: "").rules
            guard !PolicyRule.uncovered(all, by: owned).isEmpty,
                await !self.may("escalate", attributes)
            else { return }
            throw attributes.forbidden(
                "must have cluster-admin privileges to use the aggregationRule"
            )
        } else if let role = object.message(as: RbacV1.Role.self) {
            try await self.checkRole(role.rules.map { PolicyRule($0) }, attributes)
        } else if let binding = object.message(as: RbacV1.ClusterRoleBinding.self) {
            try await self.checkBinding(binding.roleRef, attributes)
        } else if let binding = object.message(as: RbacV1.RoleBinding.self) {
            try await self.checkBinding(binding.roleRef, attributes)
        }
    }

    /// Whether an update changes nothing but what the garbage collector does.
    private static func differOnlyInOwners(_ new: APIObject, _ old: APIObject) -> Bool {
        var new = new
        new.metadata.ownerReferences = old.metadata.ownerReferences
        new.metadata.finalizers = old.metadata.finalizers
        new.metadata.managedFields = old.metadata.managedFields
        return new == old
    }

    private func may(_ verb: String, _ attributes: AdmissionAttributes) async -> Bool {
        let request = AuthorizationAttributes(
            user: attributes.user,
            verb: verb,
            group: attributes.resource.group,
            version: "v1",
            resource: attributes.resource.resource,
            namespace: attributes.namespace,
            name: attributes.name
        )
        return await self.authorizer.authorize(request).isAllowed
    }

    private func checkRole(
        _ rules: [PolicyRule],
        _ attributes: AdmissionAttributes
    ) async throws(StatusError) {
        guard let refusal = self.refusal(of: rules, attributes),
            await !self.may("escalate", attributes)
        else { return }
        throw attributes.forbidden(refusal)
    }

    private func checkBinding(
        _ reference: RbacV1.RoleRef,
        _ attributes: AdmissionAttributes
    ) async throws(StatusError) {
        let isCluster = reference.kind == "ClusterRole"
        let bind = AuthorizationAttributes(
            user: attributes.user,
            verb: "bind",
            group: RoleIndex.group,
            version: "v1",
            resource: isCluster ? "clusterroles" : "roles",
            namespace: attributes.namespace,
            name: reference.name
        )
        if await self.authorizer.authorize(bind).isAllowed { return }
        let rules = self.rbac.current.rules(
            kind: reference.kind,
            name: reference.name,
            namespace: attributes.namespace
        )
        guard let rules else {
            throw StatusError.notFound(
                GroupResource(
                    group: RoleIndex.group,
                    resource: reference.kind.lowercased()
                ),
                reference.name
            )
        }
        if let refusal = self.refusal(of: rules, attributes) {
            throw attributes.forbidden(refusal)
        }
    }

    /// What a user gives away without having it, in upstream's words; nil when there is nothing.
    private func refusal(
        of rules: [PolicyRule],
        _ attributes: AdmissionAttributes
    ) -> String? {
        let user = attributes.user
        let (owned, failures) = self.rbac.current.rules(of: user, in: attributes.namespace)
        let missing = PolicyRule.uncovered(rules, by: owned)
        if missing.isEmpty { return nil }
        let lines = Set(PolicyRule.compacted(missing).map(\.description)).sorted()
        let text =
            "user \(GoText.quoted(user.name)) (groups=\(PolicyRule.quoted(user.groups))) is "
            + "attempting to grant RBAC permissions not currently held:\n"
            + lines.joined(separator: "\n")
        return failures.isEmpty
            ? text : "\(text); resolution errors: [\(failures.joined(separator: " "))]"
    }
}
