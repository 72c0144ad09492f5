// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Protobuf
import Scalars

/// Reads the fields of a JSON object and takes note of those that nobody asked for.
struct StrictReader {
    let path: String
    private let value: DynamicValue
    private var known: Set<String> = []
    /// Unknown fields of this object and those within it.
    private(set) var problems: [String] = []

    init(_ value: DynamicValue, path: String) throws(ConfigurationError) {
        guard value.kind == .object else {
            throw .wrongType(path: path.isEmpty ? "document" : path, expected: "object")
        }
        self.value = value
        self.path = path
    }

    func path(_ key: String) -> String {
        self.path.isEmpty ? key : "\(self.path).\(key)"
    }

    /// The value of a field; nil when it is absent or null.
    mutating func field(_ key: String) -> DynamicValue? {
        self.known.insert(key)
        guard let value = self.value[key], !value.isNull else { return nil }
        return value
    }

    mutating func string(_ key: String) throws(ConfigurationError) -> String? {
        guard let value = self.field(key) else { return nil }
        guard let text = value.string else { throw self.wrongType(key, "string") }
        return text
    }

    mutating func integer(_ key: String) throws(ConfigurationError) -> Int64? {
        guard let value = self.field(key) else { return nil }
        guard let number = value.integer else { throw self.wrongType(key, "integer") }
        return number
    }

    mutating func number(_ key: String) throws(ConfigurationError) -> Double? {
        guard let value = self.field(key) else { return nil }
        guard let number = value.double ?? value.integer.map(Double.init) else {
            throw self.wrongType(key, "number")
        }
        return number
    }

    mutating func bool(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let value = self.field(key) else { return nil }
        guard let flag = value.bool else { throw self.wrongType(key, "boolean") }
        return flag
    }

    mutating func duration(_ key: String) throws(ConfigurationError) -> Duration? {
        guard let text = try self.string(key) else { return nil }
        guard let duration = try? GoDuration(parsing: text) else {
            throw self.wrongType(key, "duration")
        }
        return .nanoseconds(duration.nanoseconds)
    }

    mutating func strings(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let items = try self.items(key) else { return nil }
        var result: [String] = []
        for item in items {
            guard let text = item.string else { throw self.wrongType(key, "list of strings") }
            result.append(text)
        }
        return result
    }

    mutating func items(_ key: String) throws(ConfigurationError) -> [DynamicValue]? {
        guard let value = self.field(key) else { return nil }
        guard value.kind == .list else { throw self.wrongType(key, "list") }
        return Array(value.items)
    }

    /// Reads an object in a field.
    mutating func object<R>(
        _ key: String,
        _ read: (inout StrictReader) throws(ConfigurationError) -> R
    ) throws(ConfigurationError) -> R? {
        guard let value = self.field(key) else { return nil }
        return try self.nested(value, self.path(key), read)
    }

    /// Reads the objects of a list.
    mutating func objects<R>(
        _ key: String,
        _ read: (inout StrictReader) throws(ConfigurationError) -> R
    ) throws(ConfigurationError) -> [R]? {
        guard let items = try self.items(key) else { return nil }
        var result: [R] = []
        for (index, item) in items.enumerated() {
            result.append(try self.nested(item, "\(self.path(key))[\(index)]", read))
        }
        return result
    }

    private mutating func nested<R>(
        _ value: DynamicValue,
        _ path: String,
        _ read: (inout StrictReader) throws(ConfigurationError) -> R
    ) throws(ConfigurationError) -> R {
        var reader = try StrictReader(value, path: path)
        let result = try read(&reader)
        reader.finish()
        self.problems += reader.problems
        return result
    }

    /// Reads an object of the API in a field.
    mutating func message<M: Message>(
        _ key: String,
        as type: M.Type = M.self
    ) throws(ConfigurationError) -> M? {
        guard let value = self.field(key) else { return nil }
        return try self.message(value, self.path(key))
    }

    /// Reads objects of the API in a list.
    mutating func messages<M: Message>(
        _ key: String,
        as type: M.Type = M.self
    ) throws(ConfigurationError) -> [M]? {
        guard let items = try self.items(key) else { return nil }
        var result: [M] = []
        for (index, item) in items.enumerated() {
            result.append(try self.message(item, "\(self.path(key))[\(index)]"))
        }
        return result
    }

    private mutating func message<M: Message>(
        _ value: DynamicValue,
        _ path: String
    ) throws(ConfigurationError) -> M {
        do {
            let decoded = try M.decode(json: value.json(), validation: .strict)
            for problem in decoded.problems {
                self.problems.append(
                    problem.replacingFirst("field \"", with: "field \"\(path).")
                )
            }
            return decoded.message
        } catch {
            throw .malformed("\(path): \(error)")
        }
    }

    /// Takes note of the fields that were not asked for.
    mutating func finish() {
        for (key, _) in self.value.entries where !self.known.contains(key) {
            self.problems.append("unknown field \"\(self.path(key))\"")
        }
    }

    func wrongType(_ key: String, _ expected: String) -> ConfigurationError {
        .wrongType(path: self.path(key), expected: expected)
    }
}

extension String {
    /// The text with the first occurrence of a part replaced.
    fileprivate func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = self.firstRange(of: part) else { return self }
        return self.replacingCharacters(in: range, with: other)
    }

    private func firstRange(of part: String) -> Range<String.Index>? {
        var start = self.startIndex
        while start < self.endIndex {
            if self[start...].hasPrefix(part) {
                return start..<self.index(start, offsetBy: part.count)
            }
            start = self.index(after: start)
        }
        return nil
    }

    private func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
