// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `apiregistration.k8s.io`.
    static let apiregistration: [APIResource] = [
        APIResource(
            "apiservices",
            of: ApiregistrationV1.APIService.self,
            list: ApiregistrationV1.APIServiceList.self,
            group: "apiregistration.k8s.io",
            version: "v1",
            singular: "apiservice",
            categories: ["api-extensions"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                ApiregistrationV1.APIService.self,
                at: "/registry/apiregistration.k8s.io/apiservices/",
                group: "apiregistration.k8s.io",
                version: "v1",
                encoding: .json,
                hash: "InPBPD7+PqM="
            ),
            subresources: [
                Subresource(
                    "status",
                    of: ApiregistrationV1.APIService.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        )
    ]
}
