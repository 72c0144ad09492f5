// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable

/// Keeps volumes and claims until nobody uses them: gives them the finalizers of their controllers.
///
/// Source: kubernetes `plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go`.
public struct StorageObjectInUseProtection: AdmissionPlugin {
    public let name = "StorageObjectInUseProtection"

    private static let finalizers: [GroupResource: String] = [
        .persistentVolumes: "kubernetes.io/pv-protection",
        .persistentVolumeClaims: "kubernetes.io/pvc-protection",
        .volumeAttributesClasses: "kubernetes.io/vac-protection",
    ]

    public init() {}

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        operation == .create && subresource.isEmpty && Self.finalizers[resource] != nil
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let finalizer = Self.finalizers[attributes.resource],
            attributes.object?.metadata.finalizers.contains(finalizer) == false
        else { return }
        attributes.object?.metadata.finalizers.append(finalizer)
    }
}
