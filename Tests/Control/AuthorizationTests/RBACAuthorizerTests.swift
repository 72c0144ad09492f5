// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Authorization
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import RequestInfo
import ResourceTable
import Scalars
import Testing

@Suite("RBACAuthorizer")
struct RBACAuthorizerTests {
    static let group = "rbac.authorization.k8s.io"

    /// A cluster with a role for readers of pods and one for an operator of one deployment.
    static func cluster() -> MemoryObjects {
        let objects = MemoryObjects()
        objects.put(
            "clusterroles",
            group: Self.group,
            RbacV1.ClusterRole.with {
                $0.metadata.name = "reader"
                $0.rules.append(
                    .with {
                        $0.apiGroups = [""]
                        $0.resources = ["pods", "*/status", "services/proxy"]
                        $0.verbs = ["get", "list"]
                    }
                )
                $0.rules.append(
                    .with {
                        $0.nonResourceURLs = ["/metrics", "/logs/*"]
                        $0.verbs = ["get"]
                    }
                )
            }
        )
        objects.put(
            "roles",
            group: Self.group,
            RbacV1.Role.with {
                $0.metadata.name = "operator"
                $0.metadata.namespace = "shop"
                $0.rules.append(
                    .with {
                        $0.apiGroups = ["apps"]
                        $0.resources = ["deployments"]
                        $0.resourceNames = ["web"]
                        $0.verbs = ["*"]
                    }
                )
            }
        )
        objects.put(
            "clusterrolebindings",
            group: Self.group,
            RbacV1.ClusterRoleBinding.with {
                $0.metadata.name = "readers"
                $0.roleRef = Self.reference("ClusterRole", "reader")
                $0.subjects.append(Self.subject("Group", "team"))
            }
        )
        objects.put(
            "rolebindings",
            group: Self.group,
            RbacV1.RoleBinding.with {
                $0.metadata.name = "operators"
                $0.metadata.namespace = "shop"
                $0.roleRef = Self.reference("Role", "operator")
                $0.subjects.append(Self.subject("User", "ann"))
                $0.subjects.append(
                    .with {
                        $0.kind = "ServiceAccount"
                        $0.name = "deployer"
                        $0.namespace = "ci"
                    }
                )
            }
        )
        objects.put(
            "rolebindings",
            group: Self.group,
            RbacV1.RoleBinding.with {
                $0.metadata.name = "broken"
                $0.metadata.namespace = "shop"
                $0.roleRef = Self.reference("ClusterRole", "gone")
                $0.subjects.append(Self.subject("User", "bob"))
            }
        )
        return objects
    }

    static func reference(_ kind: String, _ name: String) -> RbacV1.RoleRef {
        .with {
            $0.apiGroup = Self.group
            $0.kind = kind
            $0.name = name
        }
    }

