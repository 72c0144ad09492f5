// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes
public import KeyValueStore

/// A write as the client that made it knows it.
public struct RecordedWrite: Sendable {
    /// The revision it was acknowledged with.
    public var revision: Int64
    /// What it changed, in order: the new value of each key, or nil for a deletion.
    public var changes: [(key: Bytes, value: Bytes?)]

    public init(revision: Int64, changes: [(key: Bytes, value: Bytes?)]) {
        self.revision = revision
        self.changes = changes
    }
}

/// Judges what a watcher was told against everything that was written.
///
/// The nine properties are those of etcd's robustness tests (`tests/robustness/validate`): events
/// are *ordered*, *unique*, *atomic* (all of one revision together) and *reliable* (none is
/// missing); a watch is *resumable* (from r it gives exactly what is at r and later) and
/// *bookmarkable* (after a progress notification at r nothing at or before r follows, and nothing
/// is missing); *previous values*, *create and modify*, and *filters* are right.
public struct WatchChecker: Sendable {
    private let events: [Event]

    /// - Parameter writes: Every write to the keys in question, in any order.
    public init(writes: [RecordedWrite]) {
        var events: [Event] = []
        var current: [Bytes: KeyValue] = [:]
        for write in writes.sorted(by: { $0.revision < $1.revision }) {
            for (key, value) in write.changes {
                let previous = current[key]
                guard let value else {
                    let kv = KeyValue(key: key, modRevision: write.revision)
                    events.append(Event(type: .delete, kv: kv, prevKV: previous))
                    current[key] = nil
                    continue
                }
                let kv = KeyValue(
                    key: key,
                    createRevision: previous?.createRevision ?? write.revision,
                    modRevision: write.revision,
                    version: (previous?.version ?? 0) + 1,
                    value: value
                )
                events.append(Event(type: .put, kv: kv, prevKV: previous))
                current[key] = kv
            }
        }
        self.events = events
    }

    /// The events a watcher of `request` has to be told up to `last`.
    public func expected(_ request: WatchCreateRequest, through last: Int64) -> [Event] {
        self.events.filter { event in
            event.kv.modRevision >= request.startRevision && event.kv.modRevision <= last
                && Self.contains(request, event.kv.key)
                && !request.filters.contains(event.type == .put ? .noPut : .noDelete)
        }.map { event in
            var event = event
            if !request.prevKV { event.prevKV = nil }
            return event
        }
    }

    private static func contains(_ request: WatchCreateRequest, _ key: Bytes) -> Bool {
        if request.rangeEnd.isEmpty { return key == request.key }
        if request.rangeEnd == RangeEnd.fromKey { return key >= request.key }
        return key >= request.key && key < request.rangeEnd
    }

    /// Checks what one watcher was told, from its creation on.
    ///
    /// - Parameters:
    ///   - responses: Everything it was told, in order.
    ///   - request: What it asked for, with its start revision.
    ///   - last: How far it was read.
    public func check(
        _ responses: [WatchResponse],
        _ request: WatchCreateRequest,
        through last: Int64
    ) throws {
        var told: [Event] = []
        var progress: Int64 = 0
        var openRevision: Int64?
        for response in responses where !response.created {
            if response.isProgressNotify {
                progress = max(progress, response.header.revision)
                let due = self.expected(request, through: response.header.revision).count
                let have = told.count
                try expect(
                    have >= due,
                    "bookmarkable: \(have) of \(due) events before progress \(progress)"
                )
                continue
            }
            guard let first = response.events.first else { continue }
            try expect(
                first.kv.modRevision > progress,
                "bookmarkable: event \(first.kv.modRevision) after progress \(progress)"
            )
            if let before = told.last?.kv.modRevision {
                let continues = first.kv.modRevision == before
                try expect(
                    !continues || openRevision == before,
                    "atomic: revision \(before) is split"
                )
            }
            told.append(contentsOf: response.events)
            openRevision = response.fragment ? told.last?.kv.modRevision : nil
        }
        var previous: Int64 = 0
        for event in told {
            try expect(
                event.kv.modRevision >= previous,
                "ordered: \(event.kv.modRevision) after \(previous)"
            )
            previous = event.kv.modRevision
        }
        let due = self.expected(request, through: last)
        let told2 = told.filter { $0.kv.modRevision <= last }
        for (index, (event, wanted)) in zip(told2, due).enumerated() where event != wanted {
            throw BehaviorFailure(
                message: "event \(index) is \(Self.text(event)), should be \(Self.text(wanted))",
                file: #fileID,
                line: #line
            )
        }
        try expect(
            told2.count == due.count,
            "reliable: \(told2.count) events were told, \(due.count) were made"
        )
    }

    private static func text(_ event: Event) -> String {
        let key = String(decoding: event.kv.key, as: UTF8.self)
        let previous = event.prevKV.map { " before \($0.modRevision)" } ?? ""
        return "\(event.type) \(key) at \(event.kv.modRevision) "
            + "created \(event.kv.createRevision) version \(event.kv.version)\(previous)"
    }
}
