// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import KubernetesAPI
import Protobuf
package import Scalars

/// Keeps events from flooding the cluster: drops those of a noisy object, makes one of many similar
/// ones, and counts repeated ones. Pure: time is a parameter.
///
/// Source: upstream client-go `tools/record/events_cache.go`.
package struct EventCorrelator {
    /// Keys kept of each kind.
    package static let cacheSize = 4096
    /// Similar events in ``aggregationInterval`` from which they are told as one.
    package static let aggregationCount = 10
    package static let aggregationInterval: Duration = .seconds(600)
    /// Events of an object at once, then one in ``refillInterval``.
    package static let burst = 25.0
    package static let refillInterval: Duration = .seconds(300)

    package enum Outcome: Equatable {
        /// Too many of this object.
        case drop
        case create(CoreV1.Event)
        /// Seen before: count up the one of the name.
        case update(CoreV1.Event)
    }

    private struct Bucket {
        var tokens: Double
        var at: Timestamp
    }

    private struct Aggregate {
        var messages: Set<String> = []
        var last: Timestamp
    }

    private struct Known {
        var name: String
        var count: Int32
        var first: MetaV1.Time
        var resourceVersion: String
    }

    private var buckets = BoundedCache<String, Bucket>(capacity: EventCorrelator.cacheSize)
    private var aggregates = BoundedCache<String, Aggregate>(capacity: EventCorrelator.cacheSize)
    private var known = BoundedCache<String, Known>(capacity: EventCorrelator.cacheSize)

    package init() {}

    /// Decides about an event that is new.
    package mutating func correlate(_ event: CoreV1.Event, now: Timestamp) -> Outcome {
        var event = event
        let key = self.aggregate(&event, now)
        if self.isSpam(event, now) { return .drop }
        guard let before = self.known[key] else {
            self.known[key] = Known(
                name: event.metadata.name,
                count: 1,
                first: event.firstTimestamp,
                resourceVersion: ""
            )
            return .create(event)
        }
        self.known[key]?.count += 1
        event.metadata.name = before.name
        event.metadata.resourceVersion = before.resourceVersion
        event.firstTimestamp = before.first
        event.count = before.count + 1
        return .update(event)
    }

    /// The server stored an event as this.
    package mutating func stored(_ event: CoreV1.Event) {
        let key = Self.fullKey(event)
        self.known[key] = Known(
            name: event.metadata.name,
            count: event.count,
            first: event.firstTimestamp,
            resourceVersion: event.metadata.resourceVersion
        )
    }

    /// Makes one event of many similar ones.
    ///
    /// - Returns: what tells the event from others.
    private mutating func aggregate(_ event: inout CoreV1.Event, _ now: Timestamp) -> String {
        let similar = Self.aggregateKey(event)
        var record = self.aggregates[similar] ?? Aggregate(last: now)
        if now.since(record.last) > Self.aggregationInterval { record = Aggregate(last: now) }
        record.messages.insert(event.message)
        record.last = now
        defer { self.aggregates[similar] = record }
        if record.messages.count < Self.aggregationCount { return Self.fullKey(event) }
        // Any will do; the set shall not grow for ever.
        if let first = record.messages.first { record.messages.remove(first) }
        event.message = "(combined from similar events): \(event.message)"
        return similar
    }

    private mutating func isSpam(_ event: CoreV1.Event, _ now: Timestamp) -> Bool {
        let key = Self.sourceKey(event)
        var bucket = self.buckets[key] ?? Bucket(tokens: Self.burst, at: now)
        let refilled = now.since(bucket.at) / Self.refillInterval
        bucket.tokens = min(Self.burst, bucket.tokens + max(refilled, 0))
        bucket.at = now
        let isSpam = bucket.tokens < 1
        if !isSpam { bucket.tokens -= 1 }
        self.buckets[key] = bucket
        return isSpam
    }

    // MARK: Keys

    private static func sourceKey(_ event: CoreV1.Event) -> String {
        let object = event.involvedObject
        return [
            event.source.component, event.source.host, object.kind, object.namespace, object.name,
            object.uid, object.apiVersion,
        ].joined(separator: "\u{0}")
    }

    private static func aggregateKey(_ event: CoreV1.Event) -> String {
        [
            self.sourceKey(event), event.type, event.reason, event.reportingComponent,
            event.reportingInstance,
        ].joined(separator: "\u{0}")
    }

    private static func fullKey(_ event: CoreV1.Event) -> String {
        [self.aggregateKey(event), event.involvedObject.fieldPath, event.message]
            .joined(separator: "\u{0}")
    }
}
