// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP

/// The rate limits of one connection. Made when the first frame of a limited kind comes.
struct Buckets {
    var peerResets: TokenBucket
    var provokedResets: TokenBucket
    var settings: TokenBucket
    var pings: TokenBucket
    var priorities: TokenBucket
    var emptyFrames: TokenBucket
    var windowUpdates: TokenBucket

    init(_ limits: HTTPLimits, now: Int64) {
        func bucket(_ perSecond: Int) -> TokenBucket {
            TokenBucket(perSecond: perSecond, burstSeconds: limits.burstSeconds, now: now)
        }
        self.peerResets = bucket(limits.peerResetsPerSecond)
        self.provokedResets = bucket(limits.provokedResetsPerSecond)
        self.settings = bucket(limits.settingsPerSecond)
        self.pings = bucket(limits.pingsPerSecond)
        self.priorities = bucket(limits.prioritiesPerSecond)
        self.emptyFrames = bucket(limits.emptyFramesPerSecond)
        self.windowUpdates = bucket(limits.windowUpdatesPerSecond)
    }
}
