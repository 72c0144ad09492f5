// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable

/// Keeps pods away from a new node until its controller has seen that it is ready.
///
/// Source: kubernetes `plugin/pkg/admission/nodetaint/admission.go`.
public struct TaintNodesByCondition: AdmissionPlugin {
    public let name = "TaintNodesByCondition"

    private static let taint = CoreV1.Taint.with {
        $0.key = "node.kubernetes.io/not-ready"
        $0.effect = "NoSchedule"
    }

    public init() {}

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .nodes && operation == .create && subresource.isEmpty
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        attributes.object?.change(CoreV1.Node.self) { node in
            let has = node.spec.taints.contains {
                $0.key == Self.taint.key && $0.effect == Self.taint.effect
            }
            if !has { node.spec.taints.append(Self.taint) }
        }
    }
}
