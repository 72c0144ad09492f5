// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
import ResourceTable
import Selectors

/// What kubelets may do: read what the pods on their node refer to, and write what is theirs.
///
/// Relations are followed from the node's pods (found in the index by node) when they are asked
/// for, so that nothing is kept up with every change of a pod. Source: kubernetes
/// `plugin/pkg/auth/authorizer/node/node_authorizer.go`.
public struct NodeAuthorizer: Authorizer {
    let objects: any ObjectReader
    private let rules: [PolicyRule]

    static let leaseNamespace = "kube-node-lease"

    public init(_ objects: any ObjectReader) {
        self.objects = objects
        self.rules =
            BootstrapPolicy.builtin.clusterRoles.first { $0.name == "system:node" }?.rules
            ?? []
    }

    public func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision {
        self.decide(attributes)
    }

    /// The decision, without suspending.
    package func decide(_ attributes: AuthorizationAttributes) -> AuthorizationDecision {
        guard let node = attributes.user.nodeName else { return .noOpinion(reason: "") }
        if node.isEmpty {
            return .noOpinion(reason: "unknown node for user \"\(attributes.user.name)\"")
        }
        guard attributes.isResourceRequest else { return self.fixed(attributes) }
        switch (attributes.group, attributes.resource) {
        case ("", "secrets"), ("", "configmaps"):
            return self.readReferred(attributes, node)
        case ("", "persistentvolumeclaims") where attributes.subresource == "status":
            return self.updateStatus(attributes, node)
        case ("", "persistentvolumeclaims"), ("", "persistentvolumes"),
            ("resource.k8s.io", "resourceclaims"), ("storage.k8s.io", "volumeattachments"):
            return self.get(attributes, node)
        case ("", "serviceaccounts"): return self.serviceAccount(attributes, node)
        case ("coordination.k8s.io", "leases"): return self.lease(attributes, node)
        case ("storage.k8s.io", "csinodes"): return self.csiNode(attributes, node)
        case ("resource.k8s.io", "resourceslices"): return self.resourceSlice(attributes, node)
        case ("", "nodes"): return self.node(attributes, node)
        case ("", "pods"): return self.pod(attributes, node)
        default: return self.fixed(attributes)
        }
    }

    public func rules(of user: UserInfo, in namespace: String) async -> AuthorizationRules? {
        guard user.isNode else { return nil }
        var rules = AuthorizationRules()
        rules.errors = ["node authorizer does not support user rule resolution"]
        return rules
    }

    /// What the role `system:node` gives to every node.
    private func fixed(_ attributes: AuthorizationAttributes) -> AuthorizationDecision {
        self.rules.contains { $0.allows(attributes) } ? .allow(reason: "") : .noOpinion(reason: "")
    }

    private func refuse(_ reason: String) -> AuthorizationDecision { .noOpinion(reason: reason) }

    /// Allows what a pod of the node leads to.
    private func related(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        if attributes.name.isEmpty { return self.refuse("No Object name found") }
        return self.isRelated(attributes, node)
            ? .allow(reason: "")
            : self.refuse("no relationship found between node '\(node)' and this object")
    }

    private func readReferred(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        if !attributes.isReadOnly { return self.refuse("can only read resources of this type") }
        if !attributes.subresource.isEmpty { return self.refuse("cannot read subresource") }
        if attributes.namespace.isEmpty {
            return self.refuse("can only read namespaced object of this type")
        }
        return self.related(attributes, node)
    }

    private func get(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        if attributes.verb != "get" {
            return self.refuse("can only get individual resources of this type")
        }
        if !attributes.subresource.isEmpty { return self.refuse("cannot get subresource") }
        return self.related(attributes, node)
    }

    private func updateStatus(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        switch attributes.verb {
        case "update", "patch": return self.related(attributes, node)
        default: return self.refuse("can only get/update/patch this type")
        }
    }

