// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf
import Scalars
import SchemaRules
import Synchronization
import WellKnownTypes

/// What is to be set in messages of one type, and in those that they hold.
///
/// Plans of messages are shared by the kinds that hold them. A plan runs on the block of its message
/// by offsets, so that a message which is complete costs comparisons only.
final class DefaultingPlan: @unchecked Sendable {
    // SAFETY: filled in under the lock of `cache` before it is handed out, not changed afterwards.

    let schema: MessageSchema

    /// Constants for fields of the message.
    private(set) var constants: [ConstantDefault] = []

    /// What else the message sets, in order.
    private(set) var rules: [DefaultingRule] = []

    /// The fields that hold messages in which something may be set.
    private(set) var children: [Child] = []

    /// Whether something is set even in an empty message.
    private(set) var isNeededWhenEmpty = false

    /// A field that holds messages.
    struct Child {
        enum Shape {
            case message, list, map
            /// A map of quantities, which are rounded up to milli units.
            case resources
        }

        let entry: UnsafePointer<FieldEntry>
        let shape: Shape
        /// Nil for ``Shape/resources``.
        let plan: DefaultingPlan?
    }

    private init(_ schema: MessageSchema) {
        self.schema = schema
    }
}

// MARK: - Compilation

extension DefaultingPlan {
    /// The plans of all messages that a kind with defaulting reaches.
    private struct Cache: Sendable {
        var kinds: [ObjectIdentifier: DefaultingPlan?] = [:]
        var messages: [ObjectIdentifier: DefaultingPlan] = [:]
    }

    private static let cache = Mutex(Cache())

    /// The plan of a kind; nil when objects of the kind are not defaulted.
    static func plan(for schema: MessageSchema) -> DefaultingPlan? {
        self.cache.withLock { cache in
            if let known = cache.kinds[ObjectIdentifier(schema)] { return known }
            let plan =
                schema.messageRules.defaulting == true
                ? self.compile(schema, &cache.messages) : nil
            cache.kinds[ObjectIdentifier(schema)] = plan
            return plan
        }
    }

    private static func compile(
        _ root: MessageSchema,
        _ known: inout [ObjectIdentifier: DefaultingPlan]
    ) -> DefaultingPlan? {
        // All messages that the kind reaches and that have no plan yet, each with its own rules.
        var found: [DefaultingPlan] = []
        var open = [root]
        while let schema = open.popLast() {
            let id = ObjectIdentifier(schema)
            guard known[id] == nil else { continue }
            let plan = DefaultingPlan(schema)
            plan.collectOwnRules()
            known[id] = plan
            found.append(plan)
            for field in schema.fields {
                if let message = field.message { open.append(message) }
            }
        }
        // Which of them lead to a rule, until nothing is added: types may contain each other.
        var leading: Set<ObjectIdentifier> = Set(
            found.filter(\.hasOwnRules).map { ObjectIdentifier($0.schema) }
        )
        var isGrowing = true
        while isGrowing {
            isGrowing = false
            for plan in found where !leading.contains(ObjectIdentifier(plan.schema)) {
                let leads = plan.schema.fields.contains { field in
                    field.rules.resourceList == true
                        || field.message.map { Self.isLeading($0, leading, known) } ?? false
                }
                if leads {
                    leading.insert(ObjectIdentifier(plan.schema))
                    isGrowing = true
                }
            }
        }
        for plan in found { plan.collectChildren(leading, known) }
        for plan in found { plan.isNeededWhenEmpty = plan.computeIsNeededWhenEmpty() }
        return known[ObjectIdentifier(root)]
    }

    private static func isLeading(
        _ schema: MessageSchema,
        _ leading: Set<ObjectIdentifier>,
        _ known: [ObjectIdentifier: DefaultingPlan]
    ) -> Bool {
        let id = ObjectIdentifier(schema)
        return leading.contains(id)
            || known[id].map { $0.hasOwnRules || !$0.children.isEmpty } ?? false
    }

    private var hasOwnRules: Bool { !self.constants.isEmpty || !self.rules.isEmpty }

    /// The defaults of the message's own fields, then its rules about fields below them.
    private func collectOwnRules() {
        var typed = TypedRules.rules(for: self.schema.fullName)
        func take(_ field: String) -> Bool {
            guard let index = typed.firstIndex(where: { $0.covers.contains(field) }) else {
                return false
            }
            if typed[index].isPending {
                typed[index].isPending = false
                self.rules.append(typed[index].rule)
            }
            return true
        }
        for field in self.schema.fields {
            let rules = field.rules
            guard let text = rules.assign ?? rules.default else { continue }
            if take(field.jsonName) { continue }
            guard let constant = ConstantDefault(field, text) else {
                preconditionFailure("\(self.schema.fullName).\(field.name): \(text) is no constant")
            }
            self.constants.append(constant)
        }
        for rule in self.schema.messageRules.defaults {
            let path = rule.field ?? ""
            if take(path) { continue }
            guard let set = PathDefault(self.schema, path, rule.value ?? "", rule.when) else {
                preconditionFailure("\(self.schema.fullName): \(path) has no rule")
            }
            self.rules.append(set.rule)
        }
    }

    private func collectChildren(
        _ leading: Set<ObjectIdentifier>,
        _ known: [ObjectIdentifier: DefaultingPlan]
    ) {
        for field in self.schema.fields {
            if field.rules.resourceList == true {
                self.children.append(Child(entry: field.entry, shape: .resources, plan: nil))
                continue
            }
            guard let message = field.message, Self.isLeading(message, leading, known),
                let plan = known[ObjectIdentifier(message)]
            else { continue }
            let shape: Child.Shape = field.isMap ? .map : field.isRepeated ? .list : .message
            self.children.append(Child(entry: field.entry, shape: shape, plan: plan))
        }
    }

    private func computeIsNeededWhenEmpty() -> Bool {
        if self.hasOwnRules { return true }
        return self.children.contains { child in
            child.shape == .message && child.entry.pointee.cardinality == .always
                && child.plan?.computeIsNeededWhenEmpty() ?? false
        }
    }
}
