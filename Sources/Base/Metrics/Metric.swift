// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Something that is counted or measured, without its name and labels.
public protocol Metric: AnyObject, Sendable {
    /// Writes the samples.
    ///
    /// - Parameter labels: The labels as they stand between the braces, or empty.
    func write(to text: inout Exposition, name: String, labels: String)
}

/// How Prometheus treats a metric.
public enum MetricType: String, Sendable {
    case counter, gauge, histogram
}

/// A sample of a metric that is read when it is asked for.
public struct Sample: Sendable {
    /// The values of the labels, in the order of their names.
    public var labels: [String]
    public var value: Double

    /// A sample with these labels.
    public init(labels: [String] = [], _ value: Double) {
        self.labels = labels
        self.value = value
    }
}
