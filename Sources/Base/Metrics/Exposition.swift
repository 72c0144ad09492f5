// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prometheus' text format, version 0.0.4.
///
/// Source: prometheus.io/docs/instrumenting/exposition_formats.
public struct Exposition: Sendable {
    /// The media type to serve it with.
    public static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// What was written so far.
    public private(set) var text = ""

    /// Nothing yet.
    public init() {}

    /// Begins a metric.
    public mutating func header(_ name: String, _ type: MetricType, help: String) {
        self.text += "# HELP \(name) \(Self.escape(help, quotes: false))\n"
        self.text += "# TYPE \(name) \(type.rawValue)\n"
    }

    /// Adds a sample.
    ///
    /// - Parameter labels: As `labels(_:_:)` gives them.
    public mutating func sample(_ name: String, labels: String, _ value: Double) {
        self.text += name
        if !labels.isEmpty { self.text += "{\(labels)}" }
        self.text += " \(Self.number(value))\n"
    }

    /// Labels as they stand between the braces.
    public static func labels(_ names: [String], _ values: [String]) -> String {
        zip(names, values)
            .map { "\($0)=\"\(Self.escape($1, quotes: true))\"" }
            .joined(separator: ",")
    }

    /// A number as Go's parser reads it; whole ones without a fraction.
    public static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Beyond this not every whole number has a Double.
        if value.magnitude < 9e15, value == value.rounded(.towardZero) {
            return String(Int64(value))
        }
        return "\(value)"
    }

    static func isName(_ name: String, withColons: Bool) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x5F: true
            case 0x3A: withColons
            default: false
            }
        }
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || (quotes && $0 == 0x22) })
        else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
