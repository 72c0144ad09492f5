// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import KubernetesAPI
import ObjectModel
import Protobuf
import Testing

@Suite("NodeRestriction")
struct NodeRestrictionTests {
    static let kubelet = UserInfo(name: "system:node:n1", groups: ["system:nodes"])

    private func refusal<M: Message>(
        _ operation: AdmissionAttributes.Operation,
        _ resource: String,
        group: String = "",
        subresource: String = "",
        _ object: M,
        old: M? = nil,
        _ objects: MemoryObjects = MemoryObjects()
    ) async -> String? {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                operation,
                resource,
                group: group,
                subresource: subresource,
                object,
                old: old,
                user: Self.kubelet
            ),
            NodeRestriction(objects)
        )
        return refusal?.message
    }

    static func mirror(_ change: (inout CoreV1.Pod) -> Void = { _ in }) -> CoreV1.Pod {
        AdmissionCase.pod {
            $0.metadata.annotations["kubernetes.io/config.mirror"] = "x"
            $0.metadata.ownerReferences.append(
                .with {
                    $0.apiVersion = "v1"
                    $0.kind = "Node"
                    $0.name = "n1"
                }
            )
            $0.spec.nodeName = "n1"
            change(&$0)
        }
    }

    @Test("kubelets create their mirror pods alone")
    func mirrors() async {
        #expect(await self.refusal(.create, "pods", Self.mirror()) == nil)
        let cases: [(CoreV1.Pod, String)] = [
            (
                AdmissionCase.pod(),
                "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"n1\" can "
                    + "only create mirror pods"
            ),
            (
                Self.mirror { $0.spec.nodeName = "n2" },
                "node \"n1\" can only create pods with spec.nodeName set to itself"
            ),
            (
                Self.mirror { $0.metadata.ownerReferences = [] },
                "node \"n1\" can only create pods with an owner reference set to itself"
            ),
            (
                Self.mirror { $0.spec.serviceAccountName = "default" },
                "node \"n1\" can not create pods that reference a service account"
            ),
            (
                Self.mirror { $0.spec.imagePullSecrets.append(.with { $0.name = "s" }) },
                "node \"n1\" can not create pods that reference secrets"
            ),
        ]
        for (pod, why) in cases {
            #expect(
                await self.refusal(.create, "pods", pod) == "pods \"p\" is forbidden: \(why)"
            )
        }
    }

    @Test("kubelets touch the pods of their node alone")
    func pods() async {
        let own = AdmissionCase.pod { $0.spec.nodeName = "n1" }
        let other = AdmissionCase.pod { $0.spec.nodeName = "n2" }
        #expect(await self.refusal(.delete, "pods", own) == nil)
        #expect(await self.refusal(.delete, "pods", other) != nil)
        #expect(await self.refusal(.update, "pods", subresource: "status", own, old: own) == nil)
        #expect(
            await self.refusal(.update, "pods", subresource: "status", other, old: other)
                == "pods \"p\" is forbidden: node \"n1\" can only update pod status for pods with "
                + "spec.nodeName set to itself"
        )
        #expect(
            await self.refusal(.create, "pods", subresource: "exec", own)
                == "pods \"p\" is forbidden: unexpected pod subresource \"exec\", only 'status' "
                + "and 'eviction' are allowed"
        )
    }

    static func node(_ change: (inout CoreV1.Node) -> Void = { _ in }) -> CoreV1.Node {
        CoreV1.Node.with {
            $0.metadata.name = "n1"
            change(&$0)
        }
    }

    @Test("kubelets change their own node, within limits")
    func nodes() async {
        let good = Self.node {
            $0.metadata.labels["kubernetes.io/hostname"] = "n1"
            $0.metadata.labels["example.com/disk"] = "ssd"
            $0.metadata.labels["node.kubernetes.io/x"] = "y"
        }
        #expect(await self.refusal(.create, "nodes", good) == nil)
        let cases: [(CoreV1.Node, String)] = [
            (
                Self.node { $0.metadata.labels["node-restriction.kubernetes.io/a"] = "b" },
                "is not allowed to modify labels: node-restriction.kubernetes.io/a"
            ),
            (
                Self.node { $0.metadata.labels["node-role.kubernetes.io/master"] = "" },
                "is not allowed to modify labels: node-role.kubernetes.io/master"
            ),
            (
                Self.node { $0.spec.taints.append(.with { $0.key = "a" }) },
                "node \"n1\" is not allowed to modify taints"
            ),
        ]
        for (node, why) in cases {
            #expect(
                await self.refusal(.update, "nodes", node, old: Self.node())
                    == "nodes \"n1\" is forbidden: \(why)"
            )
        }
        let other = Self.node { $0.metadata.name = "n2" }
        #expect(
            await self.refusal(.create, "nodes", other)
                == "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\""
        )
    }

    @Test("kubelets get tokens for the pods of their node alone")
    func tokens() async {
        let objects = MemoryObjects()
        objects.put(
            "pods",
            AdmissionCase.pod {
                $0.metadata.uid = "u"
                $0.metadata.namespace = ""
                $0.spec.nodeName = "n1"
            }
        )
        func request(_ name: String, _ uid: String) -> AuthenticationV1.TokenRequest {
            .with {
                $0.spec.boundObjectRef = .with {
                    $0.kind = "Pod"
                    $0.apiVersion = "v1"
                    $0.name = name
                    $0.uID = uid
                }
            }
        }
        func ask(_ request: AuthenticationV1.TokenRequest) async -> String? {
            await self.refusal(
                .create,
                "serviceaccounts",
                subresource: "token",
                request,
                objects
            )
        }
        #expect(await ask(request("p", "u")) == nil)
        #expect(
            await ask(.init())?.hasSuffix("node requested token not bound to a pod") == true
        )
        #expect(
            await ask(request("p", ""))?
                .hasSuffix("node requested token with a pod binding without a uid") == true
        )
        #expect(await ask(request("q", "u")) == "pods \"q\" not found")
    }

    @Test("others are not restricted")
    func others() async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(.create, "pods", AdmissionCase.pod()),
            NodeRestriction(MemoryObjects())
        )
        #expect(refusal == nil)
    }
}
