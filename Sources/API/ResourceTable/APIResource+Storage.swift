// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `storage.k8s.io`.
    static let storage: [APIResource] = [
        APIResource(
            "csidrivers",
            of: StorageV1.CSIDriver.self,
            list: StorageV1.CSIDriverList.self,
            group: "storage.k8s.io",
            version: "v1",
            singular: "csidriver",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                StorageV1.CSIDriver.self,
                at: "/registry/csidrivers/",
                group: "storage.k8s.io",
                version: "v1",
                hash: "hL6j/rwBV5w="
            ),
            behaviour: [.deleteReturnsObject]
        ),
        APIResource(
            "csinodes",
            of: StorageV1.CSINode.self,
            list: StorageV1.CSINodeList.self,
            group: "storage.k8s.io",
            version: "v1",
            singular: "csinode",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                StorageV1.CSINode.self,
                at: "/registry/csinodes/",
                group: "storage.k8s.io",
                version: "v1",
                hash: "Pe62DkZtjuo="
            ),
            behaviour: [.deleteReturnsObject]
        ),
        APIResource(
            "csistoragecapacities",
            of: StorageV1.CSIStorageCapacity.self,
            list: StorageV1.CSIStorageCapacityList.self,
            group: "storage.k8s.io",
            version: "v1",
            singular: "csistoragecapacity",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                StorageV1.CSIStorageCapacity.self,
                at: "/registry/csistoragecapacities/",
                group: "storage.k8s.io",
                version: "v1",
                hash: "xeVl+2Ly1kE="
            )
        ),
        APIResource(
            "storageclasses",
            of: StorageV1.StorageClass.self,
            list: StorageV1.StorageClassList.self,
            group: "storage.k8s.io",
            version: "v1",
            singular: "storageclass",
            shortNames: ["sc"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                StorageV1.StorageClass.self,
                at: "/registry/storageclasses/",
                group: "storage.k8s.io",
                version: "v1",
                hash: "K+m6uJwbjGY="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "volumeattachments",
            of: StorageV1.VolumeAttachment.self,
            list: StorageV1.VolumeAttachmentList.self,
            group: "storage.k8s.io",
            version: "v1",
            singular: "volumeattachment",
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                StorageV1.VolumeAttachment.self,
                at: "/registry/volumeattachments/",
                group: "storage.k8s.io",
                version: "v1",
                hash: "tJx/ezt6UDU="
            ),
            behaviour: [.deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: StorageV1.VolumeAttachment.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "volumeattributesclasses",
            of: StorageV1.VolumeAttributesClass.self,
            list: StorageV1.VolumeAttributesClassList.self,
            group: "storage.k8s.io",
            version: "v1",
            singular: "volumeattributesclass",
            shortNames: ["vac"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                StorageV1.VolumeAttributesClass.self,
                at: "/registry/volumeattributesclasses/",
                group: "storage.k8s.io",
                version: "v1",
                hash: "tIjydgKBC5w="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "volumeattributesclasses",
            of: StorageV1beta1.VolumeAttributesClass.self,
            list: StorageV1beta1.VolumeAttributesClassList.self,
            group: "storage.k8s.io",
            version: "v1beta1",
            singular: "volumeattributesclass",
            shortNames: ["vac"],
            scope: .cluster,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                StorageV1.VolumeAttributesClass.self,
                at: "/registry/volumeattributesclasses/",
                group: "storage.k8s.io",
                version: "v1",
                hash: "tIjydgKBC5w="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
    ]
}
