// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Quotas
package import Scalars

/// What is known of a quota beside what stands in it: what has gone since it was last written, and
/// when its numbers are taken as they are counted. Pure: time is a parameter.
///
/// Admission counts an object before it is made, and it is seen here only after that. A number that
/// was simply counted here would take back what is under way, and let in more than the quota has. So
/// a number goes down by what was seen to go and by nothing else; until nothing has been let in for
/// as long as a request may take, when nothing can be under way.
package struct QuotaLedger: Sendable {
    /// How long nothing must have been let in before a count is believed: what a request may take.
    package static let settling: Duration = .seconds(60)

    /// What has gone and is not yet taken from the quota.
    private var released: ResourceAmounts = [:]
    private var recountDue: Duration?
    private var lastCharge: Duration?

    package init() {}

    /// What one write of a quota makes of the ledger.
    package struct Round: Sendable {
        package let released: ResourceAmounts
        /// Whether numbers are taken as they are counted.
        package let isRecount: Bool
        /// When to look again; nil for never.
        package let lookAgain: Duration?
    }

    /// Takes note of what has gone.
    package mutating func release(_ amounts: ResourceAmounts) {
        PodResources.add(amounts, to: &self.released)
    }

    /// Takes note of numbers that were raised: whether they were right is seen after a while.
    package mutating func charge(at now: Duration, recountAfter period: Duration) {
        self.lastCharge = now
        self.recount(at: now + period)
    }

    /// Has everything counted at a time, unless that is due earlier.
    package mutating func recount(at due: Duration) {
        self.recountDue = min(self.recountDue ?? due, due)
    }

    /// Begins to write the quota.
    package mutating func begin(at now: Duration) -> Round {
        defer { self.released = [:] }
        guard let due = self.recountDue, due <= now else {
            return Round(released: self.released, isRecount: false, lookAgain: nil)
        }
        if let settled = self.lastCharge.map({ $0 + Self.settling }), settled > now {
            self.recountDue = settled
            return Round(released: self.released, isRecount: false, lookAgain: settled)
        }
        self.recountDue = nil
        return Round(released: self.released, isRecount: true, lookAgain: nil)
    }

    /// Takes back a round that was not written.
    package mutating func giveBack(_ round: Round, at now: Duration) {
        self.release(round.released)
        if round.isRecount { self.recount(at: now) }
    }
}

extension QuotaLedger.Round {
    /// What stands in the quota after this round.
    ///
    /// - Parameters:
    ///   - known: what stands in it; nil when nothing does.
    ///   - counted: what is there.
    package func used(_ name: String, known: Quantity?, counted: Quantity) -> Quantity {
        guard !self.isRecount, var rest = known else { return counted }
        if let gone = self.released[name] { rest.subtract(gone) }
        return max(rest, counted)
    }
}
