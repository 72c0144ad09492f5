// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import KubernetesAPI
import Protobuf
package import Scalars

extension CoreV1.Pod {
    /// The pod has ended and will not run again.
    package var isTerminal: Bool {
        self.status.phase == "Succeeded" || self.status.phase == "Failed"
    }

    /// The pod counts: it has not ended and nobody has asked for its end.
    package var isActive: Bool { !self.isTerminal && self.metadata.deletionTimestamp == nil }

    package func condition(_ type: String) -> CoreV1.PodCondition? {
        self.status.conditions.first { $0.type == type }
    }

    package var isReady: Bool { self.condition("Ready")?.status == "True" }

    /// When the pod became ready; nil when it is not.
    package var readySince: Timestamp? {
        guard let condition = self.condition("Ready"), condition.status == "True" else {
            return nil
        }
        return condition.lastTransitionTime.timestamp
    }

    /// The pod has been ready for so long.
    package func isAvailable(minReadySeconds: Int32, now: Timestamp) -> Bool {
        guard self.isReady else { return false }
        guard minReadySeconds > 0 else { return true }
        guard let since = self.readySince else { return false }
        return now.since(since) >= .seconds(Int64(minReadySeconds))
    }

    /// How long until the pod is available if it stays ready; nil when it is, or is not ready.
    package func timeUntilAvailable(minReadySeconds: Int32, now: Timestamp) -> Duration? {
        guard minReadySeconds > 0, let since = self.readySince else { return nil }
        let left = Duration.seconds(Int64(minReadySeconds)) - now.since(since)
        return left > .zero ? left : nil
    }

    /// Restarts of the container that was restarted most.
    package var maximumRestarts: Int32 {
        self.status.containerStatuses.map(\.restartCount).max() ?? 0
    }
}
