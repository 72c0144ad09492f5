// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable
import Scalars

/// Lets claims grow whose storage class allows it, and no others.
///
/// Source: kubernetes `plugin/pkg/admission/storage/persistentvolume/resize/admission.go`.
public struct PersistentVolumeClaimResize: AdmissionPlugin {
    public let name = "PersistentVolumeClaimResize"
    private let objects: any ObjectReader

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .persistentVolumeClaims && operation == .update && subresource.isEmpty
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let new: CoreV1.PersistentVolumeClaim = attributes.object?.message(),
            let old: CoreV1.PersistentVolumeClaim = attributes.oldObject?.message(),
            Self.size(old) < Self.size(new)
        else { return }
        if old.status.phase != "Bound" {
            throw attributes.forbidden(
                "Only bound persistent volume claims can be expanded"
            )
        }
        let name = new.spec.storageClassName ?? ""
        let found =
            name.isEmpty
            ? nil : self.objects.get(.storageClasses, namespace: "", name: name)
        let storageClass: StorageV1.StorageClass? = found?.message()
        guard storageClass?.allowVolumeExpansion == true else {
            throw attributes.forbidden(
                "only dynamically provisioned pvc can be resized and the storageclass that "
                    + "provisions the pvc must support resize"
            )
        }
    }

    private static func size(_ claim: CoreV1.PersistentVolumeClaim) -> Quantity {
        claim.spec.resources.requests["storage"].flatMap { try? $0.parsed() } ?? .zero
    }
}
