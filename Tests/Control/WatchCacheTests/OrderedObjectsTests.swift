// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf
import Testing

@testable import WatchCache

@Suite("OrderedObjects")
struct OrderedObjectsTests {
    static func object(_ key: String, _ revision: Int64 = 1) -> CachedObject {
        guard
            let object = CachedObject.make(
                key: Bytes(utf8: key),
                message: Bytes(ObjectBytesTests.configMap(labels: 0, data: 0).serialized()),
                revision: revision,
                createRevision: 1,
                ObjectBytesTests.form
            )
        else { preconditionFailure("a ConfigMap is an object") }
        return object
    }

    private static func keys(_ objects: OrderedObjects, within prefix: Bytes = "") -> [String] {
        var keys: [String] = []
        objects.forEach(within: prefix) { keys.append(String(decoding: $0.key, as: UTF8.self)) }
        return keys
    }

    @Test("behaves as a sorted dictionary", arguments: [1 as UInt64, 2, 3])
    func model(seed: UInt64) {
        var generator = Seeded(state: seed)
        var objects = OrderedObjects()
        var model: [String: Int64] = [:]
        for step in 1...4000 {
            let key = "ns\(generator.next() % 5)/\(generator.next() % 600)"
            if generator.next() % 3 == 0 {
                let removed = objects.remove(Bytes(utf8: key))
                let expected = model.removeValue(forKey: key)
                #expect(removed?.revision == expected)
            } else {
                let old = objects.put(Self.object(key, Int64(step)))
                let expected = model.updateValue(Int64(step), forKey: key)
                #expect(old?.revision == expected)
            }
        }
        #expect(objects.count == model.count)
        #expect(Self.keys(objects) == model.keys.sorted())
        #expect(
            Self.keys(objects, within: "ns3/")
                == model.keys.filter { $0.hasPrefix("ns3/") }.sorted()
        )
        for (key, revision) in model {
            #expect(objects[Bytes(utf8: key)]?.revision == revision)
        }
    }

    @Test(
        "counts and takes the objects from a key on",
        arguments: ["ns2/", "ns2/3", "ns2/599", "ns2/9", "ns3/"]
    )
    func runs(start: String) {
        var objects = OrderedObjects()
        var keys: [String] = []
        for number in 0..<2000 {
            let key = "ns\(number % 4)/\(number)"
            objects.put(Self.object(key))
            keys.append(key)
        }
        let run = objects.run(from: Bytes(utf8: start), within: "ns2/")
        let expected = keys.filter { $0 >= start && $0.hasPrefix("ns2/") }.sorted()
        #expect(objects.count(run) == expected.count)
        for limit in [0, 1, 7, expected.count] where limit <= expected.count {
            let taken = objects.prefix(limit, of: run)
            #expect(
                taken.map { String(decoding: $0.key, as: UTF8.self) }
                    == Array(expected.prefix(limit))
            )
        }
        #expect(objects.count(objects.run(within: "")) == 2000)
        #expect(OrderedObjects().count(OrderedObjects().run(within: "ns2/")) == 0)
    }

    @Test("keeps an encoding while there is room", arguments: [(0, 2), (Int.max, 1)])
    func kept(limit: Int, expected: Int) throws {
        let object = Self.object("ns/a")
        var made = 0
        for _ in 0..<2 {
            let json = object.json(keptBelow: limit) { () throws(Never) in
                made += 1
                return Array("{}".utf8)
            }
            #expect(json == Bytes(utf8: "{}"))
        }
        #expect(made == expected)
    }

    @Test("a copy keeps the state it was made of")
    func snapshot() {
        var objects = OrderedObjects(sorted: (10..<99).map { Self.object("a/\($0)") })
        let before = objects
        objects.remove("a/50")
        objects.put(Self.object("a/5"))
        #expect(before.count == 89)
        #expect(before["a/50"] != nil)
        #expect(before["a/5"] == nil)
        #expect(objects.count == 89)
    }

    @Test("goes on after a key")
    func cursor() {
        let objects = OrderedObjects(sorted: (1000..<2000).map { Self.object("a/\($0)") })
        var run = objects.run(from: "a/1498\u{0}", within: "a/")
        let next = objects.next(&run)
        #expect(next?.name == "1499")
        var other = objects.run(from: "a/1498", within: "b/")
        #expect(objects.next(&other)?.name == nil)
    }
}

/// A small generator, the same on every machine (splitmix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
