// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

// Source: upstream `pkg/apis/{networking,rbac,storage}/*/defaults.go` and apiextensions.

extension TypedRules {
    static var policies: [String: [TypedRule]] {
        [
            NetworkingV1.NetworkPolicy.schema.fullName: [
                TypedRule(NetworkingV1.NetworkPolicy.self, ["spec.policyTypes"]) {
                    $0.spec.policyTypes.isEmpty
                } _: { policy in
                    policy.spec.policyTypes =
                        policy.spec.egress.isEmpty ? ["Ingress"] : ["Ingress", "Egress"]
                }
            ],
            NetworkingV1.IngressClass.schema.fullName: [
                TypedRule(NetworkingV1.IngressClass.self, ["spec.parameters.scope"]) {
                    $0.spec.parameters != nil && $0.spec.parameters?.scope == nil
                } _: { `class` in
                    `class`.spec.parameters?.scope = "Cluster"
                }
            ],
            RbacV1.Subject.schema.fullName: [
                TypedRule(RbacV1.Subject.self, ["apiGroup"]) {
                    $0.apiGroup.isEmpty && ($0.kind == "User" || $0.kind == "Group")
                } _: { subject in
                    subject.apiGroup = "rbac.authorization.k8s.io"
                }
            ],
            StorageV1.CSIDriver.schema.fullName: [
                // Behind the gate VolumeLimitScaling, which is off.
                TypedRule(nothingFor: ["spec.preventPodSchedulingIfMissing"])
            ],
            ApiextensionsV1.CustomResourceDefinition.schema.fullName: [
                TypedRule(
                    ApiextensionsV1.CustomResourceDefinition.self,
                    ["status.storedVersions"]
                ) {
                    $0.status.storedVersions.isEmpty
                } _: { definition in
                    guard let stored = definition.spec.versions.first(where: \.storage_) else {
                        return
                    }
                    definition.status.storedVersions = [stored.name]
                }
            ],
            ApiextensionsV1.CustomResourceDefinitionSpec.schema.fullName: [
                TypedRule(
                    ApiextensionsV1.CustomResourceDefinitionSpec.self,
                    ["names.singular", "names.listKind"]
                ) { spec in
                    if spec.names.singular.isEmpty {
                        spec.names.singular = spec.names.kind.lowercased()
                    }
                    if spec.names.listKind.isEmpty && !spec.names.kind.isEmpty {
                        spec.names.listKind = spec.names.kind + "List"
                    }
                }
            ],
        ]
    }
}
