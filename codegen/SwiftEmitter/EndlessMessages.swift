// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Descriptors
internal import Protobuf

/// Finds messages that would have to contain themselves.
///
/// A message field without presence is always written. When such fields lead back to the message
/// they start from, the smallest value has no end; no encoder could write it.
struct EndlessMessages {
    private enum Mark { case open, done }

    /// For each message the messages that are always inside it.
    private var edges: [String: [(field: String, type: String)]] = [:]
    private var marks: [String: Mark] = [:]

    init(_ files: [FileDescriptor]) {
        for file in files {
            let prefix = file.package.isEmpty ? "." : ".\(file.package)."
            for message in file.messages { self.add(message, prefix) }
        }
    }

    /// The fields of a cycle that begins in the file, as `Message.field`; nil when there is none.
    mutating func cycle(in file: FileDescriptor) -> [String]? {
        let prefix = file.package.isEmpty ? "." : ".\(file.package)."
        for name in self.edges.keys.sorted() where name.hasPrefix(prefix) {
            if let path = self.visit(name) { return path }
        }
        return nil
    }

    private mutating func add(_ message: MessageDescriptor, _ prefix: String) {
        let name = prefix + message.name
        self.edges[name] = message.fields.compactMap { field in
            guard field.type == .message, field.label != .repeated, field.oneofIndex == nil,
                field.label == .required || FieldRules(field.options).isValue
            else { return nil }
            return (field: "\(message.name).\(field.name)", type: field.typeName)
        }
        for nested in message.nestedMessages { self.add(nested, name + ".") }
    }

    private mutating func visit(_ name: String) -> [String]? {
        switch self.marks[name] {
        case .done: return nil
        case .open: return []
        case nil: break
        }
        self.marks[name] = .open
        for edge in self.edges[name] ?? [] {
            if let rest = self.visit(edge.type) { return [edge.field] + rest }
        }
        self.marks[name] = .done
        return nil
    }
}
