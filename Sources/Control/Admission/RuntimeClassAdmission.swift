// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf
public import ResourceTable

/// Adds to pods what their runtime class costs and where it can run.
///
/// Source: kubernetes `plugin/pkg/admission/runtimeclass/admission.go`.
public struct RuntimeClassAdmission: AdmissionPlugin {
    public let name = "RuntimeClass"
    private let objects: any ObjectReader

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .pods && operation == .create && subresource.isEmpty
    }

    private func runtimeClass(
        of pod: CoreV1.Pod,
        _ attributes: AdmissionAttributes
    ) async throws(StatusError) -> NodeV1.RuntimeClass? {
        guard let name = pod.spec.runtimeClassName else { return nil }
        var found = self.objects.get(.runtimeClasses, namespace: "", name: name)
        if found == nil {
            found = try await self.objects.current(.runtimeClasses, namespace: "", name: name)
        }
        guard let runtimeClass: NodeV1.RuntimeClass = found?.message() else {
            throw attributes.forbidden(
                "pod rejected: RuntimeClass \(GoText.quoted(name)) not found"
            )
        }
        return runtimeClass
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let pod: CoreV1.Pod = attributes.object?.message(),
            let runtimeClass = try await self.runtimeClass(of: pod, attributes)
        else { return }
        if let overhead = runtimeClass.overhead {
            if !pod.spec.overhead.isEmpty, pod.spec.overhead != overhead.podFixed {
                throw attributes.forbidden(
                    "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
                )
            }
            attributes.object?.change(CoreV1.Pod.self) { $0.spec.overhead = overhead.podFixed }
        }
        guard let scheduling = runtimeClass.scheduling else { return }
        for (key, value) in scheduling.nodeSelector {
            guard let own = pod.spec.nodeSelector[key], own != value else { continue }
            throw attributes.forbidden(
                "conflict: runtimeClass.scheduling.nodeSelector[\(key)] = \(value); "
                    + "pod.spec.nodeSelector[\(key)] = \(own)"
            )
        }
        attributes.object?.change(CoreV1.Pod.self) { pod in
            for (key, value) in scheduling.nodeSelector { pod.spec.nodeSelector[key] = value }
            for toleration in scheduling.tolerations
            where !pod.spec.tolerations.contains(toleration) {
                pod.spec.tolerations.append(toleration)
            }
        }
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let pod: CoreV1.Pod = attributes.object?.message(), !pod.spec.overhead.isEmpty
        else { return }
        let runtimeClass = try await self.runtimeClass(of: pod, attributes)
        guard let overhead = runtimeClass?.overhead else {
            throw attributes.forbidden(
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            )
        }
        guard overhead.podFixed == pod.spec.overhead else {
            throw attributes.forbidden(
                "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            )
        }
    }
}
