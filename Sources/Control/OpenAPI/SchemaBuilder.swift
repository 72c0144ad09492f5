// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Protobuf
import SchemaRules
import WellKnownTypes

/// Makes schemas of messages, and those of all that they refer to.
struct SchemaBuilder {
    /// Version 2 has definitions and no defaults, version 3 components.
    enum Form: Sendable {
        case v2
        case v3
    }

    let form: Form
    private let groupVersions: [GroupVersion]
    private var names: [String: MessageSchema] = [:]
    private var pending: [MessageSchema] = []
    private var hasPatch = false

    init(form: Form, groupVersions: [GroupVersion]) {
        self.form = form
        self.groupVersions = groupVersions
    }

    // MARK: - References

    /// A reference to a type, whose schema will be among those of ``finish()``.
    mutating func reference(_ schema: MessageSchema) -> DynamicValue {
        let name = Self.name(of: schema)
        if self.names[name] == nil {
            self.names[name] = schema
            self.pending.append(schema)
        }
        return self.reference(name)
    }

    /// A reference to the type of patches.
    mutating func patchReference() -> DynamicValue {
        self.hasPatch = true
        return self.reference(Self.patchName)
    }

    private func reference(_ name: String) -> DynamicValue {
        let folder = self.form == .v2 ? "#/definitions" : "#/components/schemas"
        return ["$ref": DynamicValue("\(folder)/\(name)")]
    }

    private static let patchName = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"

    /// The name of a type in documents: `io.k8s.api.core.v1.Pod`.
    static func name(of schema: MessageSchema) -> String {
        var parts = schema.fullName.split(separator: ".").map(String.init)
        if parts.count > 2, parts[0] == "k8s", parts[1] == "io" { parts.swapAt(0, 1) }
        // Packages of protobuf cannot have hyphens.
        return parts.map {
            switch $0 {
            case "kube_aggregator": "kube-aggregator"
            case "apiextensions_apiserver": "apiextensions-apiserver"
            default: $0
            }
        }.joined(separator: ".")
    }

    /// The schemas of everything that was referred to, by name.
    mutating func finish() -> DynamicValue {
        var schemas: [(String, DynamicValue)] = []
        while let next = self.pending.popLast() {
            schemas.append((Self.name(of: next), self.schema(of: next)))
        }
        if self.hasPatch {
            schemas.append(
                (
                    Self.patchName,
                    [
                        "type": "object",
                        "description": "A change of an object, in the form that its type says.",
                    ]
                )
            )
        }
        var all = DynamicValue.emptyObject
        for (name, schema) in schemas.sorted(by: { $0.0 < $1.0 }) { all[name] = schema }
        return all
    }

    // MARK: - Types

    private mutating func schema(of schema: MessageSchema) -> DynamicValue {
        switch schema.table.pointee.jsonForm {
        case .object, .wellKnown: break
        case .time, .microTime: return ["type": "string", "format": "date-time"]
        case .duration: return ["type": "string"]
        case .quantity:
            return self.form == .v2
                ? ["type": "string"] : ["oneOf": [["type": "string"], ["type": "number"]]]
        case .intOrString:
            return self.form == .v2
                ? ["type": "string", "format": "int-or-string"]
                : [
                    "format": "int-or-string", "oneOf": [["type": "integer"], ["type": "string"]],
                ]
        case .rawExtension, .fieldsV1, .unknown: return ["type": "object"]
        case .json, .schemaOrArray, .schemaOrBool, .schemaOrStringArray: return [:]
        case .stringList: return ["type": "array", "items": ["type": "string"]]
        }
        var properties = DynamicValue.emptyObject
        var required: [String] = []
        if schema.isKind {
            properties["apiVersion"] = [
                "type": "string",
                "description": "The group and version of the object's form, such as apps/v1.",
            ]
            properties["kind"] = [
                "type": "string", "description": "The kind of the object, such as Deployment.",
            ]
        }
        self.addProperties(of: schema, to: &properties, &required)
        let rules = schema.messageRules
        var result: DynamicValue = ["type": "object"]
        if let text = Descriptions.of(schema) { result["description"] = DynamicValue(text) }
        if properties.count > 0 { result["properties"] = properties }
        if !required.isEmpty {
            result["required"] = DynamicValue(required.sorted().map { DynamicValue($0) })
        }
        if rules.map == .atomic { result["x-kubernetes-map-type"] = "atomic" }
        if !rules.unions.isEmpty {
            result["x-kubernetes-unions"] = DynamicValue(rules.unions.map(Self.union))
        }
        if let kinds = self.kinds(of: schema, rules) {
            result["x-kubernetes-group-version-kind"] = kinds
        }
        return result
    }

    private static func union(_ union: Apus.Union) -> DynamicValue {
        var members = DynamicValue.emptyObject
        for member in union.members {
            members[member] = DynamicValue(member.prefix(1).uppercased() + member.dropFirst())
        }
        var result: DynamicValue = ["fields-to-discriminateBy": members]
        if let discriminator = union.discriminator {
            result["discriminator"] = DynamicValue(discriminator)
        }
        return result
    }

    /// The groups and versions that objects of the type come in.
    private func kinds(of schema: MessageSchema, _ rules: Apus.MessageRules) -> DynamicValue? {
        var groupVersions: [GroupVersion] = []
        if Array(rules.gvk) == ["*"] {
            groupVersions = self.groupVersions
        } else if !rules.gvk.isEmpty {
            groupVersions = rules.gvk.map { text in
                let parts = text.split(separator: "/")
                return GroupVersion(
                    group: parts.count == 2 ? String(parts[0]) : "",
                    version: String(parts.last ?? "")
                )
            }
        } else if schema.isKind {
            let file = schema.file
            groupVersions = [GroupVersion(group: file.group, version: file.version)]
        }
        guard !groupVersions.isEmpty else { return nil }
        return DynamicValue(
            groupVersions.map { Self.kind($0.group, $0.version, schema.name) }
        )
    }

