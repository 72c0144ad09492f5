// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Scalars
import Testing

/// Runs requests through plugins.
enum AdmissionCase {
    static let user = UserInfo(name: "ann", groups: ["system:authenticated"])

    /// The attributes of a request for an object.
    static func attributes<M: Message>(
        _ operation: AdmissionAttributes.Operation,
        _ resource: String,
        group: String = "",
        subresource: String = "",
        _ object: M,
        old: M? = nil,
        user: UserInfo = Self.user
    ) -> AdmissionAttributes {
        let new = APIObject(object)
        let metadata = new.hasMetadata ? new.metadata : MetaV1.ObjectMeta()
        let isDelete = operation == .delete
        return AdmissionAttributes(
            operation,
            GroupResource(group: group, resource: resource),
            subresource: subresource,
            kind: GroupVersionKind(group: group, version: "v1", kind: new.typeMeta.kind),
            namespace: metadata.namespace,
            name: metadata.name,
            object: isDelete ? nil : new,
            oldObject: isDelete ? new : old.map { APIObject($0) },
            user: user,
            now: Timestamp(seconds: 1_800_000_000)
        )
    }

    /// What plugins make of a request: the object afterwards, or the refusal.
    static func run(
        _ attributes: AdmissionAttributes,
        _ plugins: any AdmissionPlugin...
    ) async -> (AdmissionAttributes, StatusError?) {
        var attributes = attributes
        let chain = AdmissionChain(plugins)
        do throws(StatusError) {
            try await chain.admit(&attributes)
            try await chain.validate(&attributes)
            return (attributes, nil)
        } catch {
            return (attributes, error)
        }
    }

    /// A pod in namespace `a` with a container.
    static func pod(_ change: (inout CoreV1.Pod) -> Void = { _ in }) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = "p"
            $0.metadata.namespace = "a"
            $0.spec.containers.append(
                .with {
                    $0.name = "c"
                    $0.image = "i"
                }
            )
            change(&$0)
        }
    }
}
