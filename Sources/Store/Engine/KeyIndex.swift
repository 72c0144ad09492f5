// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes

/// All keys of the store in order, with their revisions: a B+tree in memory of its own.
///
/// A key takes about 45 bytes and what it does not share with its neighbours; no object is made
/// for it. Lookups and changes take O(log n) steps. Counting a range at the newest revision takes
/// O(log n) as well, since inner nodes keep sums.
///
/// The index is not synchronised. It performs no I/O: the values are elsewhere, found by revision.
package struct KeyIndex: ~Copyable {
    /// The root: a leaf if `height` is 0.
    var root: UnsafeMutableRawPointer
    /// The number of levels above the leaves.
    var height = 0
    /// Keys in the index, deleted ones that are not compacted among them.
    package private(set) var count = 0
    /// The way to the leaf last descended to for a change.
    private var path: [Step] = []

    struct Step {
        var node: InnerNode
        var index: Int
    }

    package init() {
        self.root = Leaf.create().base
    }

    deinit {
        Self.free(self.root, height: self.height)
    }

    private static func free(_ pointer: UnsafeMutableRawPointer, height: Int) {
        if height > 0 {
            let node = InnerNode(base: pointer)
            for index in 0..<node.count { self.free(node.child(index), height: height - 1) }
            node.freeSeparators()
            node.free()
            return
        }
        let leaf = Leaf(base: pointer)
        while leaf.count > 0 { leaf.remove(at: leaf.count - 1) }
        leaf.free()
    }

    // MARK: - Lookup

    /// The leaf that holds `key` if any does.
    @inline(__always)
    func leaf(for key: UnsafeRawBufferPointer) -> Leaf {
        var pointer = self.root
        var level = self.height
        while level > 0 {
            let node = InnerNode(base: pointer)
            pointer = node.child(node.childIndex(for: key))
            level &-= 1
        }
        return Leaf(base: pointer)
    }

    /// What is known of `key`; nil if the index has no such key.
    @inline(__always)
    func find(_ key: UnsafeRawBufferPointer) -> IndexEntry? {
        let leaf = self.leaf(for: key)
        let place = leaf.place(of: key)
        return place.isFound ? leaf.entry(at: place.slot) : nil
    }

    /// The newest state of a key.
    package struct State: Hashable, Sendable {
        package var revision: Revision
        package var isTombstone: Bool
        package var createRevision: Int64
        package var version: Int64
    }

    /// The newest state of `key`; nil if the index has no such key.
    package func state(of key: UnsafeRawBufferPointer) -> State? {
        guard let entry = self.find(key) else { return nil }
        return State(
            revision: entry.revision,
            isTombstone: entry.isTombstone,
            createRevision: entry.createRevision,
            version: entry.version
        )
    }

    /// The revision of `key` that a reader at `main` sees; nil if there is none or it is deleted.
    @inline(__always)
    package func revision(of key: UnsafeRawBufferPointer, at main: Int64) -> Revision? {
        guard let version = self.find(key)?.version(at: main), !version.isTombstone else {
            return nil
        }
        return version.revision
    }

    // MARK: - Changes

    /// What a change did.
    package struct Change {
        /// The revision that created the key; 0 after a deletion.
        package var createRevision: Int64
        /// The number of changes since then; 0 after a deletion.
        package var version: Int64
    }

    /// Records that `revision`, the newest of all, put or deleted `key`.
    package mutating func apply(
        _ key: UnsafeRawBufferPointer,
        _ revision: Revision,
        isTombstone: Bool
    ) -> Change {
        let (entry, leaf) = self.findOrInsert(key)
        let wasTombstone = entry.isTombstone
        if isTombstone {
            entry.createRevision = 0
            entry.version = 0
        } else if wasTombstone {
            entry.createRevision = revision.main
            entry.version = 1
        } else {
            entry.version &+= 1
        }
        self.replace(entry, leaf, revision, isTombstone: isTombstone)
        return Change(createRevision: entry.createRevision, version: entry.version)
    }

    /// Records a revision read back from disk, in the order it was written.
    package mutating func restore(
        _ key: UnsafeRawBufferPointer,
        _ revision: Revision,
        isTombstone: Bool,
        createRevision: Int64,
        version: Int64
    ) {
        let (entry, leaf) = self.findOrInsert(key)
        entry.createRevision = isTombstone ? 0 : createRevision
        entry.version = isTombstone ? 0 : version
        self.replace(entry, leaf, revision, isTombstone: isTombstone)
    }

    /// Makes `revision` the newest of the entry that `findOrInsert` gave.
    private func replace(
        _ entry: IndexEntry,
        _ leaf: Leaf,
        _ revision: Revision,
        isTombstone: Bool
    ) {
        let wasTombstone = entry.isTombstone
        let old = entry.revision
        if old.main > 0 {
            if let history = entry.history {
                entry.history = history.appending(old, isTombstone: wasTombstone)
            } else {
                entry.history = History.create(old, isTombstone: wasTombstone)
            }
        }
        entry.setRevision(revision, isTombstone: isTombstone)
        self.account(leaf, (wasTombstone ? 0 : -1) + (isTombstone ? 0 : 1), revision.main)
    }

    /// Updates the sums on the path that `findOrInsert` left.
    private func account(_ leaf: Leaf, _ live: Int, _ main: Int64) {
        leaf.live += live
        leaf.greatestRevision = max(leaf.greatestRevision, main)
        for step in self.path {
            if live != 0 { step.node.setLive(step.index, step.node.live(step.index) + live) }
            step.node.setGreatest(step.index, max(step.node.greatest(step.index), main))
        }
    }

    private mutating func descend(to key: UnsafeRawBufferPointer) -> Leaf {
        self.path.removeAll(keepingCapacity: true)
        var pointer = self.root
        var level = self.height
        while level > 0 {
            let node = InnerNode(base: pointer)
            let index = node.childIndex(for: key)
            self.path.append(Step(node: node, index: index))
            pointer = node.child(index)
            level -= 1
        }
        return Leaf(base: pointer)
    }

    private mutating func findOrInsert(
        _ key: UnsafeRawBufferPointer
    ) -> (entry: IndexEntry, leaf: Leaf) {
        while true {
            let leaf = self.descend(to: key)
            var place = leaf.place(of: key)
            if place.isFound { return (leaf.entry(at: place.slot), leaf) }
            if !place.sharesPrefix {
                let shorter = sharedPrefixCount(leaf.prefix, key)
                guard leaf.pack(prefixCount: shorter) else {
                    self.split(leaf, before: place.slot)
                    continue
                }
                place = leaf.place(of: key)
            }
            if let entry = leaf.insert(key, at: place.slot) {
                self.count += 1
                return (entry, leaf)
            }
            let best = leaf.bestPrefixCount()
            if best > leaf.prefixCount {
                // A longer common prefix may make the room; the key has to share it.
                let prefixCount = min(best, leaf.sharedCount(at: 0, with: key))
                if prefixCount > leaf.prefixCount, leaf.pack(prefixCount: prefixCount),
                    let entry = leaf.insert(key, at: leaf.place(of: key).slot)
                {
                    self.count += 1
                    return (entry, leaf)
                }
            }
            self.split(leaf, before: place.slot)
        }
    }

    // MARK: - Splitting

    /// Splits a full leaf in two. The path leads to it.
    private mutating func split(_ leaf: Leaf, before slot: Int) {
        let count = leaf.count
        precondition(count > 1, "a leaf with \(count) keys is full")
        // Keys that come in order leave full pages behind them instead of half-empty ones.
        let isAtEnd = slot == count && leaf.isAppending
        var middle = isAtEnd ? count - 1 : 0
        if !isAtEnd {
            var total = 0
            for index in 0..<count { total += leaf.entry(at: index).byteCount + 2 }
            var left = 0
            while middle < count - 1, left * 2 < total {
                left += leaf.entry(at: middle).byteCount + 2
                middle += 1
            }
            middle = max(middle, 1)
        }
        let right = Leaf.create()
        let separator = self.separator(of: leaf, at: middle)
        let moved = leaf.copyEntries(middle..<count, to: right, prefixCount: leaf.prefixCount)
        precondition(moved, "part of a leaf does not fit into an empty one")
        leaf.truncate(to: middle)
        for half in [leaf, right] where !half.pack(prefixCount: half.bestPrefixCount()) {
            // A shorter suffix can move into the page and take more of it.
            half.pack(prefixCount: half.prefixCount)
        }
        right.isAppending = isAtEnd
        right.next = leaf.next
        right.previous = leaf
        leaf.next?.previous = right
        leaf.next = right
        if let parent = self.path.last {
            parent.node.setLive(parent.index, leaf.live)
            parent.node.setGreatest(parent.index, leaf.greatestRevision)
        }
        self.insertChild(
            InnerNode.Child(
                pointer: right.base,
                live: right.live,
                greatest: right.greatestRevision
            ),
            left: leaf.base,
            leftLive: leaf.live,
            leftGreatest: leaf.greatestRevision,
            separator: separator,
            level: self.path.count - 1
        )
    }

    /// The shortest key that is greater than the one before `slot` and at most the one in it.
    private func separator(of leaf: Leaf, at slot: Int) -> UnsafeRawBufferPointer {
        let left = leaf.entry(at: slot - 1).suffix
        let right = leaf.entry(at: slot).suffix
        let shared = sharedPrefixCount(left, right)
        let prefix = leaf.prefix
        let separator = UnsafeMutableRawBufferPointer.allocate(
            byteCount: prefix.count + shared + 1,
            alignment: 1
        )
        UnsafeMutableRawBufferPointer(rebasing: separator[..<prefix.count])
            .copyMemory(from: prefix)
        UnsafeMutableRawBufferPointer(rebasing: separator[prefix.count...])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: right[...shared]))
        return UnsafeRawBufferPointer(separator)
    }

    /// Puts a new child behind the one the path goes through at `level`; -1 grows a new root.
    private mutating func insertChild(
        _ child: InnerNode.Child,
        left: UnsafeMutableRawPointer,
        leftLive: Int,
        leftGreatest: Int64,
        separator: UnsafeRawBufferPointer,
        level: Int
    ) {
        guard level >= 0 else {
            let root = InnerNode.create()
            root.setChild(0, left)
            root.setLive(0, leftLive)
            root.setGreatest(0, leftGreatest)
            root.count = 1
            root.insert(child, separator: separator, at: 1)
            self.root = root.base
            self.height += 1
            return
        }
        let step = self.path[level]
        let position = step.index + 1
        if step.node.count < InnerNode.maximumChildren {
            step.node.insert(child, separator: separator, at: position)
            return
        }
        let count = step.node.count
        let middle = position == count ? count - 1 : count / 2
        let (node, upper) = step.node.split(at: middle)
        if position <= middle {
            step.node.insert(child, separator: separator, at: position)
        } else {
            node.insert(child, separator: separator, at: position - middle)
        }
        if level > 0 {
            let parent = self.path[level - 1]
            parent.node.setLive(parent.index, step.node.totalLive)
            parent.node.setGreatest(parent.index, step.node.totalGreatest)
        }
        self.insertChild(
            InnerNode.Child(
                pointer: node.base,
                live: node.totalLive,
                greatest: node.totalGreatest
            ),
            left: step.node.base,
            leftLive: step.node.totalLive,
            leftGreatest: step.node.totalGreatest,
            separator: upper,
            level: level - 1
        )
    }

    // MARK: - Compaction

    /// Forgets the revisions of `key` that no reader at `floor` or later can see, and the key
    /// itself if it was deleted before `floor`.
    ///
    /// A deletion at exactly `floor` stays: a watch may start there and has to see it.
    ///
    /// - Parameter body: Called with each forgotten revision, oldest first.
    package mutating func trim(
        _ key: UnsafeRawBufferPointer,
        before floor: Int64,
        _ body: (Revision) -> Void
    ) {
        guard let entry = self.find(key) else { return }
        let newest = entry.revision
        if newest.main <= floor {
            if let history = entry.history {
                for index in 0..<history.count { body(history.revision(at: index)) }
                history.free()
                entry.history = nil
            }
            if entry.isTombstone, newest.main < floor {
                body(newest)
                self.remove(key)
            }
            return
        }
        guard let history = entry.history, let index = history.newest(atMost: floor) else { return }
        let last = history.revision(at: index)
        let alsoLast = history.isTombstone(at: index) && last.main < floor
        let dropped = alsoLast ? index + 1 : index
        if dropped == 0 { return }
        for index in 0..<dropped { body(history.revision(at: index)) }
        entry.history = history.droppingOldest(dropped)
    }

    /// Takes out a key whose newest revision is a deletion.
    private mutating func remove(_ key: UnsafeRawBufferPointer) {
        let leaf = self.descend(to: key)
        let place = leaf.place(of: key)
        guard place.isFound else { return }
        leaf.remove(at: place.slot)
        self.count -= 1
        guard let parent = self.path.last else { return }
        if leaf.count == 0 {
            self.unlink(leaf)
            self.removeChild(level: self.path.count - 1)
        } else if Leaf.bytes - leaf.packedFreeBytes < Leaf.bytes / 4 {
            self.merge(leaf, parent)
        }
    }

    private func unlink(_ leaf: Leaf) {
        leaf.previous?.next = leaf.next
        leaf.next?.previous = leaf.previous
        leaf.free()
    }

    /// Takes out the child the path goes through at `level`, which is freed already.
    private mutating func removeChild(level: Int) {
        let step = self.path[level]
        step.node.remove(at: step.index)
        self.shrink(level: level)
    }

    /// Frees, merges or replaces the node of the path at `level` if it has few children left.
    private mutating func shrink(level: Int) {
        let node = self.path[level].node
        if level == 0 {
            while self.height > 0, InnerNode(base: self.root).count <= 1 {
                let root = InnerNode(base: self.root)
                if root.count == 1 {
                    self.root = root.child(0)
                    self.height -= 1
                } else {
                    self.root = Leaf.create().base
                    self.height = 0
                }
                root.free()
            }
            return
        }
        if node.count == 0 {
            node.free()
            self.removeChild(level: level - 1)
            return
        }
        guard node.count < InnerNode.maximumChildren / 4 else { return }
        let parent = self.path[level - 1]
        let leftIndex = parent.index + 1 < parent.node.count ? parent.index : parent.index - 1
        guard leftIndex >= 0 else { return }
        let left = InnerNode(base: parent.node.child(leftIndex))
        let right = InnerNode(base: parent.node.child(leftIndex + 1))
        guard left.count + right.count <= InnerNode.maximumChildren * 3 / 4 else { return }
        left.append(right, separator: parent.node.takeSeparator(leftIndex + 1))
        right.free()
        self.joined(parent.node, leftIndex, level: level - 1)
    }

    /// Joins a leaf that has become small with a neighbour under the same parent, if both fit into
    /// three quarters of a page.
    private mutating func merge(_ leaf: Leaf, _ parent: Step) {
        let leftIndex = parent.index + 1 < parent.node.count ? parent.index : parent.index - 1
        guard leftIndex >= 0 else { return }
        let left = Leaf(base: parent.node.child(leftIndex))
        let right = Leaf(base: parent.node.child(leftIndex + 1))
        let prefixCount = sharedPrefixCount(left.prefix, right.prefix)
        var needed = Leaf.headerBytes + prefixCount
        for half in [left, right] {
            let longer = half.prefixCount - prefixCount
            for slot in 0..<half.count {
                let suffix = half.entry(at: slot).suffix.count + longer
                needed += IndexEntry.byteCount(suffixCount: suffix) + 2
            }
        }
        guard needed <= Leaf.bytes * 3 / 4, left.pack(prefixCount: prefixCount) else { return }
        let moved = right.copyEntries(0..<right.count, to: left, prefixCount: prefixCount)
        precondition(moved, "two small leaves do not fit into one")
        right.truncate(to: 0)
        self.unlink(right)
        self.joined(parent.node, leftIndex, level: self.path.count - 1)
    }

    /// Drops the right one of two children that were joined, after moving its sums to the left one.
    private mutating func joined(_ node: InnerNode, _ left: Int, level: Int) {
        node.setLive(left, node.live(left) + node.live(left + 1))
        node.setGreatest(left, max(node.greatest(left), node.greatest(left + 1)))
        node.remove(at: left + 1)
        self.shrink(level: level)
    }
}
