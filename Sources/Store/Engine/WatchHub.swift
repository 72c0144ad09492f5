// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore
internal import Synchronization

/// A watcher: a range, the options, and how far it is.
///
/// Its variables belong to the hub and are touched under the hub's lock.
final class Watcher: @unchecked Sendable {
    // SAFETY: the `var`s are guarded by the hub's lock.

    let id: Int64
    let range: KeyRange
    let prevKV: Bool
    let filters: WatchCreateRequest.Filters
    let fragment: Bool
    let progressNotify: Bool
    let session: WatchSession

    /// The revision of the next event it may get: all matching ones before it are delivered or
    /// queued.
    var next: Int64
    /// The group that feeds it; nil while it reads history, or has ended.
    var group: Int?
    /// Its place in the group.
    var place = 0
    var hasEnded = false
    /// Whether it was sent something since the last progress notification was due.
    var wasBusy = false

    init(_ request: WatchCreateRequest, id: Int64, session: WatchSession, next: Int64) {
        self.id = id
        self.range = KeyRange(
            key: request.key.isEmpty ? [0] : request.key.detached(),
            rangeEnd: request.rangeEnd.detached()
        )
        self.prevKV = request.prevKV
        self.filters = request.filters
        self.fragment = request.fragment
        self.progressNotify = request.progressNotify
        self.session = session
        self.next = next
    }

    /// Whether the filters let the event through.
    @inline(__always)
    func admits(isDelete: Bool) -> Bool {
        !self.filters.contains(isDelete ? .noDelete : .noPut)
    }
}

/// Matches committed changes with watchers and hands them on.
///
/// Watchers with the same range and options form a group. A commit is matched with groups, and the
/// events of a group are put together once, whatever the number of its watchers: each gets a
/// reference.
///
/// Lock order: hub, then the store's state, then a session.
final class WatchHub: Sendable {
    /// What watchers of a group have in common.
    private struct GroupKey: Hashable {
        var range: KeyRange
        var prevKV: Bool
        var filters: UInt8
    }

    private struct Group {
        var key: GroupKey
        var watchers: [Watcher] = []
        /// The events of the commit that is being published.
        var builder = WatchEvents.Builder()
        var firstRevision: Int64 = 0
    }

    private struct State {
        var groups: [Group] = []
        var freeGroups: [Int] = []
        var groupIndex: [GroupKey: Int] = [:]
        /// Groups of one key, by the key; the others are in the tree.
        var singles: [Bytes: [Int]] = [:]
        var ranges = IntervalTree()
        /// Watchers that read history.
        var unsynced: [ObjectIdentifier: Watcher] = [:]
        /// Watchers that want to hear of progress.
        var notified: [ObjectIdentifier: Watcher] = [:]
        var watcherCount = 0
        /// All changes up to this have been published.
        var published: Int64
    }

    private let state: Mutex<State>

    init(published: Int64) {
        self.state = Mutex(State(published: published))
    }

    /// The number of watchers.
    var watcherCount: Int { self.state.withLock { $0.watcherCount } }

    /// The revision up to which everything has been published.
    var published: Int64 { self.state.withLock { $0.published } }

    // MARK: - Publishing

    /// What the hub asks for while it publishes.
    struct Source: Sendable {
        /// Makes the commit visible to readers. Called under the hub's lock, so that no watcher is
        /// created between the two.
        var makeVisible: @Sendable () -> Void
        /// The record of the key before the revision, if there is one.
        var previous: @Sendable (UnsafeRawBufferPointer, Revision) -> Bytes?
    }

    /// Publishes a commit.
    ///
    /// - Parameters:
    ///   - records: What changed, in order, as places in `frame`.
    ///   - compactRevision: Watchers that have not got beyond it in history end.
    /// - Returns: Who has to be woken, after the locks are gone.
    func publish(
        _ records: [FrameBuilder.RecordPlace],
        in frame: FrameStorage?,
        revision: Int64,
        header: ResponseHeader,
        compactRevision: Int64?,
        _ source: Source
    ) -> [WatchSession.Wakeup] {
        self.state.withLock { state in
            source.makeVisible()
            var wakeups: [WatchSession.Wakeup] = []
            if let frame, !state.groupIndex.isEmpty {
                let active = Self.match(records, frame, &state, source)
                for group in active {
                    Self.deliver(group, revision, header, &state, &wakeups)
                }
            }
            state.published = revision
            if let compactRevision {
                Self.cancelCompacted(compactRevision, header, &state, &wakeups)
            }
            return wakeups
        }
    }

