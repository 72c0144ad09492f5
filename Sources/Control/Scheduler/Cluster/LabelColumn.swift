// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One label of all nodes: for each row the number of its value.
///
/// Number 0 stands for "no such label". A column is made when something first asks for its key, and
/// kept up from then on, so that topology domains and selectors are compared as small numbers.
package final class LabelColumn {
    package let key: String
    /// The number of the value, by row.
    package private(set) var numbers: [Int32]
    /// The values, by number.
    package private(set) var values: [String] = [""]
    private var numberOfValue: [String: Int32] = [:]

    init(key: String, rows: Int) {
        self.key = key
        self.numbers = [Int32](repeating: 0, count: rows)
    }

    /// How many numbers there are, 0 included.
    package var valueCount: Int { self.values.count }

    /// The number of a value; nil when no node has had it.
    package func number(of value: String) -> Int32? {
        self.numberOfValue[value]
    }

    /// The value in a row; nil when the node lacks the label.
    package func value(_ row: Int) -> String? {
        let number = self.numbers[row]
        return number == 0 ? nil : self.values[Int(number)]
    }

    /// Whether so many values are out of use that the column is better made anew.
    var isStale: Bool { self.values.count > 2 * self.numbers.count + 64 }

    func set(_ value: String?, _ row: Int) {
        guard let value else {
            self.numbers[row] = 0
            return
        }
        if let number = self.numberOfValue[value] {
            self.numbers[row] = number
        } else {
            let number = Int32(self.values.count)
            self.values.append(value)
            self.numberOfValue[value] = number
            self.numbers[row] = number
        }
    }

    func addRow() {
        self.numbers.append(0)
    }
}
