// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable
import Scalars

/// Gives claims that name no storage class the default one.
///
/// Source: kubernetes `plugin/pkg/admission/storage/storageclass/setdefault/admission.go`.
public struct DefaultStorageClass: AdmissionPlugin {
    public let name = "DefaultStorageClass"
    private let objects: any ObjectReader

    private static let annotations = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ]
    private static let betaAnnotation = "volume.beta.kubernetes.io/storage-class"

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .persistentVolumeClaims && operation == .create && subresource.isEmpty
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let claim: CoreV1.PersistentVolumeClaim = attributes.object?.message(),
            claim.spec.storageClassName == nil,
            claim.metadata.annotations[Self.betaAnnotation] == nil,
            let name = self.defaultName
        else { return }
        attributes.object?.change(CoreV1.PersistentVolumeClaim.self) {
            $0.spec.storageClassName = name
        }
    }

    /// The default class: of several the newest, then the first by name.
    private var defaultName: String? {
        let classes = self.objects.list(.storageClasses, namespace: nil).map(\.metadata)
            .filter { metadata in
                Self.annotations.contains { metadata.annotations[$0] == "true" }
            }
        return classes.min { left, right in
            let (a, b) = (
                left.creationTimestamp.timestamp ?? .zero,
                right.creationTimestamp.timestamp ?? .zero
            )
            return a == b ? left.name < right.name : a > b
        }?.name
    }
}
