// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import PodLifecycle
import Scalars

/// Reads one level of a configuration: every field is asked for by its name, and what nobody has
/// asked for in the end is unknown.
struct ConfigurationReader {
    private let value: DynamicValue
    private let path: String
    private var asked: Set<String> = []

    init(_ value: DynamicValue, path: String = "") throws(ConfigurationError) {
        guard value.kind == .object else { throw .wrongType(path.isEmpty ? "." : path, "object") }
        self.value = value
        self.path = path
    }

    /// A field's place, such as `authentication.x509`.
    func place(_ name: String) -> String { self.path.isEmpty ? name : "\(self.path).\(name)" }

    private mutating func field(_ name: String) -> DynamicValue? {
        self.asked.insert(name)
        guard let field = self.value[name], field.kind != .null else { return nil }
        return field
    }

    mutating func string(_ name: String) throws(ConfigurationError) -> String? {
        guard let field = self.field(name) else { return nil }
        guard let text = field.string else { throw .wrongType(self.place(name), "string") }
        return text
    }

    mutating func bool(_ name: String) throws(ConfigurationError) -> Bool? {
        guard let field = self.field(name) else { return nil }
        guard let flag = field.bool else { throw .wrongType(self.place(name), "bool") }
        return flag
    }

    mutating func integer(_ name: String) throws(ConfigurationError) -> Int64? {
        guard let field = self.field(name) else { return nil }
        guard let number = field.integer else { throw .wrongType(self.place(name), "integer") }
        return number
    }

    mutating func integer(
        _ name: String,
        in range: ClosedRange<Int64>
    ) throws(ConfigurationError) -> Int? {
        guard let number = try self.integer(name) else { return nil }
        guard range.contains(number) else {
            throw .invalid(
                self.place(name),
                "\(number) must be between \(range.lowerBound) and \(range.upperBound), inclusive"
            )
        }
        return Int(number)
    }

    /// A duration in Go's form; zero counts as unset, as upstream's defaults do.
    mutating func duration(_ name: String) throws(ConfigurationError) -> Duration? {
        guard let text = try self.string(name) else { return nil }
        guard let duration = Self.duration(text) else {
            throw .invalid(self.place(name), "time: invalid duration \"\(text)\"")
        }
        return duration == .zero ? nil : duration
    }

    static func duration(_ text: String) -> Duration? {
        (try? GoDuration(parsing: text)).map { .nanoseconds($0.nanoseconds) }
    }

    mutating func strings(_ name: String) throws(ConfigurationError) -> [String]? {
        guard let field = self.field(name) else { return nil }
        guard field.kind == .list else { throw .wrongType(self.place(name), "array") }
        var result: [String] = []
        for item in field.items {
            guard let text = item.string else { throw .wrongType(self.place(name), "string") }
            result.append(text)
        }
        return result
    }

    mutating func map(_ name: String) throws(ConfigurationError) -> [String: String]? {
        guard let field = self.field(name) else { return nil }
        guard field.kind == .object else { throw .wrongType(self.place(name), "object") }
        var result: [String: String] = [:]
        for (key, value) in field.entries {
            guard let text = value.string else {
                throw .wrongType("\(self.place(name)).\(key)", "string")
            }
            result[key] = text
        }
        return result
    }

    /// The objects of a list.
    mutating func objects(_ name: String) throws(ConfigurationError) -> [ConfigurationReader]? {
        guard let field = self.field(name) else { return nil }
        guard field.kind == .list else { throw .wrongType(self.place(name), "array") }
        var result: [ConfigurationReader] = []
        for (index, item) in field.items.enumerated() {
            result.append(try ConfigurationReader(item, path: "\(self.place(name))[\(index)]"))
        }
        return result
    }

    mutating func object(_ name: String) throws(ConfigurationError) -> ConfigurationReader? {
        guard let field = self.field(name) else { return nil }
        return try ConfigurationReader(field, path: self.place(name))
    }

    /// Notes fields that are known and have no effect.
    ///
    /// - Returns: those of them that are set.
    mutating func skip(_ names: [String]) -> [String] {
        names.filter { self.field($0) != nil }.map { self.place($0) }
    }

    /// Refuses what nobody has asked for.
    func end() throws(ConfigurationError) {
        for (key, _) in self.value.entries where !self.asked.contains(key) {
            throw .unknownField(self.place(key))
        }
    }
}

/// Why a configuration file cannot be used.
package enum ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreadable(String)
    case wrongKind(String)
    case unknownField(String)
    case wrongType(String, String)
    case invalid(String, String)

    package var description: String {
        switch self {
        case .unreadable(let problem): problem
        case .wrongKind(let kind):
            "no kind \"KubeletConfiguration\" is registered for version \"\(kind)\""
        case .unknownField(let place): "strict decoding error: unknown field \"\(place)\""
        case .wrongType(let place, let type): "field \(place) is not of type \(type)"
        case .invalid(let place, let problem):
            "invalid configuration: \(place): \(problem)"
        }
    }
}
