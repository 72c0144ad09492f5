// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Selectors
import Synchronization
import Testing

@testable import WatchCache

/// Lists and watches through indexes are those of a scan, on random objects and changes.
@Suite("ObjectIndexes") struct ObjectIndexesTests {
    private static let fields = SelectableFields(
        CoreV1.Secret.schema,
        ["type"],
        trigger: "type"
    )

    private static let form = StoredForm(
        schema: CoreV1.Secret.schema,
        storedSchema: CoreV1.Secret.schema,
        encoding: .protobuf,
        fields: Self.fields
    )

    private let cache = ResourceCache(prefix: "/registry/secrets/", form: Self.form)

    /// An object with labels and fields by chance.
    private static func object(
        _ namespace: String,
        _ name: String,
        _ revision: Int64,
        _ random: inout Seeded
    ) -> CachedObject {
        let message = CoreV1.Secret.with {
            $0.metadata.name = name
            $0.metadata.namespace = namespace
            for label in ["app", "tier", "zone"] where random.next() % 3 > 0 {
                $0.metadata.labels[label] = ["", "a", "b", "c"][Int(random.next() % 4)]
            }
            $0.type = ["red", "green"][Int(random.next() % 2)]
        }
        guard
            let object = CachedObject.make(
                key: Bytes(utf8: "\(namespace)/\(name)"),
                message: Bytes(message.serialized()),
                revision: revision,
                createRevision: revision,
                Self.form
            )
        else { preconditionFailure("a Secret is an object") }
        return object
    }

    private static func filter(
        _ namespace: String,
        _ labels: String,
        _ fields: String
    ) throws -> WatchFilter {
        try WatchFilter(
            namespace: namespace,
            isNamespaced: true,
            labels: LabelSelector(parsing: labels),
            fields: FieldSelector(parsing: fields),
            Self.fields
        )
    }

    private static let selections: [(labels: String, fields: String)] = [
        ("app=a", ""), ("app=", ""), ("app in (b),tier=c", ""), ("tier=a,zone!=b", ""),
        ("zone=c", "type=red"), ("", "type=green"), ("", "metadata.name=n7"),
        ("app in (a,b)", ""), ("!app", ""), ("app=nothing", ""), ("other=a", ""),
    ]

    private func list(_ filter: WatchFilter, isIndexed: Bool) -> [String] {
        let snapshot =
            isIndexed
            ? self.cache.snapshot(applied: 0, for: filter) : self.cache.snapshot(applied: 0)
        var found: [String] = []
        snapshot.objects.forEach(within: filter.prefix) { object in
            guard filter.matchesSelectors(object) else { return }
            found.append("\(String(decoding: object.key, as: UTF8.self)) \(object.revision)")
        }
        return found
    }

    @Test("find what a scan finds, in its order, whatever is written", arguments: [1, 2])
    func scan(seed: UInt64) throws {
        var random = Seeded(state: seed)
        self.cache.reset(OrderedObjects(), revision: 0)
        var filters: [WatchFilter] = []
        for namespace in ["", "ns1"] {
            for selection in Self.selections {
                filters.append(try Self.filter(namespace, selection.labels, selection.fields))
            }
        }
        for revision in 1...4000 as ClosedRange<Int64> {
            let namespace = "ns\(random.next() % 3)"
            let name = "n\(random.next() % 500)"
            if random.next() % 4 == 0 {
                self.cache.apply([.delete(Bytes(utf8: "\(namespace)/\(name)"), revision: revision)])
            } else {
                self.cache.apply([.put(Self.object(namespace, name, revision, &random))])
            }
            guard revision % 601 == 0 else { continue }
            for filter in filters {
                #expect(self.list(filter, isIndexed: true) == self.list(filter, isIndexed: false))
            }
        }
        let keys = self.cache.state.withLock { $0.indexes.keys }
        #expect(keys.contains(.label("app")))
        #expect(keys.contains(.field(0)))
        #expect(keys.count <= ObjectIndexes.maximumCount)
        // What is read anew is indexed anew.
        let objects = self.cache.snapshot(applied: 0).objects
        self.cache.reset(objects, revision: 7000)
        #expect(self.cache.state.withLock { $0.indexes.keys }.isEmpty)
        for filter in filters + filters {
            #expect(self.list(filter, isIndexed: true) == self.list(filter, isIndexed: false))
        }
    }

    @Test("are few, made when asked for twice, and given up when nobody asks")
    func bounds() throws {
        var random = Seeded(state: 9)
        var objects = OrderedObjects()
        for number in 0..<300 {
            objects.put(Self.object("ns", "n\(number)", 1, &random))
        }
        var indexes = ObjectIndexes()
        for number in 0..<20 {
            let filter = try Self.filter("", "label-\(number)=x", "")
            #expect(indexes.candidates(filter, of: objects).count == 300)
            #expect(!indexes.keys.contains(.label("label-\(number)")))
            #expect(indexes.candidates(filter, of: objects).count == 0)
            #expect(indexes.keys.contains(.label("label-\(number)")))
            #expect(indexes.keys.count <= ObjectIndexes.maximumCount)
        }
        let object = Self.object("ns", "n0", 2, &random)
        for _ in 0..<(ObjectIndexes.maximumIdleWrites + 4096) {
            indexes.replace(object, with: object)
        }
        #expect(indexes.keys.isEmpty)
        // A few are looked through.
        let few = OrderedObjects(sorted: [object])
        let filter = try Self.filter("", "app=x", "")
        for _ in 0..<3 { #expect(indexes.candidates(filter, of: few).count == 1) }
        #expect(indexes.keys.isEmpty)
    }

    @Test("watchers that wait for a label's value are told what a filter of all events tells")
    func watches() async throws {
        var random = Seeded(state: 5)
        self.cache.reset(OrderedObjects(), revision: 0)
        let timers = DeadlineQueue()
        let last: Int64 = 1200
        var changes: [ResourceCache.Change] = []
        for revision in 1..<last {
            let namespace = "ns\(random.next() % 2)"
            let name = "n\(random.next() % 20)"
            changes.append(
                random.next() % 4 == 0
                    ? .delete(Bytes(utf8: "\(namespace)/\(name)"), revision: revision)
                    : .put(Self.object(namespace, name, revision, &random))
            )
        }
        let filters = try ["", "ns1"].flatMap { namespace in
            try Self.selections.map { try Self.filter(namespace, $0.labels, $0.fields) }
        }
        let results = try await withThrowingTaskGroup(of: (Int, [String]).self) { tasks in
            for (index, filter) in filters.enumerated() {
                let watcher = try self.cache.watch(after: 0, filter)
                tasks.addTask {
                    var seen: [String] = []
                    while true {
                        let step = try await watcher.next(until: .now + .seconds(300), timers) { 0 }
                        guard case .events(let items) = step else { return (index, seen) }
                        seen += items.map { "\($0.kind) \($0.object.name) \($0.object.revision)" }
                    }
                }
            }
            // One at a time, and others at times: watchers are asleep, or behind.
            for change in changes {
                self.cache.apply([change])
                if random.next() % 2 == 0 { await Task.yield() }
            }
            self.cache.endWatches()
            return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let events = self.cache.state.withLock { state in
            state.ring.events(from: state.ring.first, limit: 100_000) ?? []
        }
        for (index, filter) in filters.enumerated() {
            let expected = events.compactMap { event in
                filter.view(of: event).map { "\($0) \(event.object.name) \(event.revision)" }
            }
            #expect(results[index] == expected)
        }
        #expect(self.cache.state.withLock { $0.waitingLabels }.isEmpty)
    }
}
