// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import Informers
import KubernetesAPI
import MemoryCluster
import ObjectModel
import Protobuf
import RPC
import RPCInterface
import ResourceClient
import Synchronization
import Testing

@Suite("Informer")
struct InformerTests {
    private let cluster = MemoryCluster()
    private let channel: InProcessChannel
    private let maps: Client<CoreV1.ConfigMap>

    init() {
        self.channel = InProcessChannel(services: [self.cluster])
        self.maps = Client(self.channel)
    }

    private static func map(
        _ name: String,
        _ value: String = "",
        in namespace: String = "default"
    ) -> CoreV1.ConfigMap {
        CoreV1.ConfigMap.with {
            $0.metadata.name = name
            $0.metadata.namespace = namespace
            $0.data["value"] = value
        }
    }

    /// Runs an informer during `body`.
    private func with(
        _ body: (Informer<CoreV1.ConfigMap>, EventLog) async throws -> Void
    ) async throws {
        let informer = Informer(self.maps)
        let log = EventLog()
        informer.addHandler { log.add($0) }
        let running = Task { await informer.run() }
        await informer.waitForSync()
        try await body(informer, log)
        running.cancel()
        await running.value
    }

    @Test("knows what was there and what comes, in order")
    func follows() async throws {
        _ = try await self.maps.create(Self.map("a"))
        try await self.with { informer, log in
            #expect(informer.get("a", in: "default") != nil)
            #expect(log.lines == ["+a"])
            let b = try await self.maps.create(Self.map("b", "1"))
            _ = try await self.maps.update(b.changed { $0.data["value"] = "2" })
            try await self.maps.delete("a", in: "default")
            await log.wait(for: 4)
            #expect(log.lines == ["+a", "+b", "~b", "-a"])
            #expect(informer.get("b", in: "default")?.data["value"] == "2")
            #expect(informer.list(in: "default").count == 1)
            #expect(informer.list(in: "other").isEmpty)
        }
    }

    @Test("goes on after the server ended the watch, without a list")
    func resumes() async throws {
        try await self.with { informer, log in
            _ = try await self.maps.create(Self.map("a"))
            await log.wait(for: 1)
            self.cluster.dropWatches()
            _ = try await self.maps.create(Self.map("b"))
            await log.wait(for: 2)
            #expect(log.lines == ["+a", "+b"])
            #expect(self.cluster.requests["list configmaps"] == 1)
            #expect((self.cluster.requests["watch configmaps"] ?? 0) >= 2)
            #expect(informer.count == 2)
        }
    }

    @Test("lists again when its version is gone, and finds what it missed")
    func relists() async throws {
        _ = try await self.maps.create(Self.map("gone"))
        _ = try await self.maps.create(Self.map("kept", "1"))
        _ = try await self.maps.create(Self.map("reborn"))
        let informer = Informer(self.maps)
        let log = EventLog()
        informer.addHandler { log.add($0) }
        let list = try await self.maps.list()
        // What the informer missed while it was cut off.
        try await self.maps.delete("gone", in: "default")
        try await self.maps.delete("reborn", in: "default")
        _ = try await self.maps.create(Self.map("reborn"))
        _ = try await self.maps.create(Self.map("new"))
        var store = ObjectStore<CoreV1.ConfigMap>()
        _ = store.replace(list.items)
        let now = try await self.maps.list()
        let events = store.replace(now.items)
        let lines = events.map(EventLog.line).sorted()
        #expect(lines == ["+new", "+reborn", "?gone", "?reborn"])
        self.cluster.compact()
        let running = Task { await informer.run() }
        await informer.waitForSync()
        self.cluster.compact()
        self.cluster.dropWatches()
        _ = try await self.maps.create(Self.map("more"))
        await log.wait(for: 4)
        #expect(log.lines.last == "+more")
        running.cancel()
        await running.value
    }

    @Test("an index follows changes")
    func indexes() async throws {
        try await self.with { informer, log in
            informer.addIndex("value") { [$0.data["value"] ?? ""] }
            let a = try await self.maps.create(Self.map("a", "1"))
            _ = try await self.maps.create(Self.map("b", "1"))
            await log.wait(for: 2)
            #expect(informer.list(index: "value", "1").count == 2)
            _ = try await self.maps.update(a.changed { $0.data["value"] = "2" })
            try await self.maps.delete("b", in: "default")
            await log.wait(for: 4)
            #expect(informer.list(index: "value", "1").isEmpty)
            #expect(informer.list(index: "value", "2").map(\.metadata.name) == ["a"])
        }
    }

