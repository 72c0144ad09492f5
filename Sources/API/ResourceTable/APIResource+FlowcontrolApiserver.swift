// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `flowcontrol.apiserver.k8s.io`.
    static let flowcontrolApiserver: [APIResource] = [
        APIResource(
            "flowschemas",
            of: FlowcontrolV1.FlowSchema.self,
            list: FlowcontrolV1.FlowSchemaList.self,
            group: "flowcontrol.apiserver.k8s.io",
            version: "v1",
            singular: "flowschema",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                FlowcontrolV1.FlowSchema.self,
                at: "/registry/flowschemas/",
                group: "flowcontrol.apiserver.k8s.io",
                version: "v1",
                hash: "GJVAJZSZBIw="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: FlowcontrolV1.FlowSchema.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "prioritylevelconfigurations",
            of: FlowcontrolV1.PriorityLevelConfiguration.self,
            list: FlowcontrolV1.PriorityLevelConfigurationList.self,
            group: "flowcontrol.apiserver.k8s.io",
            version: "v1",
            singular: "prioritylevelconfiguration",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                FlowcontrolV1.PriorityLevelConfiguration.self,
                at: "/registry/prioritylevelconfigurations/",
                group: "flowcontrol.apiserver.k8s.io",
                version: "v1",
                hash: "Kir5PVfvNeI="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: FlowcontrolV1.PriorityLevelConfiguration.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
    ]
}
