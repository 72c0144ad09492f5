// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import KeyValueStore
internal import Synchronization

/// Where watchers that are behind read their history.
protocol HistoryReader: AnyObject, Sendable {
    /// The changes from `revision` on, as many as fit, in whole revisions.
    func readHistory(from revision: Int64) throws(StoreError) -> HistoryChunk

    /// The record of `key` before `revision`; nil if there was none or it is compacted.
    func previousRecord(
        of key: UnsafeRawBufferPointer,
        before revision: Revision
    ) throws(StoreError) -> Bytes?

    /// A header with `revision`.
    func header(_ revision: Int64) -> ResponseHeader
}

/// Some changes in the order they were made.
struct HistoryChunk {
    struct Change {
        var revision: Revision
        var record: Bytes
    }

    var changes: [Change] = []
    /// All changes up to this are in the chunk.
    var end: Int64 = 0
    /// History before this is given up. Looked at after the changes were read: if it is not greater
    /// than where the chunk starts, the chunk is complete.
    var compactRevision: Int64 = -1
}

/// One watch stream: its watchers, and what waits for its reader.
///
/// Events that commits bring are queued up to a limit of bytes. A watcher that would go beyond it
/// is taken off the commits and reads history when the reader asks for more, so a reader that does
/// not read costs a bounded amount of memory and slows nobody down.
final class WatchSession: Sendable {
    /// Somebody to wake, after all locks are gone.
    enum Wakeup {
        case task(UnsafeContinuation<Void, Never>)
        case callback(@Sendable () -> Void)

        func run() {
            switch self {
            case .task(let continuation): continuation.resume()
            case .callback(let body): body()
            }
        }
    }

    private struct Item {
        var response: WatchResponse
        var watcher: Watcher?
        var bytes: Int
    }

    private struct State {
        var watchers: [Int64: Watcher] = [:]
        var nextID: Int64 = 0
        /// What waits, from `first` on.
        var queue: [Item] = []
        var first = 0
        var bytes = 0
        /// Watchers that have to read history.
        var behind: [Watcher] = []
        /// How often the queue was served since history was read last.
        var turns = 0
        var waiter: UnsafeContinuation<Void, Never>?
        var onReady: (@Sendable () -> Void)?
        var wantsProgress = false
        var isClosed = false

        var hasWork: Bool { self.first < self.queue.count || !self.behind.isEmpty || self.isClosed }

        mutating func takeWakeup() -> Wakeup? {
            if let waiter = self.waiter {
                self.waiter = nil
                return .task(waiter)
            }
            return self.onReady.map { .callback($0) }
        }

        mutating func push(_ item: Item) -> Wakeup? {
            self.queue.append(item)
            self.bytes += item.bytes
            return self.takeWakeup()
        }

        mutating func pop() -> Item? {
            guard self.first < self.queue.count else { return nil }
            let item = self.queue[self.first]
            self.first += 1
            self.bytes -= item.bytes
            if self.first == self.queue.count {
                self.queue.removeAll(keepingCapacity: self.queue.count < 64)
                self.first = 0
            } else if self.first >= 64, self.first * 2 >= self.queue.count {
                self.queue.removeFirst(self.first)
                self.first = 0
            }
            return item
        }

        mutating func pushBack(_ item: Item) {
            self.bytes += item.bytes
            if self.first > 0 {
                self.first -= 1
                self.queue[self.first] = item
            } else {
                self.queue.insert(item, at: 0)
            }
        }
    }

    /// What a response takes in memory besides its events.
    private static let responseBytes = 160

    /// How often the queue is served before a watcher that is behind gets a turn.
    private static let turnsBeforeHistory = 16

    /// The most responses that are not events: a client that asks without reading is refused then.
    private static let maximumQueued = 250_000

    private let hub: WatchHub
    private let limits: StoreLimits
    private let history: any HistoryReader
    private let state = Mutex(State())

    init(hub: WatchHub, limits: StoreLimits, history: any HistoryReader) {
        self.hub = hub
        self.limits = limits
        self.history = history
    }

    /// What waits for the reader: the number of responses and their bytes.
    var statistics: (count: Int, bytes: Int) {
        self.state.withLock { ($0.queue.count - $0.first, $0.bytes) }
    }

