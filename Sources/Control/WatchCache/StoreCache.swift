// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes
package import KeyValueStore
import Synchronization

/// All resources of the store in memory, kept up to date by one watch of everything below
/// `/registry/`.
///
/// One watch for all gives all caches the same idea of how far they are: a list is consistent as
/// soon as this one revision has reached the store's, whichever resource the last write was of.
package final class StoreCache: Sendable {
    package let store: any KeyValueStore
    package let timers = DeadlineQueue()
    private let caches: [Bytes: ResourceCache]
    private let state = Mutex(State())

    private struct State {
        /// Everything up to this revision has been applied.
        var applied: Int64 = 0
        var isReady = false
        var waiters: [UInt64: Waiter] = [:]
        var nextID: UInt64 = 0
        var stream: (any WatchStream)?
        var hasAskedForProgress = false
        /// Whether the store's answers about progress hold what they promise.
        var trustsProgress = true
        /// Why the store is not followed at the moment.
        var failure: String?
    }

    private struct Waiter {
        var revision: Int64
        var continuation: CheckedContinuation<Bool, Never>
    }

    /// What all keys begin with.
    package static let root: Bytes = "/registry/"

    /// How many keys are read at once when the state is read.
    private static let pageLimit: Int64 = 2_000

    package init(store: any KeyValueStore, caches: [ResourceCache]) {
        self.store = store
        self.caches = Dictionary(caches.map { ($0.prefix, $0) }) { first, _ in first }
    }

    /// The cache of a resource with these keys.
    package func cache(prefix: Bytes) -> ResourceCache? { self.caches[prefix] }

    /// Everything up to this revision is in the caches.
    package var applied: Int64 { self.state.withLock { $0.applied } }

    /// Whether the state has been read.
    package var isReady: Bool { self.state.withLock { $0.isReady } }

    /// Why the store cannot be followed just now; nil when it is.
    package var failure: String? { self.state.withLock { $0.failure } }

    /// Ends all watches, and those that begin from now on: the server goes away.
    package func endWatches() {
        for cache in self.caches.values { cache.endWatches() }
    }

    // MARK: - Following

    /// Reads the state and follows the store until the task is cancelled. Goes on after failures of
    /// the store, where it left off if that is possible.
    package func run(onReady: @Sendable () -> Void = {}) async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do throws(StoreError) {
                if !self.isReady {
                    try await self.load()
                    onReady()
                }
                try await self.follow()
                pause = .milliseconds(50)
            } catch {
                self.fail(error)
                if error == .compacted { self.state.withLock { $0.isReady = false } }
            }
            if Task.isCancelled { break }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(2))
        }
        self.endWaiters()
    }

    private func fail(_ error: StoreError) {
        self.state.withLock { state in
            state.failure = error.description
            state.stream = nil
            state.hasAskedForProgress = false
        }
    }

    /// Reads all objects at one revision.
    private func load() async throws(StoreError) {
        var objects: [Bytes: [CachedObject]] = [:]
        var start = Self.root
        let end = RangeEnd.prefix(Self.root)
        var revision: Int64 = 0
        while true {
            let page = try await self.store.range(
                RangeRequest(key: start, rangeEnd: end, limit: Self.pageLimit, revision: revision)
            )
            if revision == 0 { revision = page.header.revision }
            for keyValue in page.kvs {
                guard let (cache, key) = self.locate(keyValue.key),
                    let object = CachedObject.make(key: key, keyValue, cache.form)
                else { continue }
                objects[cache.prefix, default: []].append(object)
            }
            guard page.more, let last = page.kvs.last else { break }
            start = Bytes([UInt8](last.key) + [0])
        }
        for cache in self.caches.values {
            let sorted = objects.removeValue(forKey: cache.prefix) ?? []
            cache.reset(OrderedObjects(sorted: sorted), revision: revision)
        }
        _ = self.advance(to: revision)
        self.state.withLock { $0.isReady = true }
    }

    /// Whether a store of this version answers a request for progress only after it has sent every
    /// event up to the revision that it names. Older ones let the answer overtake events.
    ///
    /// Source: etcd issue 15220; upstream's feature check `RequestWatchProgress` has these versions.
    static func trustsProgress(ofVersion text: String) -> Bool {
        let numbers = text.prefix { $0 != "-" }.split(separator: ".").map { Int($0) ?? 0 }
        guard numbers.count == 3 else { return false }
        switch (numbers[0], numbers[1]) {
        case (3, 4): return numbers[2] >= 31
        case (3, 5): return numbers[2] >= 13
        default: return (numbers[0], numbers[1]) > (3, 5)
        }
    }

    /// Whether a wait for a revision ends for certain: when nothing else is written, only the
    /// store's word on its progress ends it.
    package var trustsProgress: Bool { self.state.withLock { $0.trustsProgress } }

    /// Applies events until the watch ends.
    private func follow() async throws(StoreError) {
        let version = try await self.store.status().version
        let trustsProgress = Self.trustsProgress(ofVersion: version)
        self.state.withLock { $0.trustsProgress = trustsProgress }
        let stream = try await self.store.openWatchStream()
        defer { stream.close() }
        try await stream.create(
            WatchCreateRequest(
                key: Self.root,
                rangeEnd: RangeEnd.prefix(Self.root),
                startRevision: self.applied + 1,
                progressNotify: true
            )
        )
        while let response = try await stream.next() {
            if response.created {
                let isWaitedFor = self.state.withLock { state in
                    state.stream = stream
                    state.failure = nil
                    state.hasAskedForProgress = !state.waiters.isEmpty
                    return !state.waiters.isEmpty
                }
                if isWaitedFor, trustsProgress { try await stream.requestProgress() }
            }
            if response.canceled {
                if response.compactRevision > 0 { throw .compacted }
                throw StoreError(.unavailable, response.cancelReason)
            }
            if response.events.isEmpty {
                guard response.isProgressNotify else { continue }
                let isMoreWanted = self.advance(to: response.header.revision)
                if isMoreWanted, trustsProgress { try await stream.requestProgress() }
                continue
            }
            self.apply(response)
        }
        throw .watchCanceled
    }

    private func apply(_ response: WatchResponse) {
        var changes: [Bytes: [ResourceCache.Change]] = [:]
        var last: Int64 = 0
        for event in response.events {
            last = event.kv.modRevision
            guard let (cache, key) = self.locate(event.kv.key) else { continue }
            if event.type == .delete {
                changes[cache.prefix, default: []].append(
                    .delete(key, revision: event.kv.modRevision)
                )
            } else if let object = CachedObject.make(key: key, event.kv, cache.form) {
                changes[cache.prefix, default: []].append(.put(object))
            }
        }
        for (prefix, changes) in changes { self.caches[prefix]?.apply(changes) }
        // Events of the last revision may go on in the next response.
        _ = self.advance(to: response.fragment ? last - 1 : last)
    }

    /// The cache that a key belongs to, and the rest of the key.
    private func locate(_ key: Bytes) -> (ResourceCache, Bytes)? {
        var slashes = 0
        for index in Self.root.count..<key.count where key[index] == UInt8(ascii: "/") {
            slashes += 1
            let prefix = key.slice(0..<(index + 1))
            if let cache = self.caches[prefix] {
                let rest = key.slice((index + 1)..<key.count)
                return rest.isEmpty ? nil : (cache, rest)
            }
            if slashes == 2 { return nil }
        }
        return nil
    }

    // MARK: - Freshness

    /// Says that everything up to a revision has been applied.
    ///
    /// - Returns: whether somebody waits for more.
    private func advance(to revision: Int64) -> Bool {
        let (ready, isMoreWanted) = self.state.withLock { state -> ([Waiter], Bool) in
            state.applied = max(state.applied, revision)
            let ready = state.waiters.filter { $0.value.revision <= state.applied }
            for id in ready.keys { state.waiters[id] = nil }
            if state.waiters.isEmpty { state.hasAskedForProgress = false }
            return (Array(ready.values), !state.waiters.isEmpty)
        }
        for waiter in ready { waiter.continuation.resume(returning: true) }
        return isMoreWanted
    }

    private func endWaiters() {
        let waiters = self.state.withLock { state in
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
    }

    /// The store's present revision.
    package func currentRevision() async throws(StoreError) -> Int64 {
        try await self.store.range(
            RangeRequest(key: Self.root, limit: 1, countOnly: true)
        ).header.revision
    }

    /// Waits until the caches have everything up to a revision.
    ///
    /// - Returns: false when they do not in time.
    package func waitUntilApplied(_ revision: Int64, timeout: Duration) async -> Bool {
        if self.applied >= revision { return true }
        let deadline = ContinuousClock.now + timeout
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let timer = self.timers.add(deadline) { self.giveUp(id) }
        defer { self.timers.remove(timer) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isDone, stream) = self.state.withLock { state -> (Bool, (any WatchStream)?) in
                    if state.applied >= revision { return (true, nil) }
                    state.waiters[id] = Waiter(revision: revision, continuation: continuation)
                    guard state.trustsProgress, !state.hasAskedForProgress,
                        let stream = state.stream
                    else {
                        return (false, nil)
                    }
                    state.hasAskedForProgress = true
                    return (false, stream)
                }
                if isDone { return continuation.resume(returning: true) }
                if Task.isCancelled { return self.giveUp(id) }
                // A write elsewhere may have been the last: then no event will come.
                if let stream { Task { try? await stream.requestProgress() } }
            }
        } onCancel: {
            self.giveUp(id)
        }
    }

    private func giveUp(_ id: UInt64) {
        let waiter = self.state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.continuation.resume(returning: false)
    }
}
