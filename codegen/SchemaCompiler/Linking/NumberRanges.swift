// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Ranges of numbers, sorted for look-up.
struct NumberRanges {
    private let sorted: [RangeSyntax]

    init(_ ranges: [RangeSyntax]) {
        self.sorted = ranges.sorted { $0.start < $1.start }
    }

    /// Whether a number lies in one of the ranges.
    func contains(_ number: Int32) -> Bool {
        var low = 0
        var high = self.sorted.count
        while low < high {
            let middle = (low + high) / 2
            if self.sorted[middle].start <= number { low = middle + 1 } else { high = middle }
        }
        return low > 0 && self.sorted[low - 1].end >= number
    }

    /// Pairs of ranges that share numbers, each with its predecessor by start.
    var overlaps: [(first: RangeSyntax, second: RangeSyntax)] {
        zip(self.sorted, self.sorted.dropFirst())
            .filter { $0.end >= $1.start }
            .map { (first: $0, second: $1) }
    }

    /// Pairs of one range of each set that share numbers.
    func overlaps(with other: NumberRanges) -> [(first: RangeSyntax, second: RangeSyntax)] {
        var result: [(first: RangeSyntax, second: RangeSyntax)] = []
        var index = 0
        for range in self.sorted {
            while index < other.sorted.count, other.sorted[index].end < range.start { index += 1 }
            if index < other.sorted.count, other.sorted[index].start <= range.end {
                result.append((first: range, second: other.sorted[index]))
            }
        }
        return result
    }
}

extension RangeSyntax {
    /// The range as messages show it.
    var text: String {
        self.start == self.end ? "\(self.start)" : "\(self.start) to \(self.end)"
    }
}
