// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import Protobuf
import SchemaRules
import Synchronization

/// What ``MessageComparison`` knows of a message type: the members of its JSON object in the order of
/// their keys, each with the step to it and how its values are told apart. Made once for a type.
///
// SAFETY: `@unchecked Sendable` because `members` is written before the lock is left under which the
// plan was made, and rows and keys of tables live for ever.
final class ComparisonPlan: @unchecked Sendable {
    /// A member of the object.
    struct Member {
        let step: PathElement
        let key: UnsafePointer<JSONKey>
        let form: Form
        let shape: FieldType.Shape
    }

    /// How the values of a member, of a map or of a list are compared.
    indirect enum Form {
        /// As a whole.
        case leaf
        /// By the members of its type.
        case object(ComparisonPlan)
        /// By keys; the form is that of the values: leaves or objects.
        case map(Form)
        /// By the items' values of some keys; the plan is that of the items.
        case list(ComparisonPlan, [Key])
        /// By the items, which are strings.
        case set
        /// As a tree: what API types hardly have.
        case tree
    }

    /// A key of a list of objects.
    struct Key {
        let name: String
        let key: UnsafePointer<JSONKey>
        /// The JSON of what an item without the key is taken to have.
        let fallback: [UInt8]?
    }

    private(set) var members: [Member] = []

    private init() {}

    /// What a plan is of: a message, and what is known of its JSON.
    private struct Kind: Hashable {
        let table: Int
        let type: ObjectIdentifier

        init(_ table: UnsafePointer<MessageTable>, _ type: ValueType) {
            self.table = Int(bitPattern: table)
            self.type = ObjectIdentifier(type)
        }
    }

    private static let known = Mutex<[Kind: ComparisonPlan]>([:])

    /// The plan of a type; nil for one whose JSON is not an object as the API has them.
    static func of(_ schema: MessageSchema) -> ComparisonPlan? {
        let type = ValueType.of(schema)
        return self.known.withLock { known in
            if let plan = known[Kind(schema.table, type)] { return plan }
            guard case .object(let plan) = self.form(type, schema.table, &known) else { return nil }
            return plan
        }
    }

    private static func form(
        _ type: ValueType,
        _ table: UnsafePointer<MessageTable>?,
        _ known: inout [Kind: ComparisonPlan]
    ) -> Form {
        guard type.form == .object, !type.isAtomic else { return .leaf }
        guard let table, table.pointee.jsonForm == .object, table.pointee.dialect == .kubernetes
        else { return .tree }
        let kind = Kind(table, type)
        if let plan = known[kind] { return .object(plan) }
        let plan = ComparisonPlan()
        // Types may contain themselves.
        known[kind] = plan
        plan.members = self.keys(of: table).compactMap { key in
            let name = key.pointee.name.string
            guard let shape = type.field(name)?.shape else { return nil }
            return Member(
                step: .field(name),
                key: key,
                form: self.form(of: key.pointee.field, shape, &known),
                shape: shape
            )
        }
        return .object(plan)
    }

    /// The keys of a type in the order of their bytes.
    private static func keys(
        of table: UnsafePointer<MessageTable>
    ) -> [UnsafePointer<JSONKey>] {
        (0..<table.pointee.jsonKeyCount).map { table.pointee.jsonKeys + $0 }.sorted {
            compareBytes($0.pointee.name.bytes, $1.pointee.name.bytes) < 0
        }
    }

    private static func form(
        of field: UnsafePointer<FieldEntry>,
        _ shape: FieldType.Shape,
        _ known: inout [Kind: ComparisonPlan]
    ) -> Form {
        let child = field.pointee.child
        switch shape {
        case .value(let type):
            return self.form(type, child, &known)
        case .map(let type, let isAtomic):
            if isAtomic { return .leaf }
            guard field.pointee.cardinality == .map, field.pointee.keyKind == .string else {
                return .tree
            }
            switch self.form(type, child, &known) {
            case .object(let plan): return .map(.object(plan))
            case .leaf where self.isPlain(field.pointee.valueKind, child): return .map(.leaf)
            default: return .tree
            }
        case .list(let type, let topology):
            switch topology {
            case .atomic: return .leaf
            case .set: return field.pointee.kind == .string ? .set : .tree
            case .map(let names):
                guard let child, let keys = self.keys(names, of: child, type) else { return .tree }
                guard case .object(let plan) = self.form(type, child, &known) else { return .tree }
                return .list(plan, keys)
            }
        }
    }

    /// Whether values that are equal fields are equal JSON, and the other way round.
    static func isPlain(_ kind: FieldKind, _ child: UnsafePointer<MessageTable>?) -> Bool {
        switch kind {
        case .message: child?.pointee.jsonForm == .quantity
        case .enum: false
        default: true
        }
    }

    /// The keys of a list's items, in the order of their bytes; nil for those that cannot be read
    /// from the message.
    private static func keys(
        _ names: [String],
        of table: UnsafePointer<MessageTable>,
        _ type: ValueType
    ) -> [Key]? {
        guard table.pointee.jsonForm == .object, table.pointee.dialect == .kubernetes else {
            return nil
        }
        var keys: [Key] = []
        for name in names.sorted(by: { compareUTF8($0, $1) < 0 }) {
            let bytes = Array(name.utf8)
            guard let key = bytes.withUnsafeBytes({ MessageTable.jsonKey(table, $0) }) else {
                return nil
            }
            switch key.pointee.field.pointee.cardinality {
            case .implicit, .always, .explicit, .oneof: break
            case .repeated, .packed, .map: return nil
            }
            let fallback = type.field(name)?.defaultValue
            let tree = fallback.flatMap { try? DynamicValue(json: Array($0.utf8)) }
            keys.append(Key(name: name, key: key, fallback: tree?.json()))
        }
        return keys
    }
}