    // MARK: - Filling, under the hub's lock

    /// What became of a response.
    enum Enqueued {
        case queued(Wakeup?)
        /// The queue is full; the watcher has to read history.
        case full(Wakeup?)
    }

    /// Queues events of a commit.
    func enqueue(_ response: WatchResponse, _ watcher: Watcher) -> Enqueued {
        let bytes = response.events.encoded.count + Self.responseBytes
        return self.state.withLock { state in
            if state.isClosed { return .queued(nil) }
            let isEmpty = state.first == state.queue.count
            if !isEmpty, state.bytes + bytes > self.limits.maximumWatchStreamBytes {
                state.behind.append(watcher)
                return .full(state.takeWakeup())
            }
            let item = Item(response: response, watcher: watcher, bytes: bytes)
            return .queued(state.push(item))
        }
    }

    /// Queues a response without events.
    func enqueueControl(_ response: WatchResponse) -> Wakeup? {
        self.state.withLock { state in
            if state.isClosed { return nil }
            return state.push(Item(response: response, watcher: nil, bytes: Self.responseBytes))
        }
    }

    /// Takes a watcher that has ended off the stream and queues why.
    func end(_ watcher: Watcher, _ response: WatchResponse) -> Wakeup? {
        self.state.withLock { state in
            if state.isClosed { return nil }
            state.watchers[watcher.id] = nil
            state.behind.removeAll { $0 === watcher }
            return state.push(Item(response: response, watcher: nil, bytes: Self.responseBytes))
        }
    }

    // MARK: - Requests

    /// Texts of refused watchers.
    ///
    /// Source: etcd 3.6 `server/storage/mvcc/watcher.go`.
    private enum Refusal {
        static let duplicate = "mvcc: duplicate watch ID provided on the WatchStream"
        static let emptyRange = "mvcc: watcher range is empty"
        static let tooMany = "apus: too many watchers on the WatchStream"
    }

    func create(
        _ request: WatchCreateRequest,
        compactRevision: Int64
    ) throws(StoreError) {
        let isFull = self.state.withLock { $0.queue.count - $0.first >= Self.maximumQueued }
        if isFull { throw StoreError.requestTooManyRequests }
        var wakeup: Wakeup?
        let key: Bytes = request.key.isEmpty ? [0] : request.key
        let range = KeyRange(key: key, rangeEnd: request.rangeEnd)
        self.hub.add(startRevision: max(request.startRevision, 0)) { next, published in
            var response = WatchResponse(header: self.history.header(published), created: true)
            let watcher: Watcher? = self.state.withLock { state in
                if state.isClosed { return nil }
                var id = request.watchID
                if id == 0 {
                    while state.watchers[state.nextID] != nil { state.nextID += 1 }
                    id = state.nextID
                    state.nextID += 1
                }
                var refusal: String?
                if range.isEmpty { refusal = Refusal.emptyRange }
                if state.watchers[id] != nil { refusal = Refusal.duplicate }
                if state.watchers.count >= self.limits.maximumWatchersPerStream {
                    refusal = Refusal.tooMany
                }
                if request.startRevision < 0 {
                    refusal = StoreError.compacted.message
                    response.compactRevision = max(compactRevision, 1)
                }
                var watcher: Watcher?
                if let refusal {
                    response.watchID = WatchResponse.noWatchID
                    response.canceled = true
                    response.cancelReason = refusal
                } else {
                    response.watchID = id
                    let made = Watcher(request, id: id, session: self, next: next)
                    state.watchers[id] = made
                    if next <= published { state.behind.append(made) }
                    watcher = made
                }
                wakeup = state.push(
                    Item(response: response, watcher: nil, bytes: Self.responseBytes)
                )
                return watcher
            }
            return watcher
        }
        wakeup?.run()
    }

    func cancel(_ id: Int64) {
        guard let watcher = self.state.withLock({ $0.watchers[id] }) else { return }
        guard self.hub.remove(watcher) else { return }
        let response = WatchResponse(
            header: self.history.header(self.hub.published),
            watchID: id,
            canceled: true
        )
        self.end(watcher, response)?.run()
        self.checkProgress()
    }

