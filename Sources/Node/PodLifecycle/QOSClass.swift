// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars

/// How much a pod may rely on its resources.
///
/// Source: upstream `pkg/apis/core/v1/helper/qos`.
package enum QOSClass: String, Sendable {
    case guaranteed = "Guaranteed"
    case burstable = "Burstable"
    case bestEffort = "BestEffort"

    /// The class that was assigned, or the one that follows from the spec.
    package init(of pod: CoreV1.Pod) {
        self = QOSClass(rawValue: pod.status.qosClass) ?? QOSClass(computedFor: pod)
    }

    /// The class that follows from the spec.
    package init(computedFor pod: CoreV1.Pod) {
        var hasAny = false
        var isGuaranteed = true
        let lists: [CoreV1.ResourceRequirements]
        if let own = pod.spec.resources, !own.requests.isEmpty || !own.limits.isEmpty {
            lists = [own]
        } else {
            lists = (Array(pod.spec.initContainers) + Array(pod.spec.containers)).map(\.resources)
        }
        for resources in lists {
            for name in ["cpu", "memory"] {
                let request = resources.requests[name]?.nonZero
                let limit = resources.limits[name]?.nonZero
                if request != nil || limit != nil { hasAny = true }
                if limit == nil || (request ?? limit) != limit { isGuaranteed = false }
            }
        }
        self = !hasAny ? .bestEffort : isGuaranteed ? .guaranteed : .burstable
    }
}

extension Resource.Quantity {
    /// The amount; nil when it is zero or no quantity.
    fileprivate var nonZero: Scalars.Quantity? {
        guard let amount = try? self.parsed(), !amount.isZero else { return nil }
        return amount
    }
}
