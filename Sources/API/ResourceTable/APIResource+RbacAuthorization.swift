// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `rbac.authorization.k8s.io`.
    static let rbacAuthorization: [APIResource] = [
        APIResource(
            "clusterrolebindings",
            of: RbacV1.ClusterRoleBinding.self,
            list: RbacV1.ClusterRoleBindingList.self,
            group: "rbac.authorization.k8s.io",
            version: "v1",
            singular: "clusterrolebinding",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                RbacV1.ClusterRoleBinding.self,
                at: "/registry/clusterrolebindings/",
                group: "rbac.authorization.k8s.io",
                version: "v1",
                hash: "48tpQ8gZHFc="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        ),
        APIResource(
            "clusterroles",
            of: RbacV1.ClusterRole.self,
            list: RbacV1.ClusterRoleList.self,
            group: "rbac.authorization.k8s.io",
            version: "v1",
            singular: "clusterrole",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                RbacV1.ClusterRole.self,
                at: "/registry/clusterroles/",
                group: "rbac.authorization.k8s.io",
                version: "v1",
                hash: "bYE5ZWDrJ44="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        ),
        APIResource(
            "rolebindings",
            of: RbacV1.RoleBinding.self,
            list: RbacV1.RoleBindingList.self,
            group: "rbac.authorization.k8s.io",
            version: "v1",
            singular: "rolebinding",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                RbacV1.RoleBinding.self,
                at: "/registry/rolebindings/",
                group: "rbac.authorization.k8s.io",
                version: "v1",
                hash: "eGsCzGH6b1g="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        ),
        APIResource(
            "roles",
            of: RbacV1.Role.self,
            list: RbacV1.RoleList.self,
            group: "rbac.authorization.k8s.io",
            version: "v1",
            singular: "role",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                RbacV1.Role.self,
                at: "/registry/roles/",
                group: "rbac.authorization.k8s.io",
                version: "v1",
                hash: "7FuwZcIIItM="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        ),
    ]
}
