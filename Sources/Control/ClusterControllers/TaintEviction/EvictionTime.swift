// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// When a pod must leave a tainted node. Pure.
///
/// Source: upstream `pkg/controller/tainteviction/taint_eviction.go`.
package enum EvictionTime: Equatable {
    /// It may stay.
    case never
    /// At this time; one in the past is now.
    case at(Timestamp)

    package static func of(
        _ pod: CoreV1.Pod,
        taints: [CoreV1.Taint],
        now: Timestamp
    ) -> EvictionTime {
        let executing = taints.filter { $0.effect == "NoExecute" }
        if executing.isEmpty { return .never }
        var earliest: Timestamp?
        for taint in executing {
            // The first that fits counts.
            let fitting = pod.spec.tolerations.first { $0.tolerates(taint) }
            guard let fitting else { return .at(now) }
            guard let least = fitting.tolerationSeconds else { continue }
            let since = taint.timeAdded?.timestamp ?? now
            let end = since.advanced(by: .seconds(max(least, 0)))
            earliest = min(earliest ?? end, end)
        }
        return earliest.map { .at($0) } ?? .never
    }
}
