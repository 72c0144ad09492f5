// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Clocks
import KubernetesAPI
public import ObjectModel
public import Protobuf
public import ResourceClient
public import Selectors
import Synchronization

/// Knows the objects of one resource: lists them, watches them, and tells of every change.
///
/// Readers get shared objects that nobody may change, at no cost but a lock. What they see may be
/// behind the server, never ahead of it, and never goes back.
///
/// ```swift
/// let pods = factory.informer(of: CoreV1.Pod.self)
/// pods.addHandler { event in queue.add(event.object.objectKey) }
/// ```
public final class Informer<Object: Message>: Sendable {
    private struct State {
        var store = ObjectStore<Object>()
        var handlers = HandlerList<InformerEvent<Object>>()
        var isListed = false
        var isSynced = false
        var resourceVersion = ""
        var syncWaiters: [CheckedContinuation<Void, Never>] = []
        var versionWaiters: [(version: UInt64, action: @Sendable () -> Void)] = []

        /// How far the informer has come, as a number.
        var version: UInt64 { UInt64(self.resourceVersion) ?? 0 }
    }

    public let client: Client<Object>
    private let scope: InformerScope
    private let clock: any ComponentClock
    private let transform: @Sendable (Object) -> Object
    private let failed: @Sendable (StatusError) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - transform: applied to each object before it is kept, to drop what nobody reads.
    ///   - failed: hears of failures to list or watch, which are tried again.
    public init(
        _ client: Client<Object>,
        scope: InformerScope = InformerScope(),
        clock: any ComponentClock = SystemClock(),
        transform: @escaping @Sendable (Object) -> Object = { $0 },
        failed: @escaping @Sendable (StatusError) -> Void = { _ in }
    ) {
        self.client = client
        self.scope = scope
        self.clock = clock
        self.transform = transform
        self.failed = failed
    }

    // MARK: Reading

    /// Whether the first list is in and every handler has heard of it.
    public var hasSynced: Bool { self.state.withLock { $0.isSynced } }

    /// How far the informer has come.
    public var resourceVersion: String { self.state.withLock { $0.resourceVersion } }

    /// Returns when ``hasSynced`` is true, or the task is cancelled.
    public func waitForSync() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = self.state.withLock { state in
                    if state.isSynced || Task.isCancelled { return true }
                    state.syncWaiters.append(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            self.wakeSyncWaiters()
        }
        // A task that was woken by the cancellation of another waits on.
        if !Task.isCancelled, !self.hasSynced { await self.waitForSync() }
    }

    /// Whether the informer has come as far as a version. If not, `action` is called once it has.
    ///
    /// Versions are those of objects of this resource: a write to one is followed by its event.
    public func whenReached(_ version: UInt64, _ action: @escaping @Sendable () -> Void) -> Bool {
        self.state.withLock { state in
            if state.version >= version { return true }
            state.versionWaiters.append((version, action))
            return false
        }
    }

    public func get(_ name: String, in namespace: String = "") -> Object? {
        self.get(ObjectKey(namespace: namespace, name: name))
    }

    public func get(_ key: ObjectKey) -> Object? {
        self.state.withLock { $0.store.objects[key] }
    }

    /// The objects of a namespace, or all when it is empty; in no order.
    public func list(in namespace: String = "") -> [Object] {
        self.state.withLock { $0.store.objects(in: namespace) }
    }

    /// The objects whose labels match; in no order.
    public func list(in namespace: String = "", _ selector: LabelSelector) -> [Object] {
        if selector.matchesNothing { return [] }
        let all = self.list(in: namespace)
        if selector.isEmpty { return all }
        return all.filter { object in
            let labels = object.objectMetadata.labels
            return selector.matches(lookup: { labels[$0] })
        }
    }

    public var count: Int { self.state.withLock { $0.store.objects.count } }

    /// How many objects a namespace has.
    public func count(in namespace: String) -> Int {
        self.state.withLock { $0.store.count(in: namespace) }
    }

    /// The objects that an index has at a value; in no order.
    ///
    /// - Precondition: the index was added.
    public func list(index name: String, _ value: String) -> [Object] {
        self.state.withLock { $0.store.objects(index: name, value) }
    }

    // MARK: Setting up

    /// Adds an index: the values that objects are found by. One of the name that is there stays.
    public func addIndex(_ name: String, _ function: @escaping @Sendable (Object) -> [String]) {
        self.state.withLock { $0.store.addIndex(name, function) }
    }

    /// Adds a handler. It hears of the objects that are known as added, then of every change, in
    /// order.
    ///
    /// Handlers must return soon: while one works, later events wait. What they read from the
    /// informer is at least as new as the event.
    public func addHandler(_ handler: @escaping @Sendable (InformerEvent<Object>) -> Void) {
        let index = self.state.withLock { state in
            state.handlers.add(handler, state.store.objects.values.map { .added($0) })
        }
        self.deliver(to: index)
    }

