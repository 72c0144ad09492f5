// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `apiextensions.k8s.io`.
    static let apiextensions: [APIResource] = [
        APIResource(
            "customresourcedefinitions",
            of: ApiextensionsV1.CustomResourceDefinition.self,
            list: ApiextensionsV1.CustomResourceDefinitionList.self,
            group: "apiextensions.k8s.io",
            version: "v1",
            singular: "customresourcedefinition",
            shortNames: ["crd", "crds"],
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                ApiextensionsV1beta1.CustomResourceDefinition.self,
                at: "/registry/apiextensions.k8s.io/customresourcedefinitions/",
                group: "apiextensions.k8s.io",
                version: "v1beta1",
                encoding: .json,
                hash: "jfWCUB31mvA="
            ),
            subresources: [
                Subresource(
                    "status",
                    of: ApiextensionsV1.CustomResourceDefinition.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        )
    ]
}
