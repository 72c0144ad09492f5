// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A rate limit: so many per second, with room for a burst.
struct TokenBucket {
    private let perSecond: Int64
    private let capacity: Int64
    /// Tokens in billionths.
    private var level: Int64
    private var lastNanoseconds: Int64

    /// - Parameter perSecond: at most a million, so that nothing here overflows.
    init(perSecond: Int, burstSeconds: Int, now: Int64) {
        self.perSecond = Int64(min(max(perSecond, 1), 1_000_000))
        self.capacity = self.perSecond * Int64(min(max(burstSeconds, 1), 1000)) * 1_000_000_000
        self.level = self.capacity
        self.lastNanoseconds = now
    }

    /// Takes `count` tokens out; false when there were not as many.
    mutating func take(_ count: Int, now: Int64) -> Bool {
        // A full bucket needs no more than capacity / perSecond nanoseconds.
        let elapsed = min(max(now - self.lastNanoseconds, 0), self.capacity / self.perSecond)
        self.lastNanoseconds = max(now, self.lastNanoseconds)
        self.level = min(self.capacity, self.level + elapsed * self.perSecond)
        let (cost, overflow) = Int64(count).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, self.level >= cost else { return false }
        self.level -= cost
        return true
    }
}
