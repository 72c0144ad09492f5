// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import FieldManagement
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import Scalars
import Testing

/// Who owns what is the same whether messages are compared or their trees, for all kinds, on objects
/// that chance makes.
@Suite("Comparison of messages")
struct MessageComparisonTests {
    private static let kinds = KubernetesSchemas.files.flatMap(\.messages).filter { schema in
        schema.isKind && APIObject(MessageStorage(), schema).hasMetadata
    }

    @Test("has what that of trees has", arguments: Self.kinds.indices)
    func trees(kind: Int) throws {
        let schema = Self.kinds[kind]
        var random = Chance(state: UInt64(kind))
        for round in 0..<4 {
            let first = random.object(schema, depth: 0)
            let second = random.mix(first, random.object(schema, depth: 0))
            let live = try self.compare(first, nil, schema, "\(schema.name) \(round)")
            _ = try self.compare(second, live, schema, "\(schema.name) \(round), changed")
        }
    }

    /// Tracks a write in both ways.
    private func compare(
        _ tree: DynamicValue,
        _ live: APIObject?,
        _ schema: MessageSchema,
        _ comment: String
    ) throws -> APIObject {
        var new = try APIObject(tree, as: schema)
        new.metadata.managedFields = live?.metadata.managedFields ?? []
        let manager = live == nil ? "one" : "two"
        let asTree = FieldManager.track(
            live: try live?.dynamicValue(),
            new: try new.dynamicValue(),
            schema: schema,
            manager: manager,
            apiVersion: "v1",
            now: FieldManagerTests.now
        )
        FieldManager.track(
            &new,
            live: live,
            FieldManager.Writer(manager: manager, apiVersion: "v1"),
            now: FieldManagerTests.now
        )
        let expected = asTree["metadata"]?["managedFields"]
        let found = try new.dynamicValue()["metadata"]?["managedFields"]
        #expect(found == expected, "\(comment): \(tree)")
        return new
    }
}

/// Objects by chance, the same ones in each run.
private struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    private mutating func below(_ limit: Int) -> Int { Int(self.next() % UInt64(limit)) }

    /// The JSON of a message with some of its fields.
    mutating func object(_ schema: MessageSchema, depth: Int) -> DynamicValue {
        var object = DynamicValue.emptyObject
        for field in schema.fields where field.jsonName != "managedFields" {
            if field.isInline, let inlined = field.message {
                for (key, value) in self.object(inlined, depth: depth).entries {
                    object[key] = value
                }
                continue
            }
            let isPart = depth == 0 && field.jsonName != ""
            guard isPart || self.below(3 + depth) == 0 else { continue }
            if let value = self.value(of: field, depth: depth) { object[field.jsonName] = value }
        }
        return object
    }

    private mutating func value(of field: FieldSchema, depth: Int) -> DynamicValue? {
        if field.jsonName.isEmpty { return nil }
        if field.isMap {
            var map = DynamicValue.emptyObject
            for key in ["a", "b", "c"] where self.below(2) == 0 {
                map[key] = self.single(field, field.entry.pointee.valueKind, depth: depth)
            }
            return map.count == 0 ? nil : map
        }
        guard field.isRepeated else {
            return self.single(field, field.entry.pointee.kind, depth: depth)
        }
        var list = DynamicValue.emptyList
        for _ in 0...self.below(3) {
            guard let item = self.single(field, field.entry.pointee.kind, depth: depth) else {
                return nil
            }
            list.append(item)
        }
        return list
    }

    private mutating func single(
        _ field: FieldSchema,
        _ kind: FieldKind,
        depth: Int
    ) -> DynamicValue? {
        switch kind {
        case .string: return DynamicValue(["a", "b", "c", "é\""][self.below(4)])
        case .bool: return DynamicValue(self.below(2) == 0)
        case .double, .float: return DynamicValue(Double(self.below(3)) / 2)
        case .bytes: return DynamicValue(["YQ==", "Yg=="][self.below(2)])
        case .enum: return nil
        case .message: return field.message.flatMap { self.message($0, depth: depth + 1) }
        default: return DynamicValue(self.below(3))
        }
    }

    private mutating func message(_ schema: MessageSchema, depth: Int) -> DynamicValue? {
        switch schema.table.pointee.jsonForm {
        case .object: return depth > 7 ? nil : self.object(schema, depth: depth)
        case .time: return DynamicValue("2026-01-01T00:00:0\(self.below(2))Z")
        case .microTime: return DynamicValue("2026-01-01T00:00:00.00000\(self.below(2))Z")
        case .duration: return DynamicValue("\(self.below(2) + 1)s")
        case .quantity: return DynamicValue(["0", "1", "500m"][self.below(3)])
        case .intOrString: return self.below(2) == 0 ? 1 : "a"
        case .rawExtension, .json, .fieldsV1: return ["f:x": [:]]
        case .unknown, .schemaOrArray, .schemaOrBool, .schemaOrStringArray, .stringList,
            .wellKnown:
            return nil
        }
    }

    /// A value that has parts of both.
    mutating func mix(_ left: DynamicValue, _ right: DynamicValue) -> DynamicValue {
        guard left.kind == right.kind, self.below(4) > 0 else {
            return self.below(3) == 0 ? right : left
        }
        switch left.kind {
        case .object:
            var object = left
            for (key, value) in right.entries {
                if let own = left[key] {
                    object[key] = self.mix(own, value)
                } else if self.below(2) == 0 {
                    object[key] = value
                }
            }
            for (key, _) in left.entries where right[key] == nil && self.below(3) == 0 {
                object[key] = nil
            }
            return object
        case .list:
            var items = Array(left.items)
            for item in right.items where self.below(2) == 0 { items.append(item) }
            if self.below(3) == 0 { items.reverse() }
            if self.below(3) == 0, items.count > 1 { items.removeFirst() }
            return DynamicValue(items)
        default: return self.below(2) == 0 ? left : right
        }
    }
}
