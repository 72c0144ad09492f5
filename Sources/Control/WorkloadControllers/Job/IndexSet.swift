// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Completion indexes as a Job's status writes them: `0-2,5,7`.
package struct IndexSet: Equatable, Sendable {
    /// Disjoint, not touching, in order.
    private var ranges: [ClosedRange<Int>] = []

    package init() {}

    package init(_ indexes: some Sequence<Int>) {
        for index in indexes.sorted() { self.append(index) }
    }

    /// Reads a text; what is no index below `limit` is left out.
    package init(parsing text: String, below limit: Int) {
        var all: [Int] = []
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first >= 0, first <= last else {
                continue
            }
            all += Array(first...last).filter { $0 < limit }
        }
        self.init(Set(all))
    }

    private mutating func append(_ index: Int) {
        guard let last = self.ranges.last else { return self.ranges.append(index...index) }
        if index <= last.upperBound { return }
        if index == last.upperBound + 1 {
            self.ranges[self.ranges.count - 1] = last.lowerBound...index
        } else {
            self.ranges.append(index...index)
        }
    }

    package var count: Int { self.ranges.reduce(0) { $0 + $1.count } }

    package func contains(_ index: Int) -> Bool { self.ranges.contains { $0.contains(index) } }

    package func inserting(_ indexes: some Sequence<Int>) -> IndexSet {
        IndexSet(Set(self.all).union(indexes))
    }

    package var all: [Int] { self.ranges.flatMap { Array($0) } }

    /// Three or more in a row are written as a range, two as two.
    package var text: String {
        self.ranges.map { range in
            switch range.count {
            case 1: "\(range.lowerBound)"
            case 2: "\(range.lowerBound),\(range.upperBound)"
            default: "\(range.lowerBound)-\(range.upperBound)"
            }
        }.joined(separator: ",")
    }
}
