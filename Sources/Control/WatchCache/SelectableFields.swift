// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Protobuf

/// The fields of a resource that field selectors may name, beside name and namespace.
///
/// Their values are read from an object's bytes when somebody asks: an object is not decoded when it
/// comes into the cache, and keeps no values there.
package final class SelectableFields: Sendable {
    package let names: [String]
    /// Names that stand for another one.
    package let aliases: [String: String]
    /// The index of the field that watchers of single nodes ask for.
    package let trigger: Int?
    /// Where the values are, in the order of the names; of several paths the first that leads to a
    /// value counts.
    private let paths: [[FieldPath]]

    /// - Parameters:
    ///   - schema: the type of the objects.
    ///   - names: paths through the type's fields, but for what `places` says.
    ///   - places: the paths of a field whose name is none; without one it has no value.
    ///   - trigger: the name of the field that watchers of single nodes ask for.
    package init(
        _ schema: MessageSchema,
        _ names: [String],
        places: [String: [String]] = [:],
        aliases: [String: String] = [:],
        trigger: String? = nil
    ) {
        self.names = names
        self.aliases = aliases
        self.trigger = trigger.flatMap { names.firstIndex(of: $0) }
        self.paths = names.map { name in
            (places[name] ?? [name]).map { FieldPath($0, in: schema) }
        }
    }

    /// The place of a field; nil when it cannot be selected.
    package func index(of name: String) -> Int? {
        self.names.firstIndex(of: self.aliases[name] ?? name)
    }

    /// The value of a field in an object's message.
    func value(_ index: Int, in message: UnsafeRawBufferPointer) -> String {
        for path in self.paths[index] {
            let value = path.value(in: message)
            if !value.isEmpty { return value }
        }
        return ""
    }
}

/// The way to one value in the binary form of a message.
///
/// Of a repeated message on the way the first item counts.
struct FieldPath: Sendable {
    private enum Value {
        case text
        case bool
        case integer
    }

    private let numbers: [UInt32]
    private let kind: Value

    /// - Precondition: `path` names fields of `schema` and of its parts; the last one is a string, a
    ///   truth value or a number.
    init(_ path: String, in schema: MessageSchema) {
        var numbers: [UInt32] = []
        var kind = FieldKind.message
        var type: MessageSchema? = schema
        for name in path.split(separator: ".") {
            guard let field = type?.field(named: String(name)) else {
                preconditionFailure("\(schema.fullName) has no field \(path)")
            }
            numbers.append(field.entry.pointee.number)
            kind = field.entry.pointee.kind
            type = field.message
        }
        switch kind {
        case .string: self.kind = .text
        case .bool: self.kind = .bool
        case .int32, .int64: self.kind = .integer
        default: preconditionFailure("\(path) of \(schema.fullName) is no plain value")
        }
        self.numbers = numbers
    }

    /// The value as field selectors compare it.
    func value(in message: UnsafeRawBufferPointer) -> String {
        var found: FieldReader?
        var part = message
        for (index, number) in self.numbers.enumerated() {
            found = Self.find(number, in: part)
            guard index + 1 < self.numbers.count else { break }
            let next = found?.bytes()
            found = nil
            guard let next else { break }
            part = next
        }
        switch self.kind {
        case .text: return found?.bytes().map { String(decoding: $0, as: UTF8.self) } ?? ""
        case .bool: return found?.varint() ?? 0 == 0 ? "false" : "true"
        case .integer: return String(Int64(bitPattern: found?.varint() ?? 0))
        }
    }

    /// A reader at the first value of a field; nil when there is none.
    private static func find(_ number: UInt32, in message: UnsafeRawBufferPointer) -> FieldReader? {
        var reader = FieldReader(message, at: 0)
        while let tag = reader.tag() {
            if tag >> 3 == UInt64(number) { return reader }
            guard reader.skip(tag) else { return nil }
        }
        return nil
    }
}
