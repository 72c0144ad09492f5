// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit

/// How fast nodes of a zone may be given the taint that drives their pods away: slowly, and more
/// slowly when so many fail that the fault may be elsewhere. Pure.
///
/// Source: upstream `pkg/controller/nodelifecycle`, `--node-eviction-rate` and its kin.
package struct EvictionGate {
    /// Nodes of a zone.
    package struct Zone {
        package var ready = 0
        package var notReady = 0

        package init(ready: Int = 0, notReady: Int = 0) {
            self.ready = ready
            self.notReady = notReady
        }

        /// All nodes.
        package var total: Int { self.ready + self.notReady }

        /// Whether so many fail that the fault may be elsewhere.
        package func isUnhealthy(threshold: Double) -> Bool {
            self.notReady > 2 && self.ready > 0
                && Double(self.notReady) / Double(max(self.total, 1)) >= threshold
        }
    }

    private var nextAt: [String: Duration] = [:]

    package init() {}

    /// Evictions per second of a zone.
    package static func rate(
        of zone: Zone,
        areAllDown: Bool,
        _ options: ControllerOptions = ControllerOptions()
    ) -> Double {
        // When everything is down at once, it is likelier that we are cut off than that it is.
        if areAllDown { return 0 }
        guard zone.isUnhealthy(threshold: options.unhealthyZoneThreshold) else {
            return options.nodeEvictionRate
        }
        return zone.total > options.largeClusterSizeThreshold
            ? options.secondaryNodeEvictionRate : 0
    }

    /// Whether a node of the zone may be tainted now; if not, when to ask again.
    package mutating func admit(
        _ zone: String,
        rate: Double,
        uptime: Duration
    ) -> (isAdmitted: Bool, retryAfter: Duration) {
        guard rate > 0 else { return (false, .seconds(10)) }
        let next = self.nextAt[zone] ?? .zero
        if uptime < next { return (false, next - uptime) }
        self.nextAt[zone] = uptime + .seconds(1 / rate)
        return (true, .zero)
    }
}
