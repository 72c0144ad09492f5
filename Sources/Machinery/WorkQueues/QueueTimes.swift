// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Numbers of a queue on their way to the metrics.
package struct QueueMeasurements: Equatable {
    /// Keys that were added and did not wait already.
    package var adds: UInt64 = 0
    /// How long keys waited for a worker.
    package var waits: [Duration] = []
    /// How long workers took.
    package var works: [Duration] = []
}

/// When the keys of a queue were added and taken, for those who measure.
package struct QueueTimes<Key: Hashable & Sendable> {
    private var added: [Key: Duration] = [:]
    private var started: [Key: Duration] = [:]
    /// What was measured since it was asked for last.
    private var measured = QueueMeasurements()

    package init() {}

    mutating func add(_ key: Key, _ now: Duration) {
        self.measured.adds += 1
        if self.added[key] == nil { self.added[key] = now }
    }

    mutating func take(_ key: Key, _ now: Duration) {
        if let since = self.added.removeValue(forKey: key) {
            self.measured.waits.append(now - since)
        }
        self.started[key] = now
    }

    mutating func finish(_ key: Key, _ now: Duration) {
        guard let since = self.started.removeValue(forKey: key) else { return }
        self.measured.works.append(now - since)
    }

    /// Hands over what was measured.
    mutating func drain() -> QueueMeasurements {
        defer { self.measured = QueueMeasurements() }
        return self.measured
    }

    /// Of the work that is not done: how long all of it took until now, and the longest.
    func unfinished(_ now: Duration) -> (total: Duration, longest: Duration) {
        self.started.values.reduce((.zero, .zero)) { sum, since in
            (sum.0 + (now - since), max(sum.1, now - since))
        }
    }
}
