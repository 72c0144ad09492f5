// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prints the property of one field.
struct FieldEmitter {
    let field: FieldModel
    let access: String

    func print(_ printer: inout SwiftPrinter) {
        let name = self.field.swiftName
        let type = self.field.type.text
        switch self.field.storage {
        case .plain(let slot):
            self.property(name, type, &printer) { printer in
                printer.line("get { self.storage.get(\(slot)) }")
                printer.line("set { self.storage.set(newValue, \(slot), Self.schema) }")
            }
        case .optional(let slot, let bit):
            self.property(name, type + "?", &printer) { printer in
                printer.line("get { self.storage.get(\(slot), bit: \(bit)) }")
                printer.line(
                    "set { self.storage.set(newValue, \(slot), bit: \(bit), Self.schema) }"
                )
            }
        case .message(let slot):
            self.property(name, type, &printer) { printer in
                printer.line("get { self.storage.get(\(slot)) }")
                printer.line("_modify { yield &self.storage[\(slot), Self.schema] }")
                printer.line("set { self.storage.set(newValue, \(slot), Self.schema) }")
            }
        case .optionalMessage(let slot):
            self.property(name, type + "?", &printer) { printer in
                printer.line("get { self.storage.getOptional(\(slot)) }")
                printer.line("_modify { yield &self.storage[optional: \(slot), Self.schema] }")
                printer.line("set { self.storage.setOptional(newValue, \(slot), Self.schema) }")
            }
        case .list(let slot):
            self.property(name, type, &printer) { printer in
                printer.line("get { self.storage.list(\(slot)) }")
                printer.line("_modify { yield &self.storage[list: \(slot), Self.schema] }")
                printer.line("set { self.storage.setList(newValue, \(slot), Self.schema) }")
            }
        case .map(let slot):
            self.property(name, type, &printer) { printer in
                printer.line("get { self.storage.map(\(slot)) }")
                printer.line("_modify { yield &self.storage[map: \(slot), Self.schema] }")
                printer.line("set { self.storage.setMap(newValue, \(slot), Self.schema) }")
            }
        case .member(let slot, let caseSlot):
            self.member(slot, caseSlot, &printer)
        }
        if let constant = self.field.defaultValue {
            printer.separator()
            printer.comment(["What the schema says `\(SwiftNamer.bare(name))` is when it is unset."]
            )
            printer.line("\(self.access)static let \(constant)")
        }
    }

    /// A member of a oneof by itself: zero when another member is set.
    private func member(_ slot: Int, _ caseSlot: Int, _ printer: inout SwiftPrinter) {
        let number = self.field.number
        let place = "\(slot), case: \(number), at: \(caseSlot)"
        let (get, set) = self.field.type.isMessage ? ("getMember", "setMember") : ("get", "set")
        self.property(self.field.swiftName, self.field.type.text, &printer) { printer in
            printer.line("get { self.storage.\(get)(\(place)) ?? \(self.field.type.zero) }")
            printer.line("set { self.storage.\(set)(newValue, \(place), Self.schema) }")
        }
    }

    private func property(
        _ name: String,
        _ type: String,
        _ printer: inout SwiftPrinter,
        _ accessors: (inout SwiftPrinter) -> Void,
    ) {
        printer.separator()
        var comment = self.field.comment
        if self.field.isDeprecated {
            comment += (comment.isEmpty ? [] : [""]) + ["- Note: Deprecated by the schema."]
        }
        printer.comment(comment)
        printer.block("\(self.access)var \(name): \(type)", accessors)
    }
}
