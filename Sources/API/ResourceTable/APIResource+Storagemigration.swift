// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `storagemigration.k8s.io`.
    static let storagemigration: [APIResource] = [
        APIResource(
            "storageversionmigrations",
            of: StoragemigrationV1beta1.StorageVersionMigration.self,
            list: StoragemigrationV1beta1.StorageVersionMigrationList.self,
            group: "storagemigration.k8s.io",
            version: "v1beta1",
            singular: "storageversionmigration",
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            featureGate: "StorageVersionMigrator",
            storage: Storage(
                StoragemigrationV1beta1.StorageVersionMigration.self,
                at: "/registry/storageversionmigrations/",
                group: "storagemigration.k8s.io",
                version: "v1beta1",
                hash: "pCjmmKOkLy4="
            ),
            subresources: [
                Subresource(
                    "status",
                    of: StoragemigrationV1beta1.StorageVersionMigration.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        )
    ]
}
