// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import KubernetesAPI
import Protobuf
package import Scalars

/// What a candidate knows of the Lease, and what it does with it. Pure: time is a parameter.
///
/// Whether the holder is alive is judged by this candidate's own clock: a Lease is stale when it has
/// not changed for its duration since this candidate saw it change, whatever times stand in it.
///
/// Source: upstream client-go `tools/leaderelection/leaderelection.go`.
package struct LeaderElectionState {
    package enum Action: Equatable {
        /// Create the Lease.
        case create(CoordinationV1.LeaseSpec)
        /// Replace the spec of the Lease.
        case update(CoordinationV1.LeaseSpec)
        /// Somebody else leads; nothing to write.
        case follow(String)
    }

    package let configuration: LeaderElectionConfiguration
    private var observed: CoordinationV1.LeaseSpec?
    private var observedAt: Duration = .zero
    /// When the Lease was last written by this candidate.
    private var renewedAt: Duration?

    package init(_ configuration: LeaderElectionConfiguration) {
        self.configuration = configuration
    }

    /// The holder as last seen; empty when nobody is known to lead.
    package var leader: String { self.observed?.holderIdentity ?? "" }

    package var isLeader: Bool {
        self.renewedAt != nil && self.leader == self.configuration.identity
    }

    /// Decides what to do about the Lease.
    ///
    /// - Parameters:
    ///   - lease: its spec; nil when there is none.
    ///   - now: what is written into it.
    ///   - uptime: what waiting is measured with.
    package mutating func decide(
        _ lease: CoordinationV1.LeaseSpec?,
        now: Timestamp,
        uptime: Duration
    ) -> Action {
        guard let lease else { return .create(self.claim(nil, now)) }
        if self.observed != lease {
            self.observed = lease
            self.observedAt = uptime
        }
        let holder = lease.holderIdentity ?? ""
        let isMine = holder == self.configuration.identity
        let duration = Duration.seconds(Int64(lease.leaseDurationSeconds ?? 0))
        if !holder.isEmpty, !isMine, uptime < self.observedAt + duration { return .follow(holder) }
        return .update(self.claim(lease, now))
    }

    /// The write was accepted.
    package mutating func written(_ lease: CoordinationV1.LeaseSpec, uptime: Duration) {
        self.observed = lease
        self.observedAt = uptime
        self.renewedAt = uptime
    }

    /// Whether leadership is over because it could not be renewed in time.
    package func hasLost(uptime: Duration) -> Bool {
        guard let renewedAt = self.renewedAt else { return false }
        return !self.isLeader || uptime >= renewedAt + self.configuration.renewDeadline
    }

    /// The Lease of a leader that steps down: others need not wait.
    package func released(now: Timestamp) -> CoordinationV1.LeaseSpec? {
        guard self.isLeader, let observed = self.observed else { return nil }
        return CoordinationV1.LeaseSpec.with {
            $0.holderIdentity = ""
            $0.leaseDurationSeconds = 1
            $0.acquireTime = MetaV1.MicroTime(now)
            $0.renewTime = MetaV1.MicroTime(now)
            $0.leaseTransitions = observed.leaseTransitions ?? 0
        }
    }

    private func claim(
        _ old: CoordinationV1.LeaseSpec?,
        _ now: Timestamp
    ) -> CoordinationV1.LeaseSpec {
        let isRenewal = old?.holderIdentity == self.configuration.identity
        return CoordinationV1.LeaseSpec.with {
            $0.holderIdentity = self.configuration.identity
            $0.leaseDurationSeconds = Int32(self.configuration.leaseDuration.components.seconds)
            $0.renewTime = MetaV1.MicroTime(now)
            $0.acquireTime = isRenewal ? old?.acquireTime : MetaV1.MicroTime(now)
            let transitions = old?.leaseTransitions ?? 0
            $0.leaseTransitions = old == nil || isRenewal ? transitions : transitions + 1
        }
    }
}
