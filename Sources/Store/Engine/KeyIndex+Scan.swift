// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes

extension KeyIndex {
    /// A key as a scan sees it.
    package struct Item {
        let entry: IndexEntry
        let prefix: UnsafeRawBufferPointer
        /// The revision the scan's reader sees.
        package let revision: Revision
        /// Whether that is the newest revision of the key.
        package let isNewest: Bool

        /// Copies the key.
        package var key: [UInt8] { [UInt8](self.prefix) + [UInt8](self.entry.suffix) }

        /// The revision that created the key, if it is known here.
        package var createRevision: Int64? { self.isNewest ? self.entry.createRevision : nil }
    }

    /// Visits the keys of `range` that a reader at `main` sees, in order, until `body` answers
    /// false.
    ///
    /// - Returns: Whether the end of the range was reached.
    @discardableResult
    @inline(__always)
    package func visit(
        _ range: KeyRange,
        at main: Int64,
        _ body: (Item) -> Bool
    ) -> Bool {
        range.key.withUnsafeBytes { first in
            switch range.end {
            case .single:
                guard let entry = self.find(first), let version = entry.version(at: main),
                    !version.isTombstone
                else { return true }
                let none = UnsafeRawBufferPointer(start: nil, count: 0)
                return body(self.item(entry, prefix: none, version))
            case .unbounded:
                return self.scan(from: first, before: nil, at: main, body)
            case .before(let end):
                return end.withUnsafeBytes {
                    self.scan(from: first, before: $0, at: main, body)
                }
            }
        }
    }

    @inline(__always)
    private func item(
        _ entry: IndexEntry,
        prefix: UnsafeRawBufferPointer,
        _ version: IndexEntry.Version
    ) -> Item {
        Item(
            entry: entry,
            prefix: prefix,
            revision: version.revision,
            isNewest: version.isNewest
        )
    }

    private func scan(
        from first: UnsafeRawBufferPointer,
        before end: UnsafeRawBufferPointer?,
        at main: Int64,
        _ body: (Item) -> Bool
    ) -> Bool {
        var current: Leaf? = self.leaf(for: first)
        var slot = current?.place(of: first).slot ?? 0
        while let leaf = current {
            let (stop, isLast) = self.stop(in: leaf, before: end)
            while slot < stop {
                let entry = leaf.entry(at: slot)
                if let version = entry.version(at: main), !version.isTombstone {
                    if !body(self.item(entry, prefix: leaf.prefix, version)) { return false }
                }
                slot += 1
            }
            if isLast { return true }
            current = leaf.next
            slot = 0
        }
        return true
    }

    /// The slot at which a scan that ends before `end` leaves `leaf`, and whether it ends there.
    private func stop(
        in leaf: Leaf,
        before end: UnsafeRawBufferPointer?
    ) -> (slot: Int, isLast: Bool) {
        let count = leaf.count
        guard let end, count > 0, leaf.compare(at: count - 1, with: end) >= 0 else {
            return (count, false)
        }
        return (leaf.place(of: end).slot, true)
    }

    // MARK: - Counting

    /// The number of keys of `range` that a reader at `main` sees.
    package func count(_ range: KeyRange, at main: Int64) -> Int {
        if range.isEmpty { return 0 }
        return range.key.withUnsafeBytes { first in
            switch range.end {
            case .single:
                return self.revision(of: first, at: main) == nil ? 0 : 1
            case .unbounded:
                return self.count(self.root, self.height, from: first, before: nil, at: main)
            case .before(let end):
                return end.withUnsafeBytes {
                    self.count(self.root, self.height, from: first, before: $0, at: main)
                }
            }
        }
    }

