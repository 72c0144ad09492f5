// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization

/// A change of an object, shared by all that watch it.
package final class CacheEvent: Sendable {
    /// What a watcher is told.
    package enum Kind: UInt8, Sendable {
        case added = 1
        case modified = 2
        case deleted = 3
    }

    package let kind: Kind
    /// The object after the change; at a deletion as it was, with the deletion's revision.
    package let object: CachedObject
    /// The object before the change; nil for one that was added.
    package let previous: CachedObject?
    private let frames = Mutex<[Frame]>([])

    private struct Frame {
        var key: FrameKey
        var encoded: any AnyObject & Sendable
    }

    /// An encoding of an event.
    package struct FrameKey: Hashable, Sendable {
        package var kind: Kind
        /// Whoever encodes numbers its formats.
        package var format: Int

        package init(kind: Kind, format: Int) {
            self.kind = kind
            self.format = format
        }
    }

    init(_ kind: Kind, _ object: CachedObject, previous: CachedObject?) {
        self.kind = kind
        self.object = object
        self.previous = previous
    }

    package var revision: Int64 { self.object.revision }

    /// The event in a format, made by the first watcher that wants it.
    package func frame<Encoded: AnyObject & Sendable, E: Error>(
        _ key: FrameKey,
        _ make: () throws(E) -> Encoded
    ) throws(E) -> Encoded {
        let kept = self.frames.withLock { frames in
            frames.first { $0.key == key }?.encoded
        }
        if let kept = kept as? Encoded { return kept }
        let made = try make()
        self.frames.withLock { frames in
            if !frames.contains(where: { $0.key == key }) {
                frames.append(Frame(key: key, encoded: made))
            }
        }
        return made
    }
}

/// The last events of a resource in their order, each with a number that never comes again.
struct EventRing {
    private var events: [CacheEvent] = []
    /// How many of `events` have been given up already.
    private var head = 0
    /// The number of the event at `head`.
    private(set) var first = 0
    private var bytes = 0
    /// Everything after this revision is here.
    private(set) var floor: Int64

    /// The most events that are kept.
    static let maximumCount = 100_000
    /// The memory that kept events may hold on to, as long as there are ``minimumCount``.
    static let maximumBytes = 64 << 20
    /// The events that are kept whatever their size.
    static let minimumCount = 128

    init(floor: Int64) {
        self.floor = floor
    }

    /// The number that the next event gets.
    var next: Int { self.first + self.count }
    var count: Int { self.events.count - self.head }

    mutating func append(_ event: CacheEvent) {
        self.events.append(event)
        self.bytes += event.object.footprint
        while self.count > Self.maximumCount
            || (self.bytes > Self.maximumBytes && self.count > Self.minimumCount)
        {
            self.dropFirst()
        }
        if self.head > 1024, self.head > self.events.count / 2 {
            self.events.removeSubrange(0..<self.head)
            self.head = 0
        }
    }

    private mutating func dropFirst() {
        let event = self.events[self.head]
        self.bytes -= event.object.footprint
        self.floor = event.revision
        self.head += 1
        self.first += 1
    }

    /// The number of the first event after a revision; nil when such events are gone.
    func position(after revision: Int64) -> Int? {
        guard revision >= self.floor else { return nil }
        var low = self.head
        var high = self.events.count
        while low < high {
            let middle = (low + high) / 2
            if self.events[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return self.first + low - self.head
    }

    /// At most `limit` events from a number on; nil when it is gone.
    func events(from number: Int, limit: Int) -> ArraySlice<CacheEvent>? {
        guard number >= self.first else { return nil }
        let start = self.head + number - self.first
        return self.events[start..<min(start + limit, self.events.count)]
    }
}
