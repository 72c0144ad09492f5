// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// When history is given up by itself.
///
/// It is fed the time and the store's revision and says up to where to compact, so it neither
/// reads a clock nor touches the store.
///
/// Source: etcd 3.6 `server/etcdserver/api/v3compactor`.
package struct CompactionSchedule: Sendable {
    /// What is kept.
    package enum Mode: Hashable, Sendable {
        /// What was written in the last so many seconds.
        case periodic(seconds: Int64)
        /// The last so many revisions.
        case revision(count: Int64)
    }

    /// How long a schedule by revisions waits between two looks, in seconds.
    ///
    /// Source: etcd 3.6 `server/etcdserver/api/v3compactor/revision.go`, `revInterval`.
    static let revisionInterval: Int64 = 300

    /// The parts a period is cut into to remember revisions.
    private static let samplesPerPeriod: Int64 = 10

    private let mode: Mode
    /// Revisions at earlier looks, the oldest first, with their times in seconds.
    private var samples: [(time: Int64, revision: Int64)] = []
    private var lastCompaction: Int64?
    private var compacted: Int64 = 0

    /// A schedule that keeps this.
    package init(_ mode: Mode) {
        self.mode = mode
    }

    /// Seconds between two looks.
    package var interval: Int64 {
        switch self.mode {
        case .periodic(let seconds): max(1, self.period(seconds) / Self.samplesPerPeriod)
        case .revision: Self.revisionInterval
        }
    }

    /// The time between two compactions: as etcd's, at most an hour.
    private func period(_ seconds: Int64) -> Int64 { min(seconds, 3_600) }

    /// Looks at the store.
    ///
    /// - Parameters:
    ///   - now: Seconds of a clock that does not jump.
    ///   - revision: The store's revision.
    /// - Returns: The revision to compact at; nil for nothing to do.
    package mutating func tick(now: Int64, revision: Int64) -> Int64? {
        switch self.mode {
        case .revision(let count):
            let target = revision - count
            guard target > self.compacted else { return nil }
            self.compacted = target
            return target
        case .periodic(let seconds):
            self.samples.append((now, revision))
            let start = self.lastCompaction ?? self.samples[0].time
            // The first waits for the whole time that is kept.
            let wait = self.lastCompaction == nil ? seconds : self.period(seconds)
            guard now - start >= wait else { return nil }
            guard let index = self.samples.lastIndex(where: { now - $0.time >= seconds })
            else { return nil }
            let target = self.samples[index].revision
            self.samples.removeFirst(index)
            self.lastCompaction = now
            guard target > self.compacted else { return nil }
            self.compacted = target
            return target
        }
    }

    /// Takes note that a compaction failed, so that the next look asks for it again.
    package mutating func failed() {
        self.compacted = 0
        self.lastCompaction = nil
    }
}
