// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `node.k8s.io`.
    static let node: [APIResource] = [
        APIResource(
            "runtimeclasses",
            of: NodeV1.RuntimeClass.self,
            list: NodeV1.RuntimeClassList.self,
            group: "node.k8s.io",
            version: "v1",
            singular: "runtimeclass",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                NodeV1.RuntimeClass.self,
                at: "/registry/runtimeclasses/",
                group: "node.k8s.io",
                version: "v1",
                hash: "WQTu1GL3T2Q="
            ),
            behaviour: [.createOnUpdate]
        )
    ]
}