    // MARK: Running

    /// Keeps the informer up to date until the task is cancelled.
    public func run() async {
        var reflector = ReflectorState()
        while !Task.isCancelled {
            let wait: Duration
            switch reflector.step {
            case .list(let version): wait = await self.list(version, &reflector)
            case .watch(let version): wait = await self.watch(version, &reflector)
            }
            if wait > .zero { await self.clock.sleep(for: wait) }
        }
    }

    private func list(_ version: String, _ reflector: inout ReflectorState) async -> Duration {
        do throws(StatusError) {
            let list = try await self.client.list(
                in: self.scope.namespace,
                labels: self.scope.labels,
                fields: self.scope.fields,
                options: ListOptions(resourceVersion: version)
            )
            self.take(list.resourceVersion) { $0.replace(list.items.map(self.transform)) }
            reflector.listed(resourceVersion: list.resourceVersion)
            return .zero
        } catch {
            return self.failure(error, &reflector)
        }
    }

    private func watch(_ version: String, _ reflector: inout ReflectorState) async -> Duration {
        var options = WatchOptions()
        options.timeoutSeconds = Int64.random(in: InformerScope.watchSeconds)
        options.maxDelayMilliseconds = self.scope.maxDelayMilliseconds
        var sawEvents = false
        let started = self.clock.uptime
        do throws(StatusError) {
            let stream = try await self.client.watch(
                in: self.scope.namespace,
                labels: self.scope.labels,
                fields: self.scope.fields,
                from: version,
                options: options
            )
            while let batch = try await stream.next() {
                self.take(batch)
                reflector.advanced(to: batch.resourceVersion)
                sawEvents = true
            }
            let wasLong = self.clock.uptime - started >= .seconds(1)
            return reflector.watchEnded(
                sawEvents: sawEvents || wasLong,
                jitter: Double.random(in: 0...1)
            )
        } catch {
            return self.failure(error, &reflector)
        }
    }

    private func failure(_ error: StatusError, _ reflector: inout ReflectorState) -> Duration {
        if Task.isCancelled { return .zero }
        self.failed(error)
        return reflector.failed(error, jitter: Double.random(in: 0...1))
    }

    // MARK: Taking over

    private func take(_ batch: WatchBatch<Object>) {
        // An event that is repeated tells nothing about how far the server has come.
        let isForward = (UInt64(batch.resourceVersion) ?? 0) >= self.state.withLock { $0.version }
        self.take(isForward ? batch.resourceVersion : "") { store in
            var events: [InformerEvent<Object>] = []
            for event in batch.events {
                switch event {
                case .added(let object), .modified(let object):
                    events += store.put(self.transform(object))
                case .deleted(let object): events += store.remove(self.transform(object))
                case .bookmark: break
                }
            }
            return events
        }
    }

    /// Changes the store and tells of it. Only the task of ``run()`` comes here.
    private func take(
        _ resourceVersion: String,
        _ change: (inout ObjectStore<Object>) -> [InformerEvent<Object>]
    ) {
        let (count, isFirst, reached) = self.state.withLock { state in
            let events = change(&state.store)
            state.handlers.enqueue(events)
            if !resourceVersion.isEmpty { state.resourceVersion = resourceVersion }
            let version = state.version
            let reached = state.versionWaiters.filter { $0.version <= version }
            if !reached.isEmpty { state.versionWaiters.removeAll { $0.version <= version } }
            defer { state.isListed = true }
            return (events.isEmpty ? 0 : state.handlers.count, !state.isListed, reached)
        }
        for index in 0..<count { self.deliver(to: index) }
        for waiter in reached { waiter.action() }
        if isFirst {
            self.state.withLock { $0.isSynced = true }
            self.wakeSyncWaiters()
        }
    }

    /// Calls a handler with what waits for it, unless another thread is at it.
    private func deliver(to index: Int) {
        while let (handler, events) = self.state.withLock({ $0.handlers.begin(index) }) {
            for event in events { handler(event) }
            self.state.withLock { $0.handlers.end(index) }
        }
    }

    private func wakeSyncWaiters() {
        let waiters = self.state.withLock { state in
            defer { state.syncWaiters = [] }
            return state.syncWaiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

/// Which objects of a resource an informer knows.
public struct InformerScope: Sendable, Hashable {
    /// Empty: all namespaces.
    public var namespace: String
    public var labels: LabelSelector
    public var fields: FieldSelector
    /// How long the server may hold an event back to send more at once.
    public var maxDelayMilliseconds: UInt32

    public init(
        namespace: String = "",
        labels: LabelSelector = .everything,
        fields: FieldSelector = .everything,
        maxDelayMilliseconds: UInt32 = 0
    ) {
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
        self.maxDelayMilliseconds = maxDelayMilliseconds
    }

    /// After so many seconds a watch ends and is made anew, from where it was.
    static let watchSeconds: ClosedRange<Int64> = 300...600
}
