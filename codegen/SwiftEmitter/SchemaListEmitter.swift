// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prints the list of all schema files of a module.
struct SchemaListEmitter {
    /// Name of the file.
    static let fileName = "Schemas.swift"

    let name: String
    let files: [FileModel]
    let options: SwiftEmitter.Options

    func file() -> SwiftEmitter.GeneratedFile {
        let access = self.options.visibility.modifier
        var printer = SwiftPrinter()
        printer.sharedHeader(of: self.files)
        printer.line()
        printer.line("\(access)import Protobuf")
        printer.line()
        printer.comment(["The schema files of this module, for reflection and generic code."])
        printer.block("\(access)enum \(self.name)") { printer in
            printer.comment(["Sorted by name."])
            printer.list(
                "\(access)static let files: [FileSchema] = [",
                self.files.sorted { $0.name < $1.name }.map { $0.schemaName + ".file" },
                close: "]",
            )
        }
        return SwiftEmitter.GeneratedFile(name: Self.fileName, content: printer.text)
    }
}