    private func serviceAccount(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        if attributes.subresource.isEmpty, attributes.verb == "get" {
            return self.related(attributes, node)
        }
        if attributes.verb != "create" || attributes.name.isEmpty {
            return self.refuse("can only create tokens for individual service accounts")
        }
        if attributes.subresource != "token" {
            return self.refuse("can only create token subresource of serviceaccount")
        }
        return self.related(attributes, node)
    }

    private func lease(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        guard ["get", "create", "update", "patch", "delete"].contains(attributes.verb) else {
            return self.refuse("can only get, create, update, patch, or delete a node lease")
        }
        if attributes.namespace != Self.leaseNamespace {
            return self.refuse(
                "can only access leases in the \"\(Self.leaseNamespace)\" system namespace"
            )
        }
        if attributes.verb != "create", attributes.name != node {
            return self.refuse(
                "can only access node lease with the same name as the requesting node"
            )
        }
        return .allow(reason: "")
    }

    private func csiNode(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        guard ["get", "create", "update", "patch", "delete"].contains(attributes.verb) else {
            return self.refuse("can only get, create, update, patch, or delete a CSINode")
        }
        if !attributes.subresource.isEmpty {
            return self.refuse("cannot authorize CSINode subresources")
        }
        if attributes.verb != "create", attributes.name != node {
            return self.refuse("can only access CSINode with the same name as the requesting node")
        }
        return .allow(reason: "")
    }

    private func resourceSlice(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        if !attributes.subresource.isEmpty {
            return self.refuse("cannot authorize ResourceSlice subresources")
        }
        switch attributes.verb {
        case "create": return .allow(reason: "")
        case "get", "update", "patch", "delete":
            return self.isRelated(attributes, node)
                ? .allow(reason: "")
                : self.refuse("no relationship found between node '\(node)' and this object")
        case "watch", "list", "deletecollection":
            return self.selects(attributes, "spec.nodeName", node)
                ? .allow(reason: "")
                : self.refuse(
                    "can only list/watch/deletecollection resourceslices with nodeName field "
                        + "selector"
                )
        default:
            return self.refuse(
                "only the following verbs are allowed for a ResourceSlice: get, watch, list, "
                    + "create, update, patch, delete, deletecollection"
            )
        }
    }

    private func node(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        switch (attributes.subresource, attributes.verb) {
        // Whether it is the own one is for the NodeRestriction admission plugin, which sees it.
        case ("", "create"), ("", "update"), ("", "patch"), ("status", "update"),
            ("status", "patch"):
            return .allow(reason: "")
        case ("", "get"), ("", "list"), ("", "watch"):
            if attributes.name == node { return .allow(reason: "") }
            return self.refuse(
                attributes.name.isEmpty
                    ? "node '\(node)' cannot read all nodes, only its own Node object"
                    : "node '\(node)' cannot read '\(attributes.name)', only its own Node object"
            )
        default: return self.fixed(attributes)
        }
    }

    private func pod(
        _ attributes: AuthorizationAttributes,
        _ node: String
    ) -> AuthorizationDecision {
        switch (attributes.subresource, attributes.verb) {
        case ("", "get"): return self.related(attributes, node)
        case ("", "list"), ("", "watch"):
            if !attributes.name.isEmpty { return self.related(attributes, node) }
            return self.selects(attributes, "spec.nodeName", node)
                ? .allow(reason: "")
                : self.refuse("can only list/watch pods with spec.nodeName field selector")
        // Which pods is for the NodeRestriction admission plugin.
        case ("", "create"), ("", "delete"), ("status", "update"), ("status", "patch"),
            ("eviction", "create"):
            return .allow(reason: "")
        default: return self.refuse("")
        }
    }

    private func selects(
        _ attributes: AuthorizationAttributes,
        _ field: String,
        _ value: String
    ) -> Bool {
        let selector = try? FieldSelector(parsing: attributes.fieldSelector)
        return selector?.requiredValue(of: field) == value
    }
}