    /// Collects the events of each group; answers the groups that have any.
    private static func match(
        _ records: [FrameBuilder.RecordPlace],
        _ frame: FrameStorage,
        _ state: inout State,
        _ source: Source
    ) -> [Int] {
        var active: [Int] = []
        var matches: [Int] = []
        for place in records {
            let bytes = UnsafeRawBufferPointer(
                start: frame.base + place.offset,
                count: place.count
            )
            let record = Record.openUnchecked(bytes)
            guard let keyValue = record.keyValue else { continue }
            matches.removeAll(keepingCapacity: true)
            if !state.singles.isEmpty {
                let key = Bytes(
                    start: keyValue.key.baseAddress ?? UnsafeRawPointer(frame.base),
                    count: keyValue.key.count,
                    owner: frame
                )
                if let groups = state.singles[key] { matches.append(contentsOf: groups) }
            }
            if state.ranges.count > 0 {
                state.ranges.forEachValue(containing: keyValue.key) { matches.append($0) }
            }
            var previous: Bytes?
            var hasLookedForPrevious = false
            for index in matches {
                let key = state.groups[index].key
                let filters = WatchCreateRequest.Filters(rawValue: key.filters)
                if filters.contains(record.isTombstone ? .noDelete : .noPut) { continue }
                if key.prevKV, !hasLookedForPrevious {
                    previous = source.previous(keyValue.key, place.revision)
                    hasLookedForPrevious = true
                }
                if state.groups[index].builder.count == 0 {
                    active.append(index)
                    state.groups[index].firstRevision = place.revision.main
                }
                let type: Event.EventType = record.isTombstone ? .delete : .put
                if key.prevKV, let previous {
                    previous.withUnsafeBytes { bytes in
                        let body = Record.openUnchecked(bytes).body
                        state.groups[index].builder.append(
                            type,
                            keyValue: record.body,
                            previous: body
                        )
                    }
                } else {
                    state.groups[index].builder.append(
                        type,
                        keyValue: record.body,
                        previous: nil
                    )
                }
            }
        }
        return active
    }

    /// Queues the events of a group for each of its watchers.
    private static func deliver(
        _ index: Int,
        _ revision: Int64,
        _ header: ResponseHeader,
        _ state: inout State,
        _ wakeups: inout [WatchSession.Wakeup]
    ) {
        let events = state.groups[index].builder.finish()
        let first = state.groups[index].firstRevision
        var overflown: [Watcher] = []
        for watcher in state.groups[index].watchers {
            var own = events
            if watcher.next > first {
                guard let start = events.firstIndex(where: { $0.kv.modRevision >= watcher.next })
                else { continue }
                own = events.part(start..<events.count)
            }
            var response = WatchResponse(header: header, watchID: watcher.id, events: own)
            response.header.revision = revision
            switch watcher.session.enqueue(response, watcher) {
            case .queued(let wakeup):
                watcher.next = revision + 1
                watcher.wasBusy = true
                if let wakeup { wakeups.append(wakeup) }
            case .full(let wakeup):
                // It goes on from history when its reader has caught up with what is queued.
                watcher.next = max(watcher.next, first)
                overflown.append(watcher)
                if let wakeup { wakeups.append(wakeup) }
            }
        }
        for watcher in overflown {
            Self.leaveGroup(watcher, &state)
            state.unsynced[ObjectIdentifier(watcher)] = watcher
        }
    }

    private static func cancelCompacted(
        _ compactRevision: Int64,
        _ header: ResponseHeader,
        _ state: inout State,
        _ wakeups: inout [WatchSession.Wakeup]
    ) {
        for watcher in state.unsynced.values where watcher.next < compactRevision {
            Self.remove(watcher, &state)
            let response = Self.compacted(watcher.id, compactRevision, header)
            if let wakeup = watcher.session.end(watcher, response) { wakeups.append(wakeup) }
        }
    }

    static func compacted(
        _ id: Int64,
        _ compactRevision: Int64,
        _ header: ResponseHeader
    ) -> WatchResponse {
        WatchResponse(
            header: header,
            watchID: id,
            canceled: true,
            compactRevision: compactRevision,
            cancelReason: StoreError.compacted.message
        )
    }

    // MARK: - Watchers

    /// Starts a watcher at `startRevision`, or at the next change if that is 0.
    ///
    /// - Parameters:
    ///   - make: Makes the watcher, given its first revision and the published one.
    func add(
        startRevision: Int64,
        _ make: (_ next: Int64, _ published: Int64) -> Watcher?
    ) {
        self.state.withLock { state in
            let next = startRevision == 0 ? state.published + 1 : startRevision
            guard let watcher = make(next, state.published) else { return }
            state.watcherCount += 1
            if watcher.progressNotify { state.notified[ObjectIdentifier(watcher)] = watcher }
            if next > state.published {
                Self.joinGroup(watcher, &state)
            } else {
                state.unsynced[ObjectIdentifier(watcher)] = watcher
            }
        }
    }

