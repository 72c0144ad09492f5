// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Authorization
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Testing

@Suite("BootstrapPolicy")
struct BootstrapPolicyTests {
    static let roles = GroupResource(
        group: "rbac.authorization.k8s.io",
        resource: "clusterroles"
    )

    @Test("has every role and binding of a new cluster")
    func counts() {
        let policy = BootstrapPolicy.builtin
        // Three roles and their bindings are ours.
        #expect(policy.clusterRoles.count == 31 + 38 + 3)
        #expect(policy.roles.count == 7)
        #expect(policy.bindings.count == 12 + 38 + 7 + 3)
    }

    @Test(
        "refuses lines that say nothing",
        arguments: [
            "clusterrole", "role a", "nonsense b", "clusterrole a\n  label b",
            "clusterrole a\n  allow get -", "clusterrolebinding a b", "rolebinding a Role:b",
            "clusterrolebinding a Role:b robot:c", "clusterrolebinding a Role:b account:c",
        ]
    )
    func malformed(_ text: String) {
        #expect(throws: BootstrapPolicy.Malformed.self) { try BootstrapPolicy(parsing: text) }
    }

    @Test("makes a cluster whose parts may do their work")
    func start() async throws {
        let objects = MemoryObjects()
        let reconciler = BootstrapReconciler(objects)
        try await reconciler.run()
        #expect(objects.list(Self.roles, namespace: nil).count == 72)
        let generation = objects.generation(of: Self.roles)
        try await reconciler.run()
        #expect(objects.generation(of: Self.roles) == generation)

        let authorizer = RBACAuthorizer(objects)
        func may(_ user: UserInfo, _ verb: String, _ resource: String) -> Bool {
            authorizer.decide(
                AuthorizationAttributes(user: user, verb: verb, group: "", resource: resource)
            ).isAllowed
        }
        #expect(may(UserInfo(name: "system:kube-scheduler"), "list", "nodes"))
        #expect(!may(UserInfo(name: "system:kube-scheduler"), "list", "secrets"))
        #expect(may(UserInfo(name: "system:kube-controller-manager"), "list", "secrets"))
        #expect(
            may(
                .serviceAccount(namespace: "kube-system", name: "job-controller"),
                "create",
                "pods"
            )
        )
        #expect(!may(UserInfo(name: "system:node:a", groups: ["system:nodes"]), "list", "pods"))
    }

    @Test("gives back what was taken, keeps what was added, leaves what is to be left")
    func repair() async throws {
        let objects = MemoryObjects()
        let reconciler = BootstrapReconciler(objects)
        try await reconciler.run()
        func change(
            _ name: String,
            _ body: (inout RbacV1.ClusterRole) -> Void
        ) throws {
            let object = objects.get(Self.roles, namespace: "", name: name)
            var role = try #require(object?.message(as: RbacV1.ClusterRole.self))
            body(&role)
            objects.put(Self.roles, role)
        }
        try change("system:kube-scheduler") { role in
            role.rules = []
            role.rules.append(
                .with {
                    $0.apiGroups = ["example.com"]
                    $0.resources = ["things"]
                    $0.verbs = ["get"]
                }
            )
        }
        try change("system:kube-dns") { role in
            role.rules = []
            role.metadata.annotations["rbac.authorization.kubernetes.io/autoupdate"] = "false"
        }
        try await reconciler.run()
        let scheduler = objects.get(Self.roles, namespace: "", name: "system:kube-scheduler")?
            .message(as: RbacV1.ClusterRole.self)
        #expect(scheduler?.rules.first?.apiGroups == ["example.com"])
        #expect(
            RBACAuthorizer(objects).decide(
                AuthorizationAttributes(
                    user: UserInfo(name: "system:kube-scheduler"),
                    verb: "list",
                    group: "",
                    resource: "nodes"
                )
            ).isAllowed
        )
        let dns = objects.get(Self.roles, namespace: "", name: "system:kube-dns")?
            .message(as: RbacV1.ClusterRole.self)
        #expect(dns?.rules.isEmpty == true)
    }
}