    static func subject(_ kind: String, _ name: String) -> RbacV1.Subject {
        .with {
            $0.kind = kind
            $0.apiGroup = Self.group
            $0.name = name
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var user: UserInfo
        var method: String
        var target: String
        var reason: String
        var isAllowed: Bool
        var testDescription: String { "\(self.user.name) \(self.method) \(self.target)" }
    }

    static let ann = UserInfo(name: "ann")
    static let member = UserInfo(name: "max", groups: ["team"])
    static let deployer = UserInfo.serviceAccount(namespace: "ci", name: "deployer")
    static let reads =
        "RBAC: allowed by ClusterRoleBinding \"readers\" of ClusterRole \"reader\" "
        + "to Group \"team\""

    @Test(
        "allows what is bound",
        arguments: [
            Case(
                user: Self.member,
                method: "GET",
                target: "/api/v1/pods",
                reason: Self.reads,
                isAllowed: true
            ),
            Case(
                user: Self.member,
                method: "GET",
                target: "/api/v1/namespaces/a/pods/p/status",
                reason: Self.reads,
                isAllowed: true
            ),
            Case(
                user: Self.member,
                method: "GET",
                target: "/api/v1/namespaces/a/services/s/proxy",
                reason: Self.reads,
                isAllowed: true
            ),
            Case(
                user: Self.member,
                method: "GET",
                target: "/api/v1/namespaces/a/pods/p/log",
                reason: "",
                isAllowed: false
            ),
            Case(
                user: Self.member,
                method: "GET",
                target: "/api/v1/watch/pods",
                reason: "",
                isAllowed: false
            ),
            Case(
                user: Self.member,
                method: "DELETE",
                target: "/api/v1/namespaces/a/pods/p",
                reason: "",
                isAllowed: false
            ),
            Case(
                user: Self.member,
                method: "GET",
                target: "/logs/a/b",
                reason: Self.reads,
                isAllowed: true
            ),
            Case(
                user: Self.member,
                method: "GET",
                target: "/log",
                reason: "",
                isAllowed: false
            ),
            Case(
                user: Self.ann,
                method: "PATCH",
                target: "/apis/apps/v1/namespaces/shop/deployments/web",
                reason: """
                    RBAC: allowed by RoleBinding "operators/shop" of Role "operator" to User "ann"
                    """,
                isAllowed: true
            ),
            Case(
                user: Self.deployer,
                method: "DELETE",
                target: "/apis/apps/v1/namespaces/shop/deployments/web",
                reason: """
                    RBAC: allowed by RoleBinding "operators/shop" of Role "operator" to \
                    ServiceAccount "deployer/ci"
                    """,
                isAllowed: true
            ),
            Case(
                user: Self.ann,
                method: "PATCH",
                target: "/apis/apps/v1/namespaces/shop/deployments/api",
                reason: "",
                isAllowed: false
            ),
            Case(
                user: Self.ann,
                method: "PATCH",
                target: "/apis/apps/v1/namespaces/other/deployments/web",
                reason: "",
                isAllowed: false
            ),
            Case(
                user: Self.ann,
                method: "GET",
                target:
                    "/apis/apps/v1/namespaces/shop/deployments?fieldSelector=metadata.name%3Dweb",
                reason: """
                    RBAC: allowed by RoleBinding "operators/shop" of Role "operator" to User "ann"
                    """,
                isAllowed: true
            ),
            Case(
                user: UserInfo(name: "bob"),
                method: "GET",
                target: "/api/v1/namespaces/shop/pods",
                reason: """
                    RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found
                    """,
                isAllowed: false
            ),
        ]
    )
    func decisions(_ item: Case) async throws {
        let authorizer = RBACAuthorizer(Self.cluster())
        let info = try RequestInfo(
            method: item.method,
            target: RequestTarget(parsing: item.target)
        )
        let decision = await authorizer.authorize(
            AuthorizationAttributes(user: item.user, info)
        )
        #expect(decision.isAllowed == item.isAllowed)
        #expect(decision.reason == item.reason)
    }

    @Test("sees a changed binding at once")
    func changes() {
        let objects = Self.cluster()
        let authorizer = RBACAuthorizer(objects)
        let request = AuthorizationAttributes(
            user: Self.member,
            verb: "get",
            group: "",
            resource: "pods"
        )
        #expect(authorizer.decide(request).isAllowed)
        objects.remove(
            GroupResource(group: Self.group, resource: "clusterrolebindings"),
            namespace: "",
            name: "readers"
        )
        #expect(!authorizer.decide(request).isAllowed)
    }
}

@Suite("EscalationCheck")
struct EscalationCheckTests {
    static func attributes(
        _ resource: String,
        _ object: APIObject,
        user: UserInfo
    ) -> AdmissionAttributes {
        AdmissionAttributes(
            .create,
            GroupResource(group: RBACAuthorizerTests.group, resource: resource),
            kind: GroupVersionKind(
                group: RBACAuthorizerTests.group,
                version: "v1",
                kind: object.typeMeta.kind
            ),
            namespace: object.metadata.namespace,
            name: object.metadata.name,
            object: object,
            user: user,
            now: .zero
        )
    }

    static func role(_ verbs: String...) -> APIObject {
        APIObject(
            RbacV1.ClusterRole.with {
                $0.metadata.name = "mine"
                $0.rules.append(
                    .with {
                        $0.apiGroups = [""]
                        $0.resources = ["pods", "secrets"]
                        $0.verbs.append(contentsOf: verbs)
                    }
                )
            }
        )
    }

    private func refusal(_ attributes: AdmissionAttributes) async -> String? {
        let rbac = RBACAuthorizer(RBACAuthorizerTests.cluster())
        let check = EscalationCheck(rbac, authorizer: rbac)
        var attributes = attributes
        do throws(StatusError) {
            try await check.validate(&attributes)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("nobody gives what they do not have")
    func roles() async {
        let refusal = await self.refusal(
            Self.attributes(
                "clusterroles",
                Self.role("get", "delete"),
                user: RBACAuthorizerTests.member
            )
        )
        #expect(
            refusal == """
                clusterroles.rbac.authorization.k8s.io "mine" is forbidden: user "max" \
                (groups=["team"]) is attempting to grant RBAC permissions not currently held:
                {APIGroups:[""], Resources:["pods"], Verbs:["delete"]}
                {APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}
                """
        )
    }

    @Test("masters give everything")
    func masters() async {
        let user = UserInfo(name: "root", groups: ["system:masters"])
        #expect(
            await self.refusal(Self.attributes("clusterroles", Self.role("*"), user: user)) == nil
        )
    }

    @Test("a binding gives the rules of its role")
    func bindings() async {
        func binding(_ role: String) -> APIObject {
            APIObject(
                RbacV1.RoleBinding.with {
                    $0.metadata.name = "b"
                    $0.metadata.namespace = "shop"
                    $0.roleRef = RBACAuthorizerTests.reference("ClusterRole", role)
                }
            )
        }
        #expect(
            await self.refusal(
                Self.attributes(
                    "rolebindings",
                    binding("reader"),
                    user: RBACAuthorizerTests.member
                )
            ) == nil
        )
        let refusal = await self.refusal(
            Self.attributes("rolebindings", binding("reader"), user: RBACAuthorizerTests.ann)
        )
        #expect(
            refusal?.hasPrefix("rolebindings.rbac.authorization.k8s.io \"b\" is forbidden") == true
        )
        #expect(
            await self.refusal(
                Self.attributes("rolebindings", binding("gone"), user: RBACAuthorizerTests.ann)
            ) == "clusterrole.rbac.authorization.k8s.io \"gone\" not found"
        )
    }
}
