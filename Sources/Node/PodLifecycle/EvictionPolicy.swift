// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Decides from what is observed which conditions the node has, and which shortage is to be seen to.
///
/// Source: upstream `pkg/kubelet/eviction/eviction_manager.go` (`synchronize`), `helpers.go`.
package struct EvictionPolicy: Sendable {
    /// What follows from a look at the node.
    package struct Decision: Sendable, Equatable {
        /// `MemoryPressure`, `DiskPressure`, `PIDPressure`.
        package var conditions: Set<String> = []
        /// The threshold to be seen to; nil when none is met, or not for long enough.
        package var threshold: EvictionThreshold?
    }

    package let thresholds: [EvictionThreshold]
    /// How long a condition stays after its threshold was met last.
    package let transition: Duration
    private var met: [EvictionThreshold] = []
    private var firstMet: [EvictionSignal: [Bool: Duration]] = [:]
    private var lastSeen: [String: Duration] = [:]

    package init(thresholds: [EvictionThreshold], transition: Duration) {
        self.thresholds = thresholds
        self.transition = transition
    }

    /// Looks at the node.
    ///
    /// - Parameter now: time since any moment in the past; never runs back.
    package mutating func observe(
        _ seen: [EvictionSignal: EvictionObservation],
        now: Duration
    ) -> Decision {
        let before = self.met
        self.met = self.thresholds.filter { threshold in
            guard let observation = seen[threshold.signal] else { return false }
            // What was short stays so until there is as much more as is to be won back.
            return threshold.isMet(observation, withReclaim: before.contains(threshold))
        }
        var first: [EvictionSignal: [Bool: Duration]] = [:]
        for threshold in self.met {
            let isSoft = threshold.grace != nil
            first[threshold.signal, default: [:]][isSoft] =
                self.firstMet[threshold.signal]?[isSoft] ?? now
            self.lastSeen[threshold.signal.condition] = now
        }
        self.firstMet = first
        self.lastSeen = self.lastSeen.filter { now - $0.value < self.transition || $0.value == now }
        let due = self.met.filter { threshold in
            guard let grace = threshold.grace else { return true }
            return now - (first[threshold.signal]?[true] ?? now) >= grace
        }
        return Decision(
            conditions: Set(self.lastSeen.keys),
            threshold: due.min { $0.signal < $1.signal }
        )
    }

    /// Whether a threshold still holds after something was won back.
    package func isMet(
        _ threshold: EvictionThreshold,
        _ seen: [EvictionSignal: EvictionObservation]
    ) -> Bool {
        seen[threshold.signal].map { threshold.isMet($0, withReclaim: true) } ?? false
    }
}
