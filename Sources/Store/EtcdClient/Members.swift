// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import RPCInterface
internal import Synchronization

/// The members of a cluster, and which of them calls go to now.
final class Members: Sendable {
    /// A member that calls can go to.
    struct Member: Sendable {
        let index: Int
        let channel: any RPCChannel
    }

    private let channels: [any RPCChannel]
    /// The current one. Relaxed: it orders nothing else.
    private let index = Atomic<Int>(0)

    init(_ channels: [any RPCChannel]) {
        precondition(!channels.isEmpty, "a cluster without members")
        self.channels = channels
    }

    /// The member that calls go to.
    var current: Member {
        let index = self.index.load(ordering: .relaxed)
        return Member(index: index, channel: self.channels[index])
    }

    /// How often a call is made in all: twice on each of several members.
    var attempts: Int { self.channels.count == 1 ? 1 : 2 * self.channels.count }

    /// Goes on to the next member if the error says that this one is of no use now.
    ///
    /// - Returns: Whether it does.
    func hasFailed(_ member: Member, _ error: RPCError) -> Bool {
        // A member that does not answer in time may be paused or cut off.
        guard error.code == .unavailable || error.code == .deadlineExceeded else { return false }
        let next = (member.index + 1) % self.channels.count
        // Of many calls that fail together, one moves on.
        _ = self.index.compareExchange(
            expected: member.index,
            desired: next,
            ordering: .relaxed
        )
        return error.code == .unavailable
    }

    /// Waits once each member was tried: a new leader takes a moment.
    func pause(beforeAttempt attempt: Int) async {
        guard attempt > self.channels.count else { return }
        try? await Task.sleep(for: .milliseconds(Int.random(in: 100...300)))
    }
}

extension RPCError {
    /// Whether the call surely did not reach a server: there was no connection to send it on.
    var wasNotSent: Bool {
        self.code == .unavailable
            && (self.message.hasPrefix("cannot connect") || self.message == "not connected")
    }
}
