// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How long a key waits before it is tried again: twice as long after each failure.
///
/// Source: upstream client-go `util/workqueue/default_rate_limiters.go`,
/// ItemExponentialFailureRateLimiter.
package struct RateLimiter<Key: Hashable & Sendable> {
    /// The wait after the first failure.
    package var base: Duration
    /// The longest wait.
    package var maximum: Duration
    private var failures: [Key: Int] = [:]

    package init(base: Duration = .milliseconds(5), maximum: Duration = .seconds(1000)) {
        self.base = base
        self.maximum = maximum
    }

    /// Counts a failure and says how long to wait.
    package mutating func next(_ key: Key) -> Duration {
        let count = self.failures[key, default: 0]
        self.failures[key] = count + 1
        // 5 ms doubled 40 times is beyond any maximum, and below the overflow.
        guard count < 40 else { return self.maximum }
        return min(self.base * (1 << count), self.maximum)
    }

    /// Failures since the key was last forgotten.
    package func failureCount(_ key: Key) -> Int { self.failures[key, default: 0] }

    /// Forgets the failures of a key that succeeded.
    package mutating func forget(_ key: Key) { self.failures[key] = nil }
}
