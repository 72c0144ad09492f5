// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable

/// Lets pods stay five minutes on a node that is not ready or cannot be reached.
///
/// Source: kubernetes `plugin/pkg/admission/defaulttolerationseconds/admission.go`.
public struct DefaultTolerationSeconds: AdmissionPlugin {
    public let name = "DefaultTolerationSeconds"
    private let seconds: [(key: String, seconds: Int64)]

    public init(notReadySeconds: Int64 = 300, unreachableSeconds: Int64 = 300) {
        self.seconds = [
            ("node.kubernetes.io/not-ready", notReadySeconds),
            ("node.kubernetes.io/unreachable", unreachableSeconds),
        ]
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        resource == .pods && subresource.isEmpty && (operation == .create || operation == .update)
    }

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard let pod: CoreV1.Pod = attributes.object?.message() else { return }
        let missing = self.seconds.filter { key, _ in
            !pod.spec.tolerations.contains {
                ($0.key == key || $0.key.isEmpty) && ($0.effect == "NoExecute" || $0.effect.isEmpty)
            }
        }
        if missing.isEmpty { return }
        attributes.object?.change(CoreV1.Pod.self) { pod in
            for (key, seconds) in missing {
                pod.spec.tolerations.append(
                    .with {
                        $0.key = key
                        $0.operator = "Exists"
                        $0.effect = "NoExecute"
                        $0.tolerationSeconds = seconds
                    }
                )
            }
        }
    }
}
