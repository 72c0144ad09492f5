// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable

/// Nothing is made in a namespace that is missing or ends, and some namespaces never end.
///
/// Source: apiserver `pkg/admission/plugin/namespace/lifecycle/admission.go`.
public struct NamespaceLifecycle: AdmissionPlugin {
    public let name = "NamespaceLifecycle"
    private let objects: any ObjectReader

    private static let immortal: Set = ["default", "kube-system", "kube-public"]

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        switch operation {
        case .create, .update:
            // What one may do in a namespace can be asked before there is one.
            resource.group != "authorization.k8s.io"
        case .delete: resource == .namespaces
        case .connect: false
        }
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        if attributes.resource == .namespaces {
            guard attributes.operation == .delete, Self.immortal.contains(attributes.name) else {
                return
            }
            throw StatusError.forbidden(
                attributes.resource,
                attributes.name,
                "this namespace may not be deleted"
            )
        }
        let name = attributes.namespace
        guard !name.isEmpty else { return }
        var found = self.objects.get(.namespaces, namespace: "", name: name)
        if found == nil {
            // It may be so new that the cache has not seen it.
            found = try await self.objects.current(.namespaces, namespace: "", name: name)
        }
        guard let namespace: CoreV1.Namespace = found?.message() else {
            throw .notFound(.namespaces, name)
        }
        guard attributes.operation == .create, namespace.status.phase == "Terminating" else {
            return
        }
        var refusal = attributes.forbidden(
            "unable to create new content in namespace \(name) because it is being terminated"
        )
        refusal.status.details?.causes.append(
            .with {
                $0.reason = "NamespaceTerminating"
                $0.message = "namespace \(name) is being terminated"
                $0.field = "metadata.namespace"
            }
        )
        throw refusal
    }
}
