// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import StoreTestSupport
import Testing

@testable import Engine

@Suite("Key index")
struct KeyIndexTests {
    /// The index as simple as it can be.
    struct Model {
        struct Version {
            var revision: Revision
            var isTombstone: Bool
        }

        private(set) var keys: [[UInt8]: [Version]] = [:]
        /// The keys in their order.
        private var order: [[UInt8]] = []

        mutating func apply(_ key: [UInt8], _ revision: Revision, isTombstone: Bool) {
            if self.keys[key] == nil { self.order.insert(key, at: self.place(of: key)) }
            self.keys[key, default: []].append(
                Version(revision: revision, isTombstone: isTombstone)
            )
        }

        /// How many keys come before one.
        private func place(of key: [UInt8]) -> Int {
            var low = 0
            var high = self.order.count
            while low < high {
                let middle = (low + high) / 2
                if self.order[middle].lexicographicallyPrecedes(key) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low
        }

        func visible(_ range: KeyRange, at main: Int64) -> [(key: [UInt8], revision: Revision)] {
            self.order.compactMap { key in
                guard key.withUnsafeBytes({ range.contains($0) }),
                    let version = self.keys[key]?.last(where: { $0.revision.main <= main }),
                    !version.isTombstone
                else { return nil }
                return (key, version.revision)
            }
        }

        /// Answers the revisions that go.
        mutating func compact(_ floor: Int64) -> Set<Revision> {
            var dropped: Set<Revision> = []
            for (key, versions) in self.keys {
                guard let index = versions.lastIndex(where: { $0.revision.main <= floor }) else {
                    continue
                }
                let last = versions[index]
                let goes = last.isTombstone && last.revision.main < floor
                let cut = goes ? index + 1 : index
                dropped.formUnion(versions[..<cut].map(\.revision))
                let rest = Array(versions[cut...])
                self.keys[key] = rest.isEmpty ? nil : rest
            }
            let left = self.keys
            self.order.removeAll { left[$0] == nil }
            return dropped
        }
    }

    enum Shape: String, CaseIterable, Sendable {
        case ascending
        case random
        case kubernetes
        case binary
        case long
    }

    static func key(_ shape: Shape, _ number: Int, _ random: inout SeededGenerator) -> [UInt8] {
        switch shape {
        case .ascending:
            return Array("/registry/events/default/event-\(1_000_000 + number)".utf8)
        case .random:
            let digits = (0..<(1 + random.below(6))).map { _ in UInt8(97 + random.below(4)) }
            return digits
        case .kubernetes:
            let kind = ["pods", "services", "configmaps", "leases"][random.below(4)]
            return Array("/registry/\(kind)/ns-\(random.below(20))/object-\(random.below(40))".utf8)
        case .binary:
            return (0..<(1 + random.below(4))).map { _ in [0, 1, 254, 255][random.below(4)] }
        case .long:
            let start = Array("/long/\(random.below(5))/".utf8)
            let middle = [UInt8](repeating: 120, count: [0, 300, 520, 2000][random.below(4)])
            return start + middle + Array("\(random.below(60))".utf8)
        }
    }

    static func range(_ shape: Shape, _ random: inout SeededGenerator) -> KeyRange {
        let first = Bytes(self.key(shape, random.below(600), &random))
        switch random.below(4) {
        case 0: return KeyRange(key: first, rangeEnd: Bytes())
        case 1: return KeyRange(key: first, rangeEnd: [0])
        default:
            let second = Bytes(self.key(shape, random.below(600), &random))
            return KeyRange(key: first, rangeEnd: second)
        }
    }