    @Test("a late handler hears of what is known")
    func lateHandler() async throws {
        _ = try await self.maps.create(Self.map("a"))
        try await self.with { informer, _ in
            let late = EventLog()
            informer.addHandler { late.add($0) }
            #expect(late.lines == ["+a"])
        }
    }

    @Test("one informer for all who ask, started late as well")
    func factory() async throws {
        let factory = InformerFactory(self.channel)
        let first = factory.informer(of: CoreV1.ConfigMap.self)
        #expect(first === factory.informer(of: CoreV1.ConfigMap.self))
        let running = Task { await factory.run() }
        await factory.waitForSync()
        #expect(factory.hasSynced)
        let pods = factory.informer(of: CoreV1.Pod.self)
        await pods.waitForSync()
        let metadata = factory.metadataInformer(of: ResourceName(of: CoreV1.Pod.self))
        await metadata.waitForSync()
        #expect(self.cluster.requests["list configmaps"] == 1)
        #expect(self.cluster.requests["list pods"] == 2)
        running.cancel()
        await running.value
    }

    @Test("managedFields are dropped, the rest stays")
    func dropsManagedFields() {
        let map = Self.map("a", "1").changed {
            $0.metadata.managedFields.append(
                MetaV1.ManagedFieldsEntry.with { $0.manager = String(repeating: "x", count: 1000) }
            )
        }
        let small = map.withoutManagedFields()
        #expect(small == Self.map("a", "1"))
    }
}

@Suite("ReflectorState")
struct ReflectorStateTests {
    @Test("lists what is at hand, then watches from there")
    func begins() {
        var state = ReflectorState()
        #expect(state.step == .list(resourceVersion: "0"))
        state.listed(resourceVersion: "7")
        #expect(state.step == .watch(resourceVersion: "7"))
        state.advanced(to: "9")
        #expect(state.watchEnded(sawEvents: true, jitter: 0) == .zero)
        #expect(state.step == .watch(resourceVersion: "9"))
    }

    @Test("a version that is gone leads to a list, and then to the latest state")
    func expires() {
        var state = ReflectorState()
        state.listed(resourceVersion: "7")
        #expect(state.failed(.expired("old"), jitter: 0) == .zero)
        #expect(state.step == .list(resourceVersion: "7"))
        #expect(state.failed(.expired("old"), jitter: 0) > .zero)
        #expect(state.step == .list(resourceVersion: ""))
        state.listed(resourceVersion: "20")
        #expect(state.step == .watch(resourceVersion: "20"))
    }

    @Test("waits longer after each failure, and short again after success")
    func backsOff() {
        var state = ReflectorState()
        let error = StatusError.serviceUnavailable("away")
        let waits = (0..<8).map { _ in state.failed(error, jitter: 0) }
        #expect(waits[0] == .milliseconds(200))
        #expect(waits[1] == .milliseconds(400))
        #expect(waits[7] == .seconds(10))
        #expect(state.failed(error, jitter: 1) == .seconds(20))
        state.listed(resourceVersion: "1")
        #expect(state.failed(error, jitter: 0) == .milliseconds(200))
        #expect(state.step == .watch(resourceVersion: "1"))
    }
}

/// What a handler heard.
final class EventLog: Sendable {
    private let entries = Mutex<[String]>([])

    var lines: [String] { self.entries.withLock { $0 } }

    func add(_ event: InformerEvent<CoreV1.ConfigMap>) {
        self.entries.withLock { $0.append(Self.line(event)) }
    }

    static func line(_ event: InformerEvent<CoreV1.ConfigMap>) -> String {
        let mark =
            switch event {
            case .added: "+"
            case .updated: "~"
            case .deleted(_, let isFinalStateKnown): isFinalStateKnown ? "-" : "?"
            }
        return mark + event.object.metadata.name
    }

    /// Returns when there are `count` entries, or after ten seconds.
    func wait(for count: Int) async {
        let deadline = ContinuousClock.now + .seconds(10)
        while self.lines.count < count, ContinuousClock.now < deadline { await Task.yield() }
    }
}

extension Message {
    func changed(_ change: (inout Self) -> Void) -> Self {
        var copy = self
        change(&copy)
        return copy
    }
}