    /// Ends a watcher; false if it had ended.
    func remove(_ watcher: Watcher) -> Bool {
        self.state.withLock { state in
            if watcher.hasEnded { return false }
            Self.remove(watcher, &state)
            return true
        }
    }

    private static func remove(_ watcher: Watcher, _ state: inout State) {
        if watcher.hasEnded { return }
        watcher.hasEnded = true
        self.leaveGroup(watcher, &state)
        state.unsynced[ObjectIdentifier(watcher)] = nil
        state.notified[ObjectIdentifier(watcher)] = nil
        state.watcherCount -= 1
    }

    /// Tells that a watcher has been given history up to, but not including, `next`.
    ///
    /// - Returns: What is to be done with it now.
    func advance(_ watcher: Watcher, to next: Int64) -> Advance {
        self.state.withLock { state in
            if watcher.hasEnded { return .ended }
            watcher.next = max(watcher.next, next)
            guard watcher.next > state.published else { return .behind }
            state.unsynced[ObjectIdentifier(watcher)] = nil
            Self.joinGroup(watcher, &state)
            return .synced
        }
    }

    /// How a watcher that reads history stands.
    enum Advance {
        /// There is more history.
        case behind
        /// It is fed by commits from now on.
        case synced
        case ended
    }

    /// Where a watcher that reads history goes on; nil if it has ended.
    func position(of watcher: Watcher) -> Int64? {
        self.state.withLock { _ in watcher.hasEnded ? nil : watcher.next }
    }

    /// Runs `body` with the published revision if every one of `watchers` is fed by commits and has
    /// begun. Nothing can be published and no watcher added meanwhile.
    func ifAllSynced(_ watchers: () -> [Watcher], _ body: (Int64) -> Void) -> SyncCheck {
        self.state.withLock { state in
            for watcher in watchers() where !watcher.hasEnded {
                if watcher.group == nil { return .behind }
                if watcher.next > state.published + 1 { return .future }
            }
            body(state.published)
            return .done
        }
    }

    /// How `ifAllSynced` ended.
    enum SyncCheck {
        case done
        /// A watcher reads history.
        case behind
        /// A watcher has not begun.
        case future
    }

    private static func joinGroup(_ watcher: Watcher, _ state: inout State) {
        let key = GroupKey(
            range: watcher.range,
            prevKV: watcher.prevKV,
            filters: watcher.filters.rawValue
        )
        let index: Int
        if let known = state.groupIndex[key] {
            index = known
        } else {
            if let free = state.freeGroups.popLast() {
                index = free
                state.groups[index] = Group(key: key)
            } else {
                index = state.groups.count
                state.groups.append(Group(key: key))
            }
            state.groupIndex[key] = index
            if key.range.end == .single {
                state.singles[key.range.key, default: []].append(index)
            } else {
                state.ranges.insert(key.range, index)
            }
        }
        watcher.group = index
        watcher.place = state.groups[index].watchers.count
        state.groups[index].watchers.append(watcher)
    }

    private static func leaveGroup(_ watcher: Watcher, _ state: inout State) {
        guard let index = watcher.group else { return }
        watcher.group = nil
        let last = state.groups[index].watchers.removeLast()
        if last !== watcher {
            state.groups[index].watchers[watcher.place] = last
            last.place = watcher.place
        }
        guard state.groups[index].watchers.isEmpty else { return }
        let key = state.groups[index].key
        state.groupIndex[key] = nil
        if key.range.end == .single {
            state.singles[key.range.key]?.removeAll { $0 == index }
            if state.singles[key.range.key]?.isEmpty ?? false {
                state.singles[key.range.key] = nil
            }
        } else {
            state.ranges.remove(key.range, index)
        }
        state.freeGroups.append(index)
    }

    // MARK: - Progress

    /// Whether any watcher wants to hear of progress.
    var hasNotified: Bool { self.state.withLock { !$0.notified.isEmpty } }

    /// Tells the progress to each watcher that asked for it and was not sent anything since the
    /// last call.
    func notifyProgress(_ header: ResponseHeader) -> [WatchSession.Wakeup] {
        self.state.withLock { state in
            var wakeups: [WatchSession.Wakeup] = []
            for watcher in state.notified.values {
                if watcher.wasBusy {
                    watcher.wasBusy = false
                    continue
                }
                guard watcher.group != nil, watcher.next <= state.published + 1 else { continue }
                var response = WatchResponse(header: header, watchID: watcher.id)
                response.header.revision = state.published
                if let wakeup = watcher.session.enqueueControl(response) { wakeups.append(wakeup) }
            }
            return wakeups
        }
    }
}
