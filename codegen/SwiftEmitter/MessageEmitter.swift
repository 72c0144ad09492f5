// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prints one message with what is nested in it.
struct MessageEmitter {
    let message: MessageModel
    let file: FileModel
    let access: String

    func print(_ printer: inout SwiftPrinter) {
        let comment = self.message.comment
        printer.comment(comment.isEmpty ? ["Message `\(self.message.fullName)`."] : comment)
        let names = self.file.names
        let head = "\(self.access)struct \(self.message.swiftName): \(names.protobuf("Message"))"
        printer.block(head) { printer in
            printer.line(
                "\(self.access)static let schema = "
                    + "\(self.file.schemaName).file.message(at: \(self.message.index))"
            )
            let storage = names.protobuf("MessageStorage")
            printer.line("\(self.access)var storage: \(storage)")
            printer.separator()
            printer.line("\(self.access)init(storage: \(storage)) { self.storage = storage }")
            for property in self.message.properties {
                switch property {
                case .field(let field):
                    FieldEmitter(field: field, access: self.access).print(&printer)
                case .oneof(let oneof):
                    OneofEmitter(oneof: oneof, names: names, access: self.access).print(&printer)
                }
            }
            for nested in self.message.messages {
                printer.separator()
                MessageEmitter(message: nested, file: self.file, access: self.access)
                    .print(&printer)
            }
            for nested in self.message.enums {
                printer.separator()
                EnumEmitter(enumeration: nested, file: self.file, access: self.access)
                    .print(&printer)
            }
        }
    }
}