    @Test(
        "agrees with a sorted dictionary of versions",
        arguments: Shape.allCases,
        [1, 2, 3] as [UInt64]
    )
    func model(shape: Shape, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var index = KeyIndex()
        var model = Model()
        var main: Int64 = 1
        var floor: Int64 = 0
        for step in 0..<1500 {
            main += 1
            let key = Self.key(shape, step / 2, &random)
            let old = model.keys[key]?.last
            let isTombstone = random.oneIn(3) && old.map { !$0.isTombstone } ?? false
            let revision = Revision(main: main, sub: UInt32(random.below(3)))
            let change = key.withUnsafeBytes {
                index.apply($0, revision, isTombstone: isTombstone)
            }
            model.apply(key, revision, isTombstone: isTombstone)
            if isTombstone {
                #expect(change.version == 0)
            } else if old?.isTombstone ?? true {
                #expect(change.version == 1 && change.createRevision == main)
            } else {
                #expect(change.version > 1 && change.createRevision < main)
            }
            if random.oneIn(200) {
                floor = max(floor, main - Int64(random.below(400)))
                let expected = model.compact(floor)
                var dropped: Set<Revision> = []
                var keys: Set<[UInt8]> = []
                index.visitAllKeys { keys.insert($0) }
                for key in keys {
                    key.withUnsafeBytes { index.trim($0, before: floor) { dropped.insert($0) } }
                }
                #expect(dropped == expected)
                #expect(index.defect() == nil)
            }
            if random.oneIn(30) {
                let range = Self.range(shape, &random)
                let at = floor + Int64(random.below(Int(main - floor) + 1))
                let expected = model.visible(range, at: at)
                var found: [(key: [UInt8], revision: Revision)] = []
                index.visit(range, at: at) { item in
                    let key = item.key.isEmpty ? [UInt8](range.key) : item.key
                    found.append((key, item.revision))
                    return true
                }
                #expect(found.map(\.revision) == expected.map(\.revision))
                if range.end != .single { #expect(found.map(\.key) == expected.map(\.key)) }
                #expect(index.count(range, at: at) == expected.count)
                #expect(index.count(range, at: main) == model.visible(range, at: main).count)
            }
        }
        #expect(index.defect() == nil)
        #expect(index.count == model.keys.count)
    }

    @Test("gives pages back when keys are deleted and compacted")
    func shrinks() {
        var index = KeyIndex()
        var main: Int64 = 1
        let keys = (0..<8_000).map {
            Array("/registry/pods/default/pod-\($0 * 7919 % 8_000)".utf8)
        }
        for key in keys {
            main += 1
            _ = key.withUnsafeBytes {
                index.apply($0, Revision(main: main, sub: 0), isTombstone: false)
            }
        }
        let height = index.height
        #expect(height > 0)
        for (number, key) in keys.enumerated() where number % 200 != 0 {
            main += 1
            _ = key.withUnsafeBytes {
                index.apply($0, Revision(main: main, sub: 0), isTombstone: true)
            }
        }
        for key in keys { key.withUnsafeBytes { index.trim($0, before: main + 1) { _ in } } }
        #expect(index.defect() == nil)
        #expect(index.count == 40)
        #expect(index.leafCount <= 8)
        for key in keys {
            main += 1
            _ = key.withUnsafeBytes {
                index.apply($0, Revision(main: main, sub: 0), isTombstone: true)
            }
        }
        for key in keys { key.withUnsafeBytes { index.trim($0, before: main + 1) { _ in } } }
        #expect(index.defect() == nil)
        #expect(index.count == 0)
        #expect(index.height == 0)
    }
}

extension KeyIndex {
    /// The number of leaves.
    var leafCount: Int {
        var pointer = self.root
        for _ in 0..<self.height { pointer = InnerNode(base: pointer).child(0) }
        var leaf: Leaf? = Leaf(base: pointer)
        var count = 0
        while let current = leaf {
            count += 1
            leaf = current.next
        }
        return count
    }

    /// Calls `body` with every key, deleted ones too.
    func visitAllKeys(_ body: ([UInt8]) -> Void) {
        var pointer = self.root
        for _ in 0..<self.height { pointer = InnerNode(base: pointer).child(0) }
        var leaf: Leaf? = Leaf(base: pointer)
        while let current = leaf {
            for slot in 0..<current.count { body(current.key(at: slot)) }
            leaf = current.next
        }
    }
}
