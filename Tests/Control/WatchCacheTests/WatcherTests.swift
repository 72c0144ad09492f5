// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KubernetesAPI
import Protobuf
import Selectors
import Testing

@testable import WatchCache

@Suite("Watcher")
struct WatcherTests {
    private let cache = ResourceCache(prefix: "/registry/configmaps/", form: ObjectBytesTests.form)
    private let timers = DeadlineQueue()

    private func object(_ name: String, _ revision: Int64, app: String = "") -> CachedObject {
        let message = CoreV1.ConfigMap.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            if !app.isEmpty { $0.metadata.labels["app"] = app }
        }
        guard
            let object = CachedObject.make(
                key: Bytes(utf8: "default/\(name)"),
                message: Bytes(message.serialized()),
                revision: revision,
                createRevision: revision,
                ObjectBytesTests.form
            )
        else { preconditionFailure("a ConfigMap is an object") }
        return object
    }

    private func filter(_ labels: String = "", _ fields: String = "") throws -> WatchFilter {
        try WatchFilter(
            namespace: "default",
            isNamespaced: true,
            labels: LabelSelector(parsing: labels),
            fields: FieldSelector(parsing: fields),
            nil
        )
    }

    private func next(_ watcher: Watcher) async throws -> Watcher.Step {
        try await watcher.next(until: .now + .seconds(10), self.timers) { 0 }
    }

    private func texts(_ step: Watcher.Step) -> [String] {
        switch step {
        case .initial(let items), .events(let items):
            items.map { "\($0.kind) \($0.object.name) \($0.object.revision)" }
        case .initialEnd(let revision): ["end \(revision)"]
        case .deadline(let revision): ["deadline \(revision)"]
        case .ending(let revision): ["ending \(revision)"]
        }
    }

    @Test("sends the state, its end, and what happens then")
    func state() async throws {
        self.cache.reset(OrderedObjects(sorted: [self.object("a", 3)]), revision: 7)
        let watcher = self.cache.watchFromNow(applied: 7, try self.filter())
        self.cache.apply([.put(self.object("b", 8)), .delete("default/a", revision: 9)])
        let step1 = try await self.next(watcher)
        #expect(self.texts(step1) == ["added a 3"])
        let step2 = try await self.next(watcher)
        #expect(self.texts(step2) == ["end 7"])
        let step3 = try await self.next(watcher)
        #expect(self.texts(step3) == ["added b 8", "deleted a 9"])
    }

    @Test("goes on after a revision")
    func resume() async throws {
        self.cache.reset(OrderedObjects(), revision: 1)
        for revision in 2...6 {
            self.cache.apply([.put(self.object("a", Int64(revision)))])
        }
        let watcher = try self.cache.watch(after: 4, try self.filter())
        let step4 = try await self.next(watcher)
        #expect(self.texts(step4) == ["modified a 5", "modified a 6"])
        #expect(throws: Watcher.Failure.expired) {
            try self.cache.watch(after: 0, try self.filter())
        }
    }

    @Test("sees an object come into and go out of its selection")
    func selection() async throws {
        self.cache.reset(OrderedObjects(), revision: 1)
        let watcher = try self.cache.watch(after: 1, try self.filter("app=x"))
        self.cache.apply([
            .put(self.object("a", 2)), .put(self.object("a", 3, app: "x")),
            .put(self.object("a", 4, app: "x")), .put(self.object("a", 5)),
            .delete("default/a", revision: 6),
        ])
        let step5 = try await self.next(watcher)
        #expect(self.texts(step5) == ["added a 3", "modified a 4", "deleted a 5"])
    }

    @Test("is woken by its own object alone and misses nothing", arguments: ["", "x"])
    func trigger(app: String) async throws {
        self.cache.reset(OrderedObjects(), revision: 1)
        let watcher = try self.cache.watch(after: 1, try self.filter("", "metadata.name=a"))
        let task = Task { try await self.next(watcher) }
        for revision in 2...50 {
            self.cache.apply([.put(self.object("b", Int64(revision), app: app))])
        }
        self.cache.apply([.put(self.object("a", 51))])
        let step = try await task.value
        #expect(self.texts(step) == ["added a 51"])
    }

    @Test("is cut off when the state is read anew")
    func reset() async throws {
        self.cache.reset(OrderedObjects(), revision: 1)
        let watcher = try self.cache.watch(after: 1, try self.filter())
        let task = Task { try await self.next(watcher) }
        self.cache.reset(OrderedObjects(), revision: 20)
        await #expect(throws: Watcher.Failure.expired) { _ = try await task.value }
    }

    @Test("tells how far it is when nothing happens")
    func deadline() async throws {
        self.cache.reset(OrderedObjects(), revision: 5)
        let watcher = try self.cache.watch(after: 5, try self.filter())
        let step = try await watcher.next(until: .now, self.timers) { 12 }
        #expect(self.texts(step) == ["deadline 12"])
    }

    @Test("ends with its server, after what there is", arguments: ["", "metadata.name=a"])
    func ending(fields: String) async throws {
        self.cache.reset(OrderedObjects(), revision: 5)
        let waiting = try self.cache.watch(after: 5, try self.filter("", fields))
        let task = Task { try await self.next(waiting) }
        let behind = try self.cache.watch(after: 5, try self.filter("", fields))
        self.cache.apply([.put(self.object("a", 6))])
        let first = try await task.value
        #expect(self.texts(first) == ["added a 6"])
        self.cache.endWatches()
        let step1 = try await self.next(behind)
        #expect(self.texts(step1) == ["added a 6"])
        let step2 = try await self.next(behind)
        #expect(self.texts(step2) == ["ending 6"])
        let step3 = try await self.next(waiting)
        #expect(self.texts(step3) == ["ending 6"])
    }

    /// Counts how often it is woken, and says so.
    private final class Sleeper: WatchSleeper {
        let wakes: AsyncStream<Void>
        private let continuation: AsyncStream<Void>.Continuation

        init() {
            (self.wakes, self.continuation) = AsyncStream.makeStream(of: Void.self)
        }

        func wake() { self.continuation.yield() }
        func end() { self.continuation.finish() }
    }

    @Test(
        "wakes a sleeper for what it waits for, once for each sleep",
        arguments: ["", "metadata.name=a"]
    )
    func sleeping(fields: String) async throws {
        self.cache.reset(OrderedObjects(), revision: 5)
        let sleeper = Sleeper()
        var wakes = sleeper.wakes.makeAsyncIterator()
        let far = ContinuousClock.now + .seconds(3600)
        let watcher = try self.cache.watch(after: 5, try self.filter("", fields))
        for revision in 6...8 as ClosedRange<Int64> {
            #expect(watcher.sleep(until: far, self.timers, sleeper))
            self.cache.apply([.put(self.object("a", revision))])
            self.cache.apply([.delete("default/none", revision: revision)])
            await wakes.next()
            // What has come is there to be taken, and not slept over.
            #expect(!watcher.sleep(until: far, self.timers, sleeper))
            let step = try await self.next(watcher)
            #expect(self.texts(step) == [revision == 6 ? "added a 6" : "modified a \(revision)"])
        }
        // A deadline wakes, a server that goes away does, and giving up does not.
        #expect(watcher.sleep(until: far, self.timers, sleeper))
        watcher.wake(.deadline)
        await wakes.next()
        #expect(watcher.sleep(until: far, self.timers, sleeper))
        watcher.cancel()
        #expect(!watcher.sleep(until: far, self.timers, sleeper))
        await #expect(throws: Watcher.Failure.cancelled) { _ = try await self.next(watcher) }
        let other = try self.cache.watch(after: 8, try self.filter("", fields))
        #expect(other.sleep(until: far, self.timers, sleeper))
        self.cache.endWatches()
        await wakes.next()
        sleeper.end()
        #expect(await wakes.next() == nil)
        #expect(!other.sleep(until: far, self.timers, sleeper))
    }

    @Test("does not sleep over its first state")
    func sleepingAtFirst() async throws {
        self.cache.reset(OrderedObjects(sorted: [self.object("a", 3)]), revision: 7)
        let watcher = self.cache.watchFromNow(applied: 7, try self.filter())
        let sleeper = Sleeper()
        let far = ContinuousClock.now + .seconds(3600)
        #expect(!watcher.sleep(until: far, self.timers, sleeper))
        let first = try await self.next(watcher)
        #expect(self.texts(first) == ["added a 3"])
        #expect(!watcher.sleep(until: far, self.timers, sleeper))
        let end = try await self.next(watcher)
        #expect(self.texts(end) == ["end 7"])
        #expect(watcher.sleep(until: far, self.timers, sleeper))
    }

    @Test("ends with its task")
    func cancellation() async throws {
        self.cache.reset(OrderedObjects(), revision: 5)
        let watcher = try self.cache.watch(after: 5, try self.filter())
        let task = Task { try await self.next(watcher) }
        task.cancel()
        await #expect(throws: Watcher.Failure.cancelled) { _ = try await task.value }
    }

    @Test("many events: each watcher gets every one, once and in order", arguments: [1, 8])
    func order(count: Int) async throws {
        self.cache.reset(OrderedObjects(), revision: 0)
        let filter = try self.filter()
        let total: Int64 = 3000
        try await withThrowingTaskGroup(of: [Int64].self) { tasks in
            for _ in 0..<count {
                let watcher = try self.cache.watch(after: 0, filter)
                tasks.addTask {
                    var seen: [Int64] = []
                    while seen.count < Int(total) {
                        guard case .events(let items) = try await self.next(watcher) else { break }
                        seen += items.map(\.object.revision)
                    }
                    return seen
                }
            }
            for revision in 1...total {
                self.cache.apply([.put(self.object("a\(revision % 10)", revision))])
            }
            for try await seen in tasks { #expect(seen == Array(1...total)) }
        }
    }

    @Test("refuses a field that cannot be selected")
    func unknownField() {
        #expect(throws: WatchFilter.UnknownField.self) {
            try self.filter("", "spec.nodeName=x")
        }
    }
}