    func requestProgress() {
        self.state.withLock { $0.wantsProgress = true }
        self.checkProgress()
    }

    /// Answers a request for progress if every watcher has got everything.
    private func checkProgress() {
        guard self.state.withLock({ $0.wantsProgress }) else { return }
        var wakeup: Wakeup?
        var isEmpty = false
        let check = self.hub.ifAllSynced {
            let watchers = self.state.withLock { Array($0.watchers.values) }
            isEmpty = watchers.isEmpty
            return watchers
        } _: { published in
            if isEmpty { return }
            let response = WatchResponse(
                header: self.history.header(published),
                watchID: WatchResponse.noWatchID
            )
            wakeup = self.enqueueControl(response)
        }
        switch check {
        case .done, .future: self.state.withLock { $0.wantsProgress = false }
        case .behind: break
        }
        wakeup?.run()
    }

    func close() {
        let (watchers, wakeup) = self.state.withLock { state in
            if state.isClosed { return ([Watcher](), Wakeup?.none) }
            state.isClosed = true
            let watchers = Array(state.watchers.values)
            state.watchers = [:]
            state.queue = []
            state.first = 0
            state.bytes = 0
            state.behind = []
            let wakeup = state.takeWakeup()
            state.onReady = nil
            return (watchers, wakeup)
        }
        for watcher in watchers { _ = self.hub.remove(watcher) }
        wakeup?.run()
    }

    /// Calls `body` whenever there may be something to take, instead of waiting for it. It must
    /// return at once.
    func onReady(_ body: @escaping @Sendable () -> Void) {
        let isReady = self.state.withLock { state in
            state.onReady = body
            return state.hasWork
        }
        if isReady { body() }
    }

    // MARK: - Reading

    /// What `take` found.
    enum Taken {
        case response(WatchResponse)
        /// Nothing for now.
        case nothing
        case closed
    }

    private enum Step {
        case item(Item)
        case history
        case nothing
        case closed
    }

    /// The next response, if there is one. Reads history for watchers that are behind. Only one
    /// task or thread at a time may call it.
    func take() throws(StoreError) -> Taken {
        while true {
            let step: Step = self.state.withLock { state in
                if state.isClosed { return .closed }
                let isTurn = !state.behind.isEmpty && state.turns >= Self.turnsBeforeHistory
                if !isTurn, let item = state.pop() {
                    state.turns += 1
                    return .item(item)
                }
                if state.behind.isEmpty {
                    guard let item = state.pop() else { return .nothing }
                    return .item(item)
                }
                state.turns = 0
                return .history
            }
            switch step {
            case .item(let item): return .response(self.cut(item))
            case .history: try self.catchUp()
            case .nothing: return .nothing
            case .closed: return .closed
            }
        }
    }