    /// Counts below one node. A nil bound means that the node lies inside on that side.
    private func count(
        _ pointer: UnsafeMutableRawPointer,
        _ height: Int,
        from first: UnsafeRawBufferPointer?,
        before end: UnsafeRawBufferPointer?,
        at main: Int64
    ) -> Int {
        if height == 0 {
            let leaf = Leaf(base: pointer)
            let start = first.map { leaf.place(of: $0).slot } ?? 0
            let stop = end.map { leaf.place(of: $0).slot } ?? leaf.count
            if start == 0, stop == leaf.count, leaf.greatestRevision <= main { return leaf.live }
            var count = 0
            for slot in stride(from: start, to: stop, by: 1) {
                if let version = leaf.entry(at: slot).version(at: main), !version.isTombstone {
                    count += 1
                }
            }
            return count
        }
        let node = InnerNode(base: pointer)
        let firstIndex = first.map { node.childIndex(for: $0) } ?? 0
        let lastIndex = end.map { node.childIndex(for: $0) } ?? node.count - 1
        if firstIndex > lastIndex { return 0 }
        var count = 0
        for index in firstIndex...lastIndex {
            let lower = index == firstIndex ? first : nil
            let upper = index == lastIndex ? end : nil
            if lower == nil, upper == nil, node.greatest(index) <= main {
                count += node.live(index)
            } else {
                count += self.count(
                    node.child(index),
                    height - 1,
                    from: lower,
                    before: upper,
                    at: main
                )
            }
        }
        return count
    }

    // MARK: - Checks

    /// What is wrong with the structure, for tests and `check`; nil if nothing is.
    package func defect() -> String? {
        var count = 0
        var last: [UInt8]?
        var previous: UnsafeMutableRawPointer?
        if let text = self.defect(self.root, self.height, &count, &last, &previous) { return text }
        if count != self.count { return "\(count) keys in the leaves, \(self.count) counted" }
        if let previous, Leaf(base: previous).next != nil { return "the last leaf has a next one" }
        return nil
    }

    private func defect(
        _ pointer: UnsafeMutableRawPointer,
        _ height: Int,
        _ count: inout Int,
        _ last: inout [UInt8]?,
        _ previous: inout UnsafeMutableRawPointer?
    ) -> String? {
        if height > 0 {
            let node = InnerNode(base: pointer)
            if node.count == 0 { return "an inner node has no children" }
            for index in 0..<node.count {
                if index > 0, let last {
                    let isBehind = last.withUnsafeBytes {
                        compareBytes($0, node.separator(index)) < 0
                    }
                    if !isBehind { return "a key is not less than the separator behind it" }
                }
                let lower = index > 0 ? [UInt8](node.separator(index)) : nil
                let before = count
                let text = self.defect(node.child(index), height - 1, &count, &last, &previous)
                if let text { return text }
                if let lower, count > before, height == 1 {
                    let first = Leaf(base: node.child(index)).key(at: 0)
                    if first.lexicographicallyPrecedes(lower) {
                        return "a key is less than the separator before it"
                    }
                }
                if self.live(node.child(index), height - 1) != node.live(index) {
                    return "the sum of live keys of an inner node is wrong"
                }
            }
            return nil
        }
        let leaf = Leaf(base: pointer)
        if leaf.previous?.base != previous { return "a leaf does not point to the one before" }
        if let previous, Leaf(base: previous).next?.base != pointer {
            return "a leaf does not point to the next one"
        }
        previous = pointer
        for slot in 0..<leaf.count {
            let key = leaf.key(at: slot)
            if let last {
                let order = last.withUnsafeBytes { a in key.withUnsafeBytes { compareBytes(a, $0) }
                }
                if order >= 0 { return "keys are out of order" }
            }
            last = key
            count += 1
            if leaf.entry(at: slot).revision.main > leaf.greatestRevision {
                return "a leaf has a later revision than its greatest"
            }
        }
        return nil
    }

    private func live(_ pointer: UnsafeMutableRawPointer, _ height: Int) -> Int {
        if height == 0 {
            let leaf = Leaf(base: pointer)
            var live = 0
            for slot in 0..<leaf.count where !leaf.entry(at: slot).isTombstone { live += 1 }
            return live
        }
        let node = InnerNode(base: pointer)
        var live = 0
        for index in 0..<node.count { live += self.live(node.child(index), height - 1) }
        return live
    }
}
