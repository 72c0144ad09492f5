// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors

/// Writes declarations as a `.proto` file has them.
struct SchemaPrinter {
    private let files: [FileDescriptor]

    init(_ files: [FileDescriptor]) { self.files = files }

    /// The declaration of a full name; `nil` when there is none.
    func text(of name: String) -> String? {
        for file in self.files {
            for service in file.services {
                let full = SchemaName.join(file.package, service.name)
                if full == name { return Self.service(service, full) }
                for method in service.methods where SchemaName.join(full, method.name) == name {
                    return Self.method(method)
                }
            }
            for message in file.messages {
                if let text = Self.find(name, message, in: file.package) { return text }
            }
            for value in file.enums where SchemaName.join(file.package, value.name) == name {
                return Self.enumeration(value, indent: "").joined(separator: "\n")
            }
        }
        return nil
    }

    private static func find(
        _ name: String,
        _ message: MessageDescriptor,
        in scope: String
    ) -> String? {
        let full = SchemaName.join(scope, message.name)
        if full == name { return self.message(message, indent: "").joined(separator: "\n") }
        guard name.hasPrefix("\(full).") else { return nil }
        for nested in message.nestedMessages {
            if let text = self.find(name, nested, in: full) { return text }
        }
        for value in message.enums where SchemaName.join(full, value.name) == name {
            return self.enumeration(value, indent: "").joined(separator: "\n")
        }
        return nil
    }

    private static func service(_ service: ServiceDescriptor, _ name: String) -> String {
        let methods = service.methods.map { "  \(self.method($0))" }
        return (["// \(name)", "service \(service.name) {"] + methods + ["}"])
            .joined(separator: "\n")
    }

    private static func method(_ method: MethodDescriptor) -> String {
        let input = (method.clientStreaming ? "stream " : "") + method.inputType
        let output = (method.serverStreaming ? "stream " : "") + method.outputType
        return "rpc \(method.name)(\(input)) returns (\(output));"
    }

    private static func message(_ message: MessageDescriptor, indent: String) -> [String] {
        var lines = ["\(indent)message \(message.name) {"]
        let inner = indent + "  "
        for value in message.enums { lines += self.enumeration(value, indent: inner) }
        for nested in message.nestedMessages where !nested.isMapEntry {
            lines += self.message(nested, indent: inner)
        }
        var written: Set<Int32> = []
        for field in message.fields {
            guard let index = field.oneofIndex, !field.proto3Optional,
                message.oneofs.indices.contains(Int(index))
            else {
                lines.append(inner + self.field(field, of: message))
                continue
            }
            guard written.insert(index).inserted else { continue }
            lines.append("\(inner)oneof \(message.oneofs[Int(index)].name) {")
            for member in message.fields where member.oneofIndex == index {
                lines.append("\(inner)  \(self.field(member, of: message, isMember: true))")
            }
            lines.append("\(inner)}")
        }
        return lines + ["\(indent)}"]
    }

    private static func field(
        _ field: FieldDescriptor,
        of message: MessageDescriptor,
        isMember: Bool = false
    ) -> String {
        if let entry = message.nestedMessages.first(where: { nested in
            nested.isMapEntry && field.typeName.hasSuffix(".\(message.name).\(nested.name)")
        }), let key = entry.fields.first(where: { $0.number == 1 }),
            let value = entry.fields.first(where: { $0.number == 2 })
        {
            return "map<\(self.type(key)), \(self.type(value))> \(field.name) = \(field.number);"
        }
        var label = ""
        if !isMember {
            switch field.label {
            case .repeated: label = "repeated "
            case .required: label = "required "
            case .optional: label = field.proto3Optional ? "optional " : ""
            }
        }
        return "\(label)\(self.type(field)) \(field.name) = \(field.number);"
    }

    private static func type(_ field: FieldDescriptor) -> String {
        if !field.typeName.isEmpty { return field.typeName }
        return field.type.map { "\($0)" } ?? "?"
    }

    private static func enumeration(_ value: EnumDescriptor, indent: String) -> [String] {
        ["\(indent)enum \(value.name) {"]
            + value.values.map { "\(indent)  \($0.name) = \($0.number);" } + ["\(indent)}"]
    }
}
