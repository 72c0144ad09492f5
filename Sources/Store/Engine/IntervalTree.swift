// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes

/// Ranges of keys, found by a key they contain in O(log n + found) steps.
///
/// A treap ordered by the start of the ranges, in which every node knows the greatest end below
/// it. Nodes live in one array; their priorities come from a generator of its own, so the shape
/// depends on nothing but the order of calls.
package struct IntervalTree {
    private struct Node {
        var range: KeyRange
        var values: [Int]
        var priority: UInt64
        var left: Int32 = -1
        var right: Int32 = -1
        /// The node in this subtree whose range ends last.
        var last: Int32
    }

    private var nodes: [Node] = []
    private var free: [Int32] = []
    private var root: Int32 = -1
    private var generator: UInt64 = 0x2545_F491_4F6C_DD1D

    /// The number of different ranges.
    package private(set) var count = 0

    package init() {}

    /// Adds `value` under `range`.
    package mutating func insert(_ range: KeyRange, _ value: Int) {
        if let index = self.find(range) {
            self.nodes[Int(index)].values.append(value)
            return
        }
        let index = self.makeNode(range, value)
        let (left, right) = self.split(self.root, before: range)
        self.root = self.merge(self.merge(left, index), right)
        self.count += 1
    }

    /// Removes `value` from under `range`.
    package mutating func remove(_ range: KeyRange, _ value: Int) {
        guard let index = self.find(range) else { return }
        // No values mark a free node.
        self.nodes[Int(index)].values.removeAll { $0 == value }
        guard self.nodes[Int(index)].values.isEmpty else { return }
        self.root = self.removing(index, range, from: self.root)
        self.free.append(index)
        self.count -= 1
    }

    /// Calls `body` with every value under a range that contains `key`.
    package func forEachValue(
        containing key: UnsafeRawBufferPointer,
        _ body: (Int) -> Void
    ) {
        self.visit(self.root, key, body)
    }

    /// Whether any range contains `key`.
    package func contains(_ key: UnsafeRawBufferPointer) -> Bool {
        self.contains(self.root, key)
    }

    private func contains(_ index: Int32, _ key: UnsafeRawBufferPointer) -> Bool {
        guard index >= 0 else { return false }
        let node = self.nodes[Int(index)]
        guard Self.endsBehind(self.nodes[Int(node.last)].range, key) else { return false }
        if node.range.contains(key) || self.contains(node.left, key) { return true }
        let startsLater = node.range.key.withUnsafeBytes { compareBytes($0, key) > 0 }
        return startsLater ? false : self.contains(node.right, key)
    }

    /// Adds all ranges and values of `other`.
    package mutating func formUnion(_ other: IntervalTree) {
        for node in other.nodes {
            for value in node.values { self.insert(node.range, value) }
        }
    }

    private func visit(_ index: Int32, _ key: UnsafeRawBufferPointer, _ body: (Int) -> Void) {
        guard index >= 0 else { return }
        // No range below ends behind the key.
        guard Self.endsBehind(self.nodes[Int(self.nodes[Int(index)].last)].range, key) else {
            return
        }
        self.visit(self.nodes[Int(index)].left, key, body)
        let startsLater = self.nodes[Int(index)].range.key.withUnsafeBytes {
            compareBytes($0, key) > 0
        }
        if startsLater { return }
        if Self.endsBehind(self.nodes[Int(index)].range, key) {
            for value in self.nodes[Int(index)].values { body(value) }
        }
        self.visit(self.nodes[Int(index)].right, key, body)
    }

    private static func endsBehind(_ range: KeyRange, _ key: UnsafeRawBufferPointer) -> Bool {
        switch range.end {
        case .unbounded: true
        case .single: range.key.withUnsafeBytes { compareBytes($0, key) >= 0 }
        case .before(let end): end.withUnsafeBytes { compareBytes($0, key) > 0 }
        }
    }

    // MARK: - Structure

    private mutating func makeNode(_ range: KeyRange, _ value: Int) -> Int32 {
        self.generator ^= self.generator &<< 13
        self.generator ^= self.generator &>> 7
        self.generator ^= self.generator &<< 17
        let node = Node(range: range, values: [value], priority: self.generator, last: -1)
        let index: Int32
        if let reused = self.free.popLast() {
            index = reused
            self.nodes[Int(index)] = node
        } else {
            index = Int32(self.nodes.count)
            self.nodes.append(node)
        }
        self.update(index)
        return index
    }

    private static func endPrecedes(_ left: KeyRange, _ right: KeyRange) -> Bool {
        switch (left.end, right.end) {
        case (.unbounded, _): false
        case (_, .unbounded): true
        case (.before(let a), .before(let b)): a < b
        // A single key ends at the key followed by a zero byte, which is at most any end behind it.
        case (.single, .single): left.key < right.key
        case (.single, .before(let end)): left.key < end && !Self.isSuccessor(end, of: left.key)
        case (.before(let end), .single): end <= right.key
        }
    }

    /// Whether `end` is the key right behind `key`, so that `key..<end` holds `key` alone.
    private static func isSuccessor(_ end: Bytes, of key: Bytes) -> Bool {
        end.count == key.count + 1 && end[key.count] == 0 && end.slice(0..<key.count) == key
    }

    private func find(_ range: KeyRange) -> Int32? {
        var index = self.root
        while index >= 0 {
            let node = self.nodes[Int(index)]
            if node.range == range { return index }
            index = self.orders(range, before: node.range) ? node.left : node.right
        }
        return nil
    }

    /// A total order in which different ranges are never equal.
    private func orders(_ left: KeyRange, before right: KeyRange) -> Bool {
        if left.key != right.key { return left.key < right.key }
        return Self.rank(left.end, right.end)
    }

    private static func rank(_ left: KeyRange.End, _ right: KeyRange.End) -> Bool {
        switch (left, right) {
        case (.single, .single), (.unbounded, _): false
        case (.single, _): true
        case (.before, .single): false
        case (.before(let a), .before(let b)): a < b
        case (.before, .unbounded): true
        }
    }

    private mutating func update(_ index: Int32) {
        var last = index
        for child in [self.nodes[Int(index)].left, self.nodes[Int(index)].right] where child >= 0 {
            let candidate = self.nodes[Int(child)].last
            if Self.endPrecedes(
                self.nodes[Int(last)].range,
                self.nodes[Int(candidate)].range
            ) {
                last = candidate
            }
        }
        self.nodes[Int(index)].last = last
    }

    private mutating func split(_ index: Int32, before range: KeyRange) -> (Int32, Int32) {
        guard index >= 0 else { return (-1, -1) }
        if self.orders(self.nodes[Int(index)].range, before: range) {
            let (left, right) = self.split(self.nodes[Int(index)].right, before: range)
            self.nodes[Int(index)].right = left
            self.update(index)
            return (index, right)
        }
        let (left, right) = self.split(self.nodes[Int(index)].left, before: range)
        self.nodes[Int(index)].left = right
        self.update(index)
        return (left, index)
    }

    private mutating func merge(_ left: Int32, _ right: Int32) -> Int32 {
        if left < 0 { return right }
        if right < 0 { return left }
        if self.nodes[Int(left)].priority > self.nodes[Int(right)].priority {
            self.nodes[Int(left)].right = self.merge(self.nodes[Int(left)].right, right)
            self.update(left)
            return left
        }
        self.nodes[Int(right)].left = self.merge(left, self.nodes[Int(right)].left)
        self.update(right)
        return right
    }

    private mutating func removing(
        _ target: Int32,
        _ range: KeyRange,
        from index: Int32
    ) -> Int32 {
        guard index >= 0 else { return -1 }
        if index == target {
            return self.merge(self.nodes[Int(index)].left, self.nodes[Int(index)].right)
        }
        if self.orders(range, before: self.nodes[Int(index)].range) {
            let child = self.nodes[Int(index)].left
            self.nodes[Int(index)].left = self.removing(target, range, from: child)
        } else {
            let child = self.nodes[Int(index)].right
            self.nodes[Int(index)].right = self.removing(target, range, from: child)
        }
        self.update(index)
        return index
    }
}