    /// A kind as documents name it.
    static func kind(_ group: String, _ version: String, _ kind: String) -> DynamicValue {
        [
            "group": DynamicValue(group), "version": DynamicValue(version),
            "kind": DynamicValue(kind),
        ]
    }

    // MARK: - Fields

    private mutating func addProperties(
        of schema: MessageSchema,
        to properties: inout DynamicValue,
        _ required: inout [String]
    ) {
        for field in schema.fields {
            if field.isInline, let inlined = field.message {
                self.addProperties(of: inlined, to: &properties, &required)
            } else if !field.jsonName.isEmpty {
                let rules = field.rules
                var property = self.property(field, rules)
                if let text = Descriptions.of(field, in: schema) {
                    property["description"] = DynamicValue(text)
                }
                properties[field.jsonName] = property
                if rules.required == true { required.append(field.jsonName) }
            }
        }
    }

    private mutating func property(_ field: FieldSchema, _ rules: Apus.FieldRules) -> DynamicValue {
        var property: DynamicValue
        let value = rules.schemaType == nil ? self.value(field, rules) : [:]
        if let type = rules.schemaType {
            property = Self.primitive(named: type)
        } else if field.isMap {
            property = ["type": "object", "additionalProperties": value]
        } else if field.isRepeated, field.message?.table.pointee.jsonForm != .stringList {
            property = ["type": "array", "items": value]
        } else if self.form == .v3, value["$ref"] != nil {
            // A reference cannot have anything beside it in version 3.
            property = ["allOf": [value]]
        } else {
            property = value
        }
        if self.form == .v3, let text = self.defaultText(of: field, rules),
            let value = try? DynamicValue(json: Array(text.utf8))
        {
            property["default"] = value
        }
        Self.addExtensions(rules, to: &property)
        return property
    }

    private mutating func value(_ field: FieldSchema, _ rules: Apus.FieldRules) -> DynamicValue {
        if let message = field.message {
            if message.table.pointee.jsonForm == .stringList {
                return ["type": "array", "items": ["type": "string"]]
            }
            return self.reference(message)
        }
        let kind = field.isMap ? field.entry.pointee.valueKind : field.entry.pointee.kind
        var value = Self.primitive(kind)
        if !rules.values.isEmpty {
            value["enum"] = DynamicValue(rules.values.map { DynamicValue($0) })
        }
        return value
    }

    private static func primitive(_ kind: FieldKind) -> DynamicValue {
        switch kind {
        case .bool: ["type": "boolean"]
        case .string, .enum, .message: ["type": "string"]
        case .bytes: ["type": "string", "format": "byte"]
        case .double, .float: ["type": "number", "format": "double"]
        case .int32, .uint32, .sint32, .fixed32, .sfixed32:
            ["type": "integer", "format": "int32"]
        case .int64, .uint64, .sint64, .fixed64, .sfixed64:
            ["type": "integer", "format": "int64"]
        }
    }

    /// A type as the schema files write it: `string`, `integer:int32`, `array<string>`, `any`.
    private static func primitive(named text: String) -> DynamicValue {
        if text == "any" { return [:] }
        for (prefix, type, key) in [
            ("array<", "array", "items"), ("map<", "object", "additionalProperties"),
        ] where text.hasPrefix(prefix) && text.hasSuffix(">") {
            let inner = String(text.dropFirst(prefix.count).dropLast())
            return ["type": DynamicValue(type), .init(key): self.primitive(named: inner)]
        }
        let parts = text.split(separator: ":")
        var value: DynamicValue = ["type": DynamicValue(String(parts.first ?? "string"))]
        if parts.count == 2 { value["format"] = DynamicValue(String(parts[1])) }
        return value
    }

    /// The published default of a field, as JSON text.
    private func defaultText(of field: FieldSchema, _ rules: Apus.FieldRules) -> String? {
        if rules.default != nil { return rules.default }
        guard rules.value == true, !field.isMap, !field.isRepeated else { return nil }
        if let message = field.message {
            return message.table.pointee.jsonForm == .object ? "{}" : nil
        }
        guard rules.keep == true else { return nil }
        switch field.entry.pointee.kind {
        case .string: return "\"\""
        case .bool: return "false"
        default: return "0"
        }
    }

    /// How patches and server-side apply treat a field.
    private static func addExtensions(_ rules: Apus.FieldRules, to property: inout DynamicValue) {
        let strategies = rules.patch.compactMap { strategy -> String? in
            switch strategy {
            case .merge: "merge"
            case .retainKeys: "retainKeys"
            case .replace: "replace"
            default: nil
            }
        }
        if !strategies.isEmpty {
            property["x-kubernetes-patch-strategy"] = DynamicValue(
                strategies.joined(separator: ",")
            )
        }
        if let key = rules.mergeKey, !key.isEmpty {
            property["x-kubernetes-patch-merge-key"] = DynamicValue(key)
        }
        switch rules.list {
        case .atomic?: property["x-kubernetes-list-type"] = "atomic"
        case .set?: property["x-kubernetes-list-type"] = "set"
        case .map?:
            property["x-kubernetes-list-type"] = "map"
            property["x-kubernetes-list-map-keys"] = DynamicValue(
                rules.keys.map { DynamicValue($0) }
            )
        default: break
        }
        switch rules.map {
        case .atomic?: property["x-kubernetes-map-type"] = "atomic"
        case .granular?: property["x-kubernetes-map-type"] = "granular"
        default: break
        }
    }
}
