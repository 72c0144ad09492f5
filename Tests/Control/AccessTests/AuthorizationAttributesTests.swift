// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ObjectModel
import RequestInfo
import Testing

@Suite("AuthorizationAttributes")
struct AuthorizationAttributesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var method: String
        var target: String
        var message: String
        var testDescription: String { "\(self.method) \(self.target)" }
    }

    @Test(
        "says what is forbidden in upstream's words",
        arguments: [
            Case(
                method: "GET",
                target: "/api/v1/namespaces/y/pods",
                message: """
                    pods is forbidden: User "x" cannot list resource "pods" in API group "" in the \
                    namespace "y"
                    """
            ),
            Case(
                method: "GET",
                target: "/api/v1/namespaces/y/pods/p/log",
                message: """
                    pods "p" is forbidden: User "x" cannot get resource "pods/log" in API group "" \
                    in the namespace "y"
                    """
            ),
            Case(
                method: "DELETE",
                target: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
                message: """
                    clusterroles.rbac.authorization.k8s.io is forbidden: User "x" cannot \
                    deletecollection resource "clusterroles" in API group \
                    "rbac.authorization.k8s.io" at the cluster scope
                    """
            ),
            Case(
                method: "GET",
                target: "/metrics",
                message: "forbidden: User \"x\" cannot get path \"/metrics\""
            ),
        ]
    )
    func forbidden(_ item: Case) throws {
        let info = try RequestInfo(
            method: item.method,
            target: RequestTarget(parsing: item.target)
        )
        let error = AuthorizationAttributes(user: UserInfo(name: "x"), info).forbidden(reason: "")
        #expect(error.message == item.message)
        #expect(error.code == 403)
    }

    @Test("keeps a service account apart from who looks like one")
    func serviceAccounts() {
        let user = UserInfo.serviceAccount(namespace: "a", name: "b")
        #expect(user.serviceAccount?.namespace == "a")
        #expect(user.serviceAccount?.name == "b")
        for name in [
            "system:serviceaccount:a", "system:serviceaccount:a:b:c", "system:serviceaccount::b",
            "system:serviceaccount:a:", "a:b",
        ] {
            #expect(UserInfo(name: name).serviceAccount == nil)
        }
    }

    @Test("knows a node by name and group")
    func nodes() {
        #expect(UserInfo(name: "system:node:n", groups: ["system:nodes"]).nodeName == "n")
        #expect(UserInfo(name: "system:node:n").nodeName == nil)
        #expect(UserInfo(name: "n", groups: ["system:nodes"]).nodeName == nil)
    }
}
