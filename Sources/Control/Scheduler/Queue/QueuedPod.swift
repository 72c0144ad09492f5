// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A pod that waits for a node, and how it has fared so far.
package final class QueuedPod {
    /// Where the pod waits.
    package enum Place: Sendable, Hashable {
        /// To be tried next.
        case active
        /// To be tried when its time has come.
        case backoff
        /// As `backoff`, after a failure that was not the pod's fault.
        case errorBackoff
        /// To be tried when something has changed.
        case unschedulable
        /// Not to be tried: a plugin keeps it out.
        case gated
        /// Being tried or bound.
        case inFlight
    }

    package internal(set) var info: PodInfo
    package internal(set) var place: Place = .active
    /// How often the pod was tried.
    package internal(set) var attempts = 0
    /// When it was tried for the first time.
    package internal(set) var firstAttempt: Duration = .zero
    /// How often in a row no node was found.
    var refusals = 0
    /// How often in a row something else went wrong.
    var errors = 0
    /// When the pod came into the queue for the first time.
    package let since: Duration
    /// When the pod came into its present part of the queue; decides among equal priorities.
    var timestamp: Duration
    var backoffUntil: Duration = .zero
    /// The plugins that refused the pod when it was last tried.
    package internal(set) var refusedBy: PluginNames = []
    /// Counts moves, so that entries of heaps which the pod has left can be told.
    var generation: UInt64 = 0
    /// Whether the pod must wait until the pods it preempts are told.
    var isPreempting = false
    /// Whether something changed while it had to.
    var wasWoken = false

    init(_ info: PodInfo, now: Duration) {
        self.info = info
        self.since = now
        self.timestamp = now
    }
}
