// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes

/// What objects can be found by.
enum IndexKey: Hashable, Sendable {
    /// The value of a label; objects without it are not found.
    case label(String)
    /// The value of one of the resource's selectable fields.
    case field(Int)
    /// The name, in all namespaces.
    case name
}

/// Objects by the values of labels and fields that are asked for again and again.
///
/// An index is made when it is asked for the second time, from all objects; from then on each write
/// keeps it up to date. What is paid is bounded: there are few indexes, those that nobody asks for
/// are given up, and small sets of objects are looked through as they are.
struct ObjectIndexes: Sendable {
    /// A value's objects are in the order of their keys, so that they serve as a list.
    private struct Index: Sendable {
        var values: [String: OrderedObjects] = [:]
        var lastUse: UInt64
    }

    /// The most indexes of a resource.
    static let maximumCount = 8
    /// Fewer objects are looked through.
    static let minimumObjects = 256
    /// After so many writes without a question an index is given up.
    static let maximumIdleWrites: UInt64 = 16_384

    private var indexes: [IndexKey: Index] = [:]
    /// What has been asked for once, the latest last.
    private var wanted: [IndexKey] = []
    private var writes: UInt64 = 0

    /// What there are indexes of.
    var keys: Set<IndexKey> { Set(self.indexes.keys) }

    /// A set of objects that has all which a filter selects, in order; the smallest that is known.
    mutating func candidates(_ filter: WatchFilter, of all: OrderedObjects) -> OrderedObjects {
        if filter.equalities.isEmpty || filter.key != nil { return all }
        guard all.count(all.run(within: filter.prefix)) >= Self.minimumObjects else { return all }
        var best: OrderedObjects?
        for (key, value) in filter.equalities {
            guard self.indexes[key] != nil else { continue }
            self.indexes[key]?.lastUse = self.writes
            let found = self.indexes[key]?.values[value] ?? OrderedObjects()
            if found.count < best?.count ?? .max { best = found }
        }
        if let best { return best }
        guard let first = filter.equalities.first, self.isWantedAgain(first.key) else { return all }
        self.build(first.key, of: all)
        return self.indexes[first.key]?.values[first.value] ?? OrderedObjects()
    }

    private mutating func isWantedAgain(_ key: IndexKey) -> Bool {
        if let place = self.wanted.firstIndex(of: key) {
            self.wanted.remove(at: place)
            return true
        }
        self.wanted.append(key)
        if self.wanted.count > Self.maximumCount { self.wanted.removeFirst() }
        return false
    }

    private mutating func build(_ key: IndexKey, of all: OrderedObjects) {
        if self.indexes.count >= Self.maximumCount,
            let oldest = self.indexes.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
        {
            self.indexes[oldest] = nil
        }
        var sorted: [String: [CachedObject]] = [:]
        all.forEach(within: Bytes()) { object in
            if let value = object.value(of: key) { sorted[value, default: []].append(object) }
        }
        self.indexes[key] = Index(
            values: sorted.mapValues { OrderedObjects(sorted: $0) },
            lastUse: self.writes
        )
    }

    /// Takes over a write: nil before it or after it when there was, or is, no object.
    mutating func replace(_ old: CachedObject?, with new: CachedObject?) {
        if self.indexes.isEmpty { return }
        self.writes += 1
        if self.writes % 4096 == 0 {
            self.indexes = self.indexes.filter {
                $0.value.lastUse + Self.maximumIdleWrites > self.writes
            }
        }
        for key in self.indexes.keys {
            let before = old?.value(of: key)
            let after = new?.value(of: key)
            if let before, before != after, let old {
                self.indexes[key]?.values[before]?.remove(old.key)
                if self.indexes[key]?.values[before]?.count == 0 {
                    self.indexes[key]?.values[before] = nil
                }
            }
            if let after, let new {
                self.indexes[key]?.values[after, default: OrderedObjects()].put(new)
            }
        }
    }
}

extension CachedObject {
    /// What an index finds the object by; nil when it does not.
    func value(of key: IndexKey) -> String? {
        switch key {
        case .name: self.name
        case .field(let index): self.field(index)
        case .label(let name):
            self.withLabelValue(name) { bytes in
                bytes.map { String(decoding: $0, as: UTF8.self) }
            }
        }
    }
}
