// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A dictionary that forgets what was not used for longest when it is full.
struct BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var values: [Key: (value: Value, used: UInt64)] = [:]
    private var order: [(key: Key, used: UInt64)] = []
    private var head = 0
    private var counter: UInt64 = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    subscript(key: Key) -> Value? {
        get { self.values[key]?.value }
        set {
            guard let newValue else {
                self.values[key] = nil
                return
            }
            self.counter += 1
            self.values[key] = (newValue, self.counter)
            self.order.append((key, self.counter))
            while self.values.count > self.capacity { self.evict() }
            if self.order.count - self.head > self.capacity * 4 { self.compact() }
        }
    }

    private mutating func evict() {
        while self.head < self.order.count {
            let oldest = self.order[self.head]
            self.head += 1
            if self.values[oldest.key]?.used == oldest.used {
                self.values[oldest.key] = nil
                return
            }
        }
    }

    private mutating func compact() {
        let values = self.values
        self.order = self.order[self.head...].filter { values[$0.key]?.used == $0.used }
        self.head = 0
    }
}
