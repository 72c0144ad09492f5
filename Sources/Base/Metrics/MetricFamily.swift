// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Synchronization

/// The metrics of one name, told apart by the values of their labels.
///
/// Looking one up takes a lock and a hash of the values. Hot paths keep the metric that they use:
///
///     let gets = requests.with("GET", "200")
///     gets.increment()
///
/// A metric lives as long as its family, so values must not come from outside without bounds.
public final class MetricFamily<Child: Metric>: Sendable {
    private let labels: [String]
    private let make: @Sendable () -> Child
    private let children = Mutex<[[String]: Child]>([:])

    init(labels: [String], make: @escaping @Sendable () -> Child) {
        self.labels = labels
        self.make = make
    }

    /// The metric with these values, in the order of the names of the labels. It is made when it
    /// is asked for first.
    public func with(_ values: String...) -> Child {
        self.with(values)
    }

    /// The metric with these values, in the order of the names of the labels.
    public func with(_ values: [String]) -> Child {
        precondition(
            values.count == self.labels.count,
            "values \(values) for labels \(self.labels)"
        )
        return self.children.withLock { children in
            if let child = children[values] { return child }
            let child = self.make()
            children[values] = child
            return child
        }
    }

    /// Forgets the metric with these values, such as when what it measures is gone.
    public func remove(_ values: [String]) {
        _ = self.children.withLock { $0.removeValue(forKey: values) }
    }

    /// Writes all of them, ordered by their values.
    func write(to text: inout Exposition, name: String) {
        let children = self.children.withLock { Array($0) }
        for (values, child) in children.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            child.write(
                to: &text,
                name: name,
                labels: Exposition.labels(self.labels, values)
            )
        }
    }
}
