// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Prints a oneof: the enum of its members, the property that holds it and one for each member.
struct OneofEmitter {
    let oneof: OneofModel
    let names: RuntimeNames
    let access: String

    func print(_ printer: inout SwiftPrinter) {
        printer.separator()
        printer.comment(
            self.oneof.comment.isEmpty
                ? ["The members of `\(SwiftNamer.bare(self.oneof.swiftName))`."]
                : self.oneof.comment
        )
        let protocols = "\(self.names.swift("Hashable")), \(self.names.swift("Sendable"))"
        printer.block("\(self.access)enum \(self.oneof.typeName): \(protocols)") { printer in
            for member in self.oneof.members {
                printer.comment(member.comment)
                printer.line("case \(member.swiftName)(\(member.type.text))")
            }
        }
        printer.separator()
        printer.comment(["The member that is set; nil for none."])
        let head = "\(self.access)var \(self.oneof.swiftName): \(self.oneof.typeName)?"
        printer.block(head) { printer in
            self.getter(&printer)
            self.setter(&printer)
        }
        for member in self.oneof.members {
            FieldEmitter(field: member, access: self.access).print(&printer)
        }
    }

    private func getter(_ printer: inout SwiftPrinter) {
        printer.block("get") { printer in
            printer.line("switch self.storage.oneofCase(at: \(self.oneof.caseSlot)) {")
            for member in self.oneof.members {
                let name = SwiftNamer.bare(member.swiftName)
                printer.line("case \(member.number): .\(name)(self.storage.get(\(member.slot)))")
            }
            printer.line("default: nil")
            printer.line("}")
        }
    }

    private func setter(_ printer: inout SwiftPrinter) {
        printer.block("set") { printer in
            printer.line("switch newValue {")
            for member in self.oneof.members {
                let set = member.type.isMessage ? "setMember" : "set"
                printer.line("case .\(SwiftNamer.bare(member.swiftName))(let value):")
                printer.indented { printer in
                    printer.list(
                        "self.storage.\(set)(",
                        [
                            "value", "\(member.slot)", "case: \(member.number)",
                            "at: \(self.oneof.caseSlot)", "Self.schema",
                        ],
                        close: ")",
                    )
                }
            }
            printer.line("case nil:")
            printer.indented { printer in
                printer.line("self.storage.clearOneofCase(at: \(self.oneof.caseSlot), Self.schema)")
            }
            printer.line("}")
        }
    }
}

extension FieldModel {
    /// The place of the value.
    var slot: Int {
        switch self.storage {
        case .plain(let slot), .optional(let slot, _), .message(let slot),
            .optionalMessage(let slot),
            .list(let slot), .map(let slot), .member(let slot, _):
            slot
        }
    }
}
