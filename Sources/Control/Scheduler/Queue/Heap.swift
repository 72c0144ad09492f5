// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A binary heap: the least item first.
struct Heap<Item> {
    private var items: [Item] = []
    private let precedes: (Item, Item) -> Bool

    init(by precedes: @escaping (Item, Item) -> Bool) {
        self.precedes = precedes
    }

    var count: Int { self.items.count }
    var isEmpty: Bool { self.items.isEmpty }
    var first: Item? { self.items.first }

    mutating func push(_ item: Item) {
        self.items.append(item)
        var index = self.items.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard self.precedes(self.items[index], self.items[parent]) else { return }
            self.items.swapAt(index, parent)
            index = parent
        }
    }

    mutating func pop() -> Item? {
        guard let first = self.items.first else { return nil }
        let last = self.items.removeLast()
        if !self.items.isEmpty {
            self.items[0] = last
            self.sink(0)
        }
        return first
    }

    /// Keeps only the items that meet the condition.
    mutating func filter(_ isKept: (Item) -> Bool) {
        self.items = self.items.filter(isKept)
        for index in stride(from: self.items.count / 2 - 1, through: 0, by: -1) {
            self.sink(index)
        }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            let left = 2 * index + 1
            let right = left + 1
            if left < self.items.count, self.precedes(self.items[left], self.items[least]) {
                least = left
            }
            if right < self.items.count, self.precedes(self.items[right], self.items[least]) {
                least = right
            }
            if least == index { return }
            self.items.swapAt(index, least)
            index = least
        }
    }
}
