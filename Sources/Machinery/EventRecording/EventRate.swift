// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How fast a component may send events, so that telling of much work does not delay the work: the
/// first ``burst`` at once, then ``perSecond``. What waits meanwhile is bounded by
/// ``EventRecorder/maximumQueued``; more is dropped, as upstream's recorder does behind its client's
/// limit. Pure: time is a parameter.
///
/// Source: upstream `clientConnection` defaults of KubeSchedulerConfiguration and `--event-qps`,
/// `--event-burst` of the kubelet.
package struct EventRate {
    package static let burst = 100.0
    package static let perSecond = 50.0

    private var tokens = EventRate.burst
    private var at: Duration

    package init(now: Duration) {
        self.at = now
    }

    /// Takes the turn of one event.
    ///
    /// - Returns: how long the event has to wait for it.
    package mutating func wait(now: Duration) -> Duration {
        let passed = (now - self.at) / .seconds(1)
        self.at = now
        self.tokens = min(Self.burst, self.tokens + max(passed, 0) * Self.perSecond) - 1
        return self.tokens >= 0 ? .zero : .seconds(-self.tokens / Self.perSecond)
    }
}
