// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import PodLifecycle
import Scalars

extension KubeletSettings {
    /// The thresholds that the settings name. Those of 0% and 100% are none.
    ///
    /// Source: upstream `pkg/kubelet/eviction/helpers.go` (`ParseThresholdConfig`).
    func evictionThresholds() throws(EvictionSettingsError) -> [EvictionThreshold] {
        var result: [EvictionThreshold] = []
        for (name, text) in self.evictionHard.sorted(by: { $0.key < $1.key }) {
            guard let parsed = try Self.threshold(name, text) else { continue }
            result.append(parsed)
            if parsed.signal == .memory {
                // What pods may have together is watched like the node's whole memory.
                var own = parsed
                own.signal = .allocatableMemory
                result.append(own)
            }
        }
        for (name, text) in self.evictionSoft.sorted(by: { $0.key < $1.key }) {
            guard var parsed = try Self.threshold(name, text) else { continue }
            guard let grace = self.evictionSoftGracePeriod[name] else {
                throw EvictionSettingsError(
                    description: "grace period must be specified for the soft eviction threshold "
                        + name
                )
            }
            parsed.grace = grace
            result.append(parsed)
        }
        for (name, text) in self.evictionMinimumReclaim {
            guard let signal = EvictionSignal(rawValue: name) else {
                throw EvictionSettingsError(description: "unknown eviction signal \(name)")
            }
            guard let value = EvictionThreshold.Value(text) else {
                throw EvictionSettingsError(
                    description:
                        "negative or invalid eviction minimum reclaim specified for \(name)"
                )
            }
            for index in result.indices where result[index].signal == signal {
                result[index].reclaim = value
            }
        }
        return result
    }

    private static func threshold(
        _ name: String,
        _ text: String
    ) throws(EvictionSettingsError) -> EvictionThreshold? {
        guard let signal = EvictionSignal(rawValue: name) else {
            throw EvictionSettingsError(description: "unknown eviction signal \(name)")
        }
        guard let value = EvictionThreshold.Value(text) else {
            throw EvictionSettingsError(
                description: "eviction threshold \(name) must be positive, and a quantity or a "
                    + "percentage: \(text)"
            )
        }
        if value == .share(0) || value == .share(1) { return nil }
        return EvictionThreshold(signal, value)
    }
}

/// Thresholds for eviction that cannot be used.
package struct EvictionSettingsError: Error, Sendable, CustomStringConvertible {
    package let description: String
}
