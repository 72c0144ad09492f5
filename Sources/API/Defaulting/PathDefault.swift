// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf

/// A constant for a field below a message, reached by a path such as `subsets[].ports[].protocol`.
///
/// Absent pointers on the way end it; Go values that are absent are made.
struct PathDefault {
    private struct Step {
        let entry: UnsafePointer<FieldEntry>
        let table: UnsafePointer<MessageTable>
    }

    private let steps: [Step]
    private let constant: ConstantDefault

    /// - Returns: nil when the path or the value does not fit the schema, or the condition is one
    ///   in words.
    init?(_ schema: MessageSchema, _ path: String, _ value: String, _ condition: String?) {
        guard condition == nil || condition == "0" || condition == "empty" else { return nil }
        var steps: [Step] = []
        var current = schema
        var names = path.split(separator: ".").map { part in
            part.hasSuffix("[]") ? String(part.dropLast(2)) : String(part)
        }
        guard let last = names.popLast() else { return nil }
        for name in names {
            guard let field = current.fields.first(where: { $0.jsonName == name }),
                let message = field.message
            else { return nil }
            steps.append(Step(entry: field.entry, table: message.table))
            current = message
        }
        guard let field = current.fields.first(where: { $0.jsonName == last }),
            let constant = ConstantDefault(field, value)
        else { return nil }
        self.steps = steps
        self.constant = constant
    }

    var rule: DefaultingRule {
        DefaultingRule { storage, _ in
            self.set(storage.block, storage.offset, self.steps[...])
        }
    }

    private func set(_ block: Block, _ message: UInt32, _ rest: ArraySlice<Step>) {
        guard let step = rest.first else {
            self.constant.set(block, message)
            return
        }
        let slot = message &+ step.entry.pointee.offset
        if step.entry.pointee.cardinality == .repeated {
            let header = UInt32.load(block, slot)
            guard header != 0 else { return }
            for index in 0..<UInt32.load(block, header) {
                let item = header &+ 8 &+ index &* 4
                self.set(block, self.child(block, item, step.table), rest.dropFirst())
            }
        } else if step.entry.pointee.cardinality == .always || UInt32.load(block, slot) != 0 {
            self.set(block, self.child(block, slot, step.table), rest.dropFirst())
        }
    }

    /// The message whose offset is in a slot, made when there is none.
    private func child(
        _ block: Block,
        _ slot: UInt32,
        _ table: UnsafePointer<MessageTable>
    ) -> UInt32 {
        var offset = UInt32.load(block, slot)
        if offset == 0 {
            offset = block.allocate(table.pointee.size)
            UInt32.store(offset, block, slot)
        }
        return offset
    }
}
