// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How fast nodes of a zone may be given the taint that drives their pods away: slowly, and more
/// slowly when so many fail that the fault may be elsewhere. Pure.
///
/// Source: upstream `pkg/controller/nodelifecycle`, `--node-eviction-rate` and its kin.
package struct EvictionGate {
    package static let rate = 0.1
    package static let secondaryRate = 0.01
    package static let unhealthyThreshold = 0.55
    package static let largeZone = 50

    /// Nodes of a zone.
    package struct Zone {
        package var ready = 0
        package var notReady = 0

        package init(ready: Int = 0, notReady: Int = 0) {
            self.ready = ready
            self.notReady = notReady
        }
    }

    private var nextAt: [String: Duration] = [:]

    package init() {}

    /// Evictions per second of a zone.
    package static func rate(of zone: Zone, areAllDown: Bool) -> Double {
        // When everything is down at once, it is likelier that we are cut off than that it is.
        if areAllDown { return 0 }
        let total = zone.ready + zone.notReady
        let isPartial =
            zone.notReady > 2 && zone.ready > 0
            && Double(zone.notReady) / Double(max(total, 1)) >= Self.unhealthyThreshold
        guard isPartial else { return Self.rate }
        return total > Self.largeZone ? Self.secondaryRate : 0
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
