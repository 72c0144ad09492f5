// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable
import Scalars

/// Gives ingresses that name no class the default one.
///
/// Source: kubernetes `plugin/pkg/admission/network/defaultingressclass/admission.go`.
public struct DefaultIngressClass: AdmissionPlugin {
    public let name = "DefaultIngressClass"
    private let objects: any ObjectReader

    private static let defaultAnnotation = "ingressclass.kubernetes.io/is-default-class"
    private static let classAnnotation = "kubernetes.io/ingress.class"

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .ingresses && operation == .create && subresource.isEmpty
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let ingress: NetworkingV1.Ingress = attributes.object?.message(),
            ingress.spec.ingressClassName == nil,
            ingress.metadata.annotations[Self.classAnnotation] == nil
        else { return }
        let standard = self.objects.list(.ingressClasses, namespace: nil).map(\.metadata)
            .filter { $0.annotations[Self.defaultAnnotation] == "true" }
            .min { left, right in
                let (a, b) = (
                    left.creationTimestamp.timestamp ?? .zero,
                    right.creationTimestamp.timestamp ?? .zero
                )
                return a == b ? left.name < right.name : a > b
            }
        guard let standard else { return }
        attributes.object?.change(NetworkingV1.Ingress.self) {
            $0.spec.ingressClassName = standard.name
        }
    }
}
