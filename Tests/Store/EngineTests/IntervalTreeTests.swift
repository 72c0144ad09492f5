// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import StoreTestSupport
import Testing

@testable import Engine

@Suite("Interval tree")
struct IntervalTreeTests {
    private static func key(_ random: inout SeededGenerator) -> Bytes {
        let letters: [UInt8] = [0, 97, 98, 99, 255]
        return Bytes((0..<(1 + random.below(3))).map { _ in letters[random.below(5)] })
    }

    private static func range(_ random: inout SeededGenerator) -> KeyRange {
        let key = self.key(&random)
        switch random.below(4) {
        case 0: return KeyRange(key: key, end: .single)
        case 1: return KeyRange(key: key, end: .unbounded)
        default:
            let other = self.key(&random)
            if other == key { return KeyRange(key: key, end: .single) }
            return KeyRange(key: min(key, other), end: .before(max(key, other)))
        }
    }

    @Test("finds the same ranges as looking at all of them", arguments: Array(1...20) as [UInt64])
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var tree = IntervalTree()
        var model: [(range: KeyRange, value: Int)] = []
        for step in 0..<400 {
            if model.isEmpty || !random.oneIn(3) {
                let range = Self.range(&random)
                tree.insert(range, step)
                model.append((range, step))
            } else {
                let gone = model.remove(at: random.below(model.count))
                tree.remove(gone.range, gone.value)
            }
            let key = Self.key(&random)
            let expected = model.filter { entry in
                key.withUnsafeBytes { entry.range.contains($0) }
            }
            var found: [Int] = []
            key.withUnsafeBytes { tree.forEachValue(containing: $0) { found.append($0) } }
            #expect(found.sorted() == expected.map(\.value).sorted())
            #expect(key.withUnsafeBytes { tree.contains($0) } == !expected.isEmpty)
            #expect(tree.count == Set(model.map(\.range)).count)
        }
    }

    @Test("knows which ranges overlap", arguments: Array(1...5) as [UInt64])
    func overlaps(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let left = Self.range(&random)
            let right = Self.range(&random)
            // A common key is the start of one of the two, if there is any.
            let expected = [left.key, right.key].contains { key in
                key.withUnsafeBytes { left.contains($0) && right.contains($0) }
            }
            #expect(left.overlaps(right) == expected)
        }
    }
}
