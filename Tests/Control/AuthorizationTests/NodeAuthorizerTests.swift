// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Authorization
import KubernetesAPI
import Protobuf
import RequestInfo
import Testing

@Suite("NodeAuthorizer")
struct NodeAuthorizerTests {
    static let node = UserInfo(name: "system:node:n1", groups: ["system:nodes"])

    /// A pod on each of two nodes; that of n1 refers to everything.
    static func cluster() -> MemoryObjects {
        let objects = MemoryObjects()
        objects.put(
            "pods",
            CoreV1.Pod.with {
                $0.metadata.name = "p"
                $0.metadata.namespace = "a"
                $0.spec.nodeName = "n1"
                $0.spec.serviceAccountName = "builder"
                $0.spec.imagePullSecrets.append(.with { $0.name = "pull" })
                $0.spec.volumes.append(
                    .with {
                        $0.name = "v"
                        $0.volumeSource.persistentVolumeClaim = .with { $0.claimName = "claim" }
                    }
                )
                $0.spec.volumes.append(
                    .with {
                        $0.name = "e"
                        $0.volumeSource.ephemeral = CoreV1.EphemeralVolumeSource()
                    }
                )
                $0.spec.containers.append(
                    .with {
                        $0.envFrom.append(
                            .with {
                                $0.configMapRef = .with { $0.localObjectReference.name = "map" }
                            }
                        )
                        $0.env.append(
                            .with {
                                $0.valueFrom = .with {
                                    $0.secretKeyRef = .with { $0.localObjectReference.name = "key" }
                                }
                            }
                        )
                    }
                )
            }
        )
        objects.put(
            "pods",
            CoreV1.Pod.with {
                $0.metadata.name = "q"
                $0.metadata.namespace = "a"
                $0.spec.nodeName = "n2"
                $0.spec.imagePullSecrets.append(.with { $0.name = "other" })
            }
        )
        objects.put(
            "pods",
            CoreV1.Pod.with {
                $0.metadata.name = "mirror"
                $0.metadata.namespace = "a"
                $0.metadata.annotations["kubernetes.io/config.mirror"] = "x"
                $0.spec.nodeName = "n1"
                $0.spec.imagePullSecrets.append(.with { $0.name = "stolen" })
            }
        )
        objects.put(
            "persistentvolumeclaims",
            CoreV1.PersistentVolumeClaim.with {
                $0.metadata.name = "claim"
                $0.metadata.namespace = "a"
                $0.spec.volumeName = "disk"
            }
        )
        objects.put(
            "persistentvolumes",
            CoreV1.PersistentVolume.with {
                $0.metadata.name = "disk"
                $0.spec.claimRef = .with {
                    $0.name = "claim"
                    $0.namespace = "a"
                }
                $0.spec.persistentVolumeSource.csi = .with {
                    $0.nodeStageSecretRef = .with {
                        $0.name = "stage"
                        $0.namespace = "storage"
                    }
                }
            }
        )
        return objects
    }

    static let none = "no relationship found between node 'n1' and this object"

    @Test(
        "allows what the node's pods lead to",
        arguments: [
            ("GET", "/api/v1/namespaces/a/secrets/pull", nil),
            ("GET", "/api/v1/namespaces/a/secrets/key", nil),
            ("GET", "/api/v1/namespaces/storage/secrets/stage", nil),
            ("GET", "/api/v1/namespaces/a/secrets/other", Self.none),
            ("GET", "/api/v1/namespaces/a/secrets/stolen", Self.none),
            ("GET", "/api/v1/namespaces/b/secrets/pull", Self.none),
            (
                "GET", "/api/v1/namespaces/a/secrets?watch=1&fieldSelector=metadata.name%3Dpull",
                nil
            ),
            ("GET", "/api/v1/namespaces/a/secrets", "No Object name found"),
            ("PUT", "/api/v1/namespaces/a/secrets/pull", "can only read resources of this type"),
            ("GET", "/api/v1/namespaces/a/configmaps/map", nil),
            ("GET", "/api/v1/namespaces/a/configmaps/key", Self.none),
            ("GET", "/api/v1/namespaces/a/persistentvolumeclaims/claim", nil),
            ("GET", "/api/v1/namespaces/a/persistentvolumeclaims/p-e", nil),
            ("GET", "/api/v1/namespaces/a/persistentvolumeclaims/none", Self.none),
            ("PATCH", "/api/v1/namespaces/a/persistentvolumeclaims/claim/status", nil),
            (
                "GET", "/api/v1/namespaces/a/persistentvolumeclaims",
                "can only get individual resources of this type"
            ),
            ("GET", "/api/v1/persistentvolumes/disk", nil),
            ("GET", "/api/v1/persistentvolumes/none", Self.none),
            ("POST", "/api/v1/namespaces/a/serviceaccounts/builder/token", nil),
            ("POST", "/api/v1/namespaces/a/serviceaccounts/default/token", Self.none),
            (
                "POST", "/api/v1/namespaces/a/serviceaccounts",
                "can only create tokens for individual service accounts"
            ),
            ("GET", "/api/v1/namespaces/a/pods/p", nil),
            ("GET", "/api/v1/namespaces/a/pods/q", Self.none),
            ("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1", nil),
            (
                "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn2",
                "can only list/watch pods with spec.nodeName field selector"
            ),
            ("PATCH", "/api/v1/namespaces/a/pods/p/status", nil),
            ("GET", "/api/v1/nodes/n1", nil),
            (
                "GET", "/api/v1/nodes/n2",
                "node 'n1' cannot read 'n2', only its own Node object"
            ),
            (
                "GET", "/api/v1/nodes",
                "node 'n1' cannot read all nodes, only its own Node object"
            ),
            ("GET", "/api/v1/services", nil),
            ("POST", "/api/v1/namespaces/a/events", nil),
            ("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1", nil),
            (
                "PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2",
                "can only access node lease with the same name as the requesting node"
            ),
            (
                "PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/n1",
                "can only access leases in the \"kube-node-lease\" system namespace"
            ),
            (
                "GET", "/apis/storage.k8s.io/v1/csinodes/n2",
                "can only access CSINode with the same name as the requesting node"
            ),
            ("GET", "/api/v1/namespaces/a/endpoints", ""),
            ("DELETE", "/api/v1/nodes/n1", ""),
        ] as [(String, String, String?)]
    )
    func decisions(_ method: String, _ target: String, _ refusal: String?) async throws {
        let info = try RequestInfo(method: method, target: RequestTarget(parsing: target))
        let decision = await NodeAuthorizer(Self.cluster()).authorize(
            AuthorizationAttributes(user: Self.node, info)
        )
        #expect(decision.isAllowed == (refusal == nil))
        if let refusal { #expect(decision.reason == refusal) }
    }

    @Test("has no opinion of others")
    func others() async {
        let decision = await NodeAuthorizer(Self.cluster()).authorize(
            AuthorizationAttributes(
                user: UserInfo(name: "system:node:n1"),
                verb: "get",
                group: "",
                resource: "services"
            )
        )
        #expect(decision == .noOpinion(reason: ""))
    }
}
