// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars

/// The quality of service that a pod is given, by its requests and limits.
///
/// Source: upstream `pkg/apis/core/v1/helper/qos/qos.go`.
enum PodQuality: String {
    case guaranteed = "Guaranteed"
    case burstable = "Burstable"
    case bestEffort = "BestEffort"

    private static let counted = ["cpu", "memory"]

    static func classOf(_ spec: CoreV1.PodSpec) -> PodQuality {
        if let resources = spec.resources,
            !resources.requests.isEmpty || !resources.limits.isEmpty
        {
            return self.classOf([resources])
        }
        return self.classOf(
            spec.containers.map(\.resources) + spec.initContainers.map(\.resources)
        )
    }

    private static func classOf(_ all: [CoreV1.ResourceRequirements]) -> PodQuality {
        var hasAny = false
        var isGuaranteed = true
        for resources in all {
            for name in Self.counted {
                let request = self.amount(resources.requests[name])
                let limit = self.amount(resources.limits[name])
                if request != nil || limit != nil { hasAny = true }
                if limit == nil || (request ?? limit) != limit { isGuaranteed = false }
            }
        }
        if !hasAny { return .bestEffort }
        return isGuaranteed ? .guaranteed : .burstable
    }

    /// An amount above zero.
    private static func amount(_ quantity: Resource.Quantity?) -> Scalars.Quantity? {
        guard let parsed = try? quantity?.parsed(), parsed.sign > 0 else { return nil }
        return parsed
    }
}
