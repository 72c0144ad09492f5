// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes

/// Objects in the order of their keys, as a value: a copy is a snapshot and costs one reference.
///
/// Two levels of arrays. A change copies one chunk, and the list of chunks when a snapshot shares
/// it.
package struct OrderedObjects: Sendable {
    private struct Chunk {
        var objects: [CachedObject]
    }

    private static let chunkLimit = 256

    private var chunks: [Chunk] = []
    package private(set) var count = 0

    package init() {}

    /// Takes objects that are in the order of their keys.
    package init(sorted objects: [CachedObject]) {
        self.count = objects.count
        var start = 0
        while start < objects.count {
            let end = min(start + Self.chunkLimit * 3 / 4, objects.count)
            self.chunks.append(Chunk(objects: Array(objects[start..<end])))
            start = end
        }
    }

    /// Where a key is, or would be.
    private func find(_ key: Bytes) -> (chunk: Int, index: Int, isFound: Bool) {
        key.withUnsafeBytes { key in
            var low = 0
            var high = self.chunks.count
            // The last chunk whose first key is not greater.
            while low < high {
                let middle = (low + high) / 2
                if Self.order(self.chunks[middle].objects[0], key) <= 0 {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            let chunk = max(low - 1, 0)
            guard chunk < self.chunks.count else { return (0, 0, false) }
            let objects = self.chunks[chunk].objects
            low = 0
            high = objects.count
            while low < high {
                let middle = (low + high) / 2
                let order = Self.order(objects[middle], key)
                if order == 0 { return (chunk, middle, true) }
                if order < 0 { low = middle + 1 } else { high = middle }
            }
            return (chunk, low, false)
        }
    }

    private static func order(_ object: CachedObject, _ key: UnsafeRawBufferPointer) -> Int {
        object.withKey { compareBytes($0, key) }
    }

    package subscript(key: Bytes) -> CachedObject? {
        let (chunk, index, isFound) = self.find(key)
        return isFound ? self.chunks[chunk].objects[index] : nil
    }

    /// Puts an object in its place and answers the one that was there.
    @discardableResult
    package mutating func put(_ object: CachedObject) -> CachedObject? {
        let (chunk, index, isFound) = self.find(object.key)
        if isFound {
            let old = self.chunks[chunk].objects[index]
            self.chunks[chunk].objects[index] = object
            return old
        }
        self.count += 1
        if self.chunks.isEmpty {
            self.chunks.append(Chunk(objects: [object]))
            return nil
        }
        self.chunks[chunk].objects.insert(object, at: index)
        if self.chunks[chunk].objects.count > Self.chunkLimit {
            let half = Self.chunkLimit / 2
            let tail = Array(self.chunks[chunk].objects[half...])
            self.chunks[chunk].objects.removeSubrange(half...)
            self.chunks.insert(Chunk(objects: tail), at: chunk + 1)
        }
        return nil
    }

    /// Takes an object out and answers it.
    @discardableResult
    package mutating func remove(_ key: Bytes) -> CachedObject? {
        let (chunk, index, isFound) = self.find(key)
        guard isFound else { return nil }
        self.count -= 1
        let old = self.chunks[chunk].objects.remove(at: index)
        if self.chunks[chunk].objects.isEmpty { self.chunks.remove(at: chunk) }
        return old
    }
}

// MARK: - Walking

extension OrderedObjects {
    /// Objects that follow each other.
    package struct Run: Sendable {
        fileprivate var start: (chunk: Int, index: Int)
        fileprivate let end: (chunk: Int, index: Int)
    }

    /// The objects from a key on whose keys begin with `prefix`.
    package func run(from key: Bytes, within prefix: Bytes) -> Run {
        let start = self.find(max(key, prefix))
        return Run(start: (start.chunk, start.index), end: self.end(of: prefix))
    }

    /// The objects whose keys begin with `prefix`.
    package func run(within prefix: Bytes) -> Run { self.run(from: prefix, within: prefix) }

    /// The place behind the last key that begins with `prefix`.
    private func end(of prefix: Bytes) -> (chunk: Int, index: Int) {
        var successor = [UInt8](prefix)
        while successor.last == .max { successor.removeLast() }
        guard let last = successor.last else { return (self.chunks.count, 0) }
        successor[successor.count - 1] = last + 1
        let place = self.find(Bytes(successor))
        return (place.chunk, place.index)
    }

    /// Takes the first object of a run.
    package func next(_ run: inout Run) -> CachedObject? {
        while run.start < run.end {
            let objects = self.chunks[run.start.chunk].objects
            if run.start.index < objects.count {
                defer { run.start.index += 1 }
                return objects[run.start.index]
            }
            run.start = (run.start.chunk + 1, 0)
        }
        return nil
    }

    /// How many objects a run has. None of them is looked at.
    package func count(_ run: Run) -> Int {
        self.pieces(run).reduce(0) { $0 + $1.count }
    }

    /// The first objects of a run.
    package func prefix(_ limit: Int, of run: Run) -> [CachedObject] {
        var result: [CachedObject] = []
        result.reserveCapacity(limit)
        for piece in self.pieces(run) {
            result += piece.prefix(limit - result.count)
            if result.count == limit { break }
        }
        return result
    }

    /// The parts of chunks that make up a run.
    private func pieces(_ run: Run) -> some Sequence<ArraySlice<CachedObject>> {
        let last = min(run.end.chunk, self.chunks.count - 1)
        return (run.start.chunk..<max(last + 1, run.start.chunk)).lazy.map { chunk in
            let objects = self.chunks[chunk].objects
            let start = chunk == run.start.chunk ? min(run.start.index, objects.count) : 0
            let end = chunk == run.end.chunk ? run.end.index : objects.count
            return objects[start..<max(start, end)]
        }
    }

    /// All objects whose key begins with `prefix`.
    package func forEach(within prefix: Bytes, _ body: (CachedObject) -> Void) {
        var run = self.run(within: prefix)
        while let object = self.next(&run) { body(object) }
    }
}
