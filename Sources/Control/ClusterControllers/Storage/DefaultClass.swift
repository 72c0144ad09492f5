// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import KubernetesAPI
import Protobuf
import Scalars

/// The StorageClass of claims that name none: admission sets it on new claims, the volume binder on
/// those that are older than the default class. Pure.
///
/// Source: upstream `pkg/controller/volume/persistentvolume/pv_controller.go`
/// (`assignDefaultStorageClass`), `pkg/volume/util/storageclass.go`.
package enum DefaultClass {
    private static let annotations = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ]
    private static let betaName = "volume.beta.kubernetes.io/storage-class"

    /// The class that a claim names, which may be empty for none at all; nil when it names nothing.
    package static func name(of claim: CoreV1.PersistentVolumeClaim) -> String? {
        claim.metadata.annotations[Self.betaName] ?? claim.spec.storageClassName
    }

    package static func isDefault(_ storageClass: StorageV1.StorageClass) -> Bool {
        Self.annotations.contains { storageClass.metadata.annotations[$0] == "true" }
    }

    /// Of several default classes the newest, then the first by name.
    package static func choose(_ classes: [StorageV1.StorageClass]) -> StorageV1.StorageClass? {
        classes.filter(Self.isDefault).min { left, right in
            let made = left.metadata.creationTimestamp.timestamp ?? .zero
            let other = right.metadata.creationTimestamp.timestamp ?? .zero
            return made == other ? left.metadata.name < right.metadata.name : made > other
        }
    }
}
