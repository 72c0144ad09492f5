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
        object.key.withUnsafeBytes { compareBytes($0, key) }
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
    /// A place between two objects.
    package struct Cursor: Sendable {
        fileprivate var chunk: Int
        fileprivate var index: Int
    }

    /// The place before the first key that is not below `key`.
    package func cursor(from key: Bytes) -> Cursor {
        let place = self.find(key)
        return Cursor(chunk: place.chunk, index: place.index)
    }

    /// The next object behind a place, if its key begins with `prefix`.
    package func next(_ cursor: inout Cursor, within prefix: Bytes) -> CachedObject? {
        while cursor.chunk < self.chunks.count {
            let objects = self.chunks[cursor.chunk].objects
            guard cursor.index < objects.count else {
                cursor = Cursor(chunk: cursor.chunk + 1, index: 0)
                continue
            }
            let object = objects[cursor.index]
            if prefix.count > 0 {
                let isWithin = object.key.withUnsafeBytes { key in
                    prefix.withUnsafeBytes { key.starts(with: $0) }
                }
                guard isWithin else { return nil }
            }
            cursor.index += 1
            return object
        }
        return nil
    }

    /// All objects whose key begins with `prefix`.
    package func forEach(within prefix: Bytes, _ body: (CachedObject) -> Void) {
        var cursor = self.cursor(from: prefix)
        while let object = self.next(&cursor, within: prefix) { body(object) }
    }
}
