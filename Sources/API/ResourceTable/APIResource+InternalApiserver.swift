// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `internal.apiserver.k8s.io`.
    static let internalApiserver: [APIResource] = [
        APIResource(
            "storageversions",
            of: ApiserverinternalV1alpha1.StorageVersion.self,
            list: ApiserverinternalV1alpha1.StorageVersionList.self,
            group: "internal.apiserver.k8s.io",
            version: "v1alpha1",
            singular: "storageversion",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                ApiserverinternalV1alpha1.StorageVersion.self,
                at: "/registry/storageversions/",
                group: "internal.apiserver.k8s.io",
                version: "v1alpha1",
                hash: "c8YZt5U0nPk="
            ),
            subresources: [
                Subresource(
                    "status",
                    of: ApiserverinternalV1alpha1.StorageVersion.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        )
    ]
}