    /// Waits until there may be something to take.
    func wait() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let goesOn = self.state.withLock { state in
                    if state.hasWork { return true }
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            self.close()
        }
    }

    /// Cuts a response that is too big for one message, between revisions if it can be or the
    /// watcher does not take fragments. The rest goes back to the front of the queue.
    private func cut(_ item: Item) -> WatchResponse {
        let events = item.response.events
        let maximum = self.limits.maximumWatchResponseBytes
        guard events.encoded.count > maximum, events.count > 1, let watcher = item.watcher else {
            return item.response
        }
        var bytes = 0
        var end = 0
        /// The end of the last whole revision that fits; if none does, of the first revision.
        var boundary = 0
        var last = events.modRevision(ofEvent: 0)
        while end < events.count {
            let revision = events.modRevision(ofEvent: end)
            if revision != last {
                boundary = end
                last = revision
                if bytes > maximum { break }
            }
            let size = events.encodedByteCount(ofEvent: end)
            if bytes + size > maximum, end > 0, boundary > 0 || watcher.fragment { break }
            bytes += size
            end += 1
        }
        if end == events.count { return item.response }
        let isFragment = boundary == 0
        let cut = isFragment ? end : boundary
        var response = item.response
        response.events = events.part(0..<cut)
        response.fragment = isFragment
        var rest = item.response
        rest.events = events.part(cut..<events.count)
        let restBytes = rest.events.encoded.count + Self.responseBytes
        self.state.withLock { state in
            if !state.isClosed {
                state.pushBack(Item(response: rest, watcher: watcher, bytes: restBytes))
            }
        }
        return response
    }

    // MARK: - History

    /// Reads one chunk of history for the watchers that are behind.
    private func catchUp() throws(StoreError) {
        let behind = self.state.withLock { $0.behind }
        var positions: [(watcher: Watcher, next: Int64)] = []
        for watcher in behind {
            if let next = self.hub.position(of: watcher) { positions.append((watcher, next)) }
        }
        guard let from = positions.map(\.next).min() else {
            self.state.withLock { $0.behind.removeAll { $0.hasEnded } }
            return
        }
        let chunk = try self.history.readHistory(from: from)
        let header = self.history.header(max(chunk.end, self.hub.published))
        var finished: [ObjectIdentifier: Bool] = [:]
        let builders = try self.collect(chunk, positions)
        for (index, (watcher, next)) in positions.enumerated() {
            if next < chunk.compactRevision {
                if self.hub.remove(watcher) {
                    let response = WatchHub.compacted(watcher.id, chunk.compactRevision, header)
                    self.end(watcher, response)?.run()
                }
                finished[ObjectIdentifier(watcher)] = true
                continue
            }
            var builder = builders[index]
            if builder.count > 0 {
                let response = WatchResponse(
                    header: header,
                    watchID: watcher.id,
                    events: builder.finish()
                )
                let bytes = response.events.encoded.count + Self.responseBytes
                let item = Item(response: response, watcher: watcher, bytes: bytes)
                let wakeup = self.state.withLock { $0.isClosed ? nil : $0.push(item) }
                wakeup?.run()
            }
            switch self.hub.advance(watcher, to: chunk.end + 1) {
            case .behind: continue
            case .synced, .ended: finished[ObjectIdentifier(watcher)] = true
            }
        }
        if !finished.isEmpty {
            self.state.withLock { state in
                // A watcher may have been overtaken again since: the hub put it back then.
                state.behind.removeAll { watcher in
                    guard finished[ObjectIdentifier(watcher)] == true else { return false }
                    finished[ObjectIdentifier(watcher)] = false
                    return true
                }
            }
            self.checkProgress()
        }
    }

    /// Puts together the events of a chunk for each of the watchers.
    private func collect(
        _ chunk: HistoryChunk,
        _ positions: [(watcher: Watcher, next: Int64)]
    ) throws(StoreError) -> [WatchEvents.Builder] {
        var builders = [WatchEvents.Builder](
            repeating: WatchEvents.Builder(),
            count: positions.count
        )
        var tree = IntervalTree()
        for (index, (watcher, _)) in positions.enumerated() { tree.insert(watcher.range, index) }
        for change in chunk.changes {
            var previous: Bytes?
            var hasLookedForPrevious = false
            var failure: StoreError?
            change.record.withUnsafeBytes { bytes in
                let record = Record.openUnchecked(bytes)
                guard let keyValue = record.keyValue else { return }
                tree.forEachValue(containing: keyValue.key) { index in
                    let (watcher, next) = positions[index]
                    guard change.revision.main >= next,
                        watcher.admits(isDelete: record.isTombstone)
                    else { return }
                    if watcher.prevKV, !hasLookedForPrevious {
                        hasLookedForPrevious = true
                        do throws(StoreError) {
                            previous = try self.history.previousRecord(
                                of: keyValue.key,
                                before: change.revision
                            )
                        } catch {
                            failure = error
                        }
                    }
                    let type: Event.EventType = record.isTombstone ? .delete : .put
                    let own = watcher.prevKV ? previous : nil
                    if let own {
                        own.withUnsafeBytes { old in
                            builders[index].append(
                                type,
                                keyValue: record.body,
                                previous: Record.openUnchecked(old).body
                            )
                        }
                    } else {
                        builders[index].append(type, keyValue: record.body, previous: nil)
                    }
                }
            }
            if let failure { throw failure }
        }
        return builders
    }
}
