// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prints one enum: an open set of numbers with names for the known ones.
struct EnumEmitter {
    let enumeration: EnumModel
    let file: FileModel
    let access: String

    func print(_ printer: inout SwiftPrinter) {
        let name = self.enumeration.swiftName
        let comment = self.enumeration.comment
        printer.comment(comment.isEmpty ? ["Enum `\(self.enumeration.fullName)`."] : comment)
        let names = self.file.names
        let number = names.swift("Int32")
        printer.block("\(self.access)struct \(name): \(names.protobuf("MessageEnum"))") { printer in
            let schema = names.protobuf("EnumSchema")
            printer.block("\(self.access)static var schema: \(schema)") { printer in
                printer.line(
                    "\(self.file.schemaName).file.enumeration(at: \(self.enumeration.index))"
                )
            }
            printer.separator()
            printer.line("\(self.access)var rawValue: \(number)")
            printer.separator()
            printer.line("\(self.access)init(rawValue: \(number)) { self.rawValue = rawValue }")
            printer.separator()
            for value in self.enumeration.values {
                printer.comment(value.comment)
                printer.line(
                    "\(self.access)static let \(value.swiftName) = "
                        + "\(name)(rawValue: \(value.number))"
                )
            }
        }
    }
}
