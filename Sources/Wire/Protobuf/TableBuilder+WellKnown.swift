// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors

extension TableBuilder {
    /// Gives the types of `google.protobuf` the JSON that protobuf's mapping has for them.
    ///
    /// A schema from outside may call anything by such a name: the fields must be those that the
    /// JSON codec is going to use.
    func recogniseWellKnown(_ table: UnsafeMutablePointer<MessageTable>) {
        guard self.descriptor.package == "google.protobuf", self.rules.dialect != .kubernetes,
            table.pointee.jsonForm == .object
        else { return }
        let name = table.pointee.schema.takeUnretainedValue().fullName.dropFirst(16)
        guard let (type, fields) = Self.wellKnown(name) else { return }
        for (index, kind) in fields.enumerated() {
            guard let field = table.pointee.entry(number: UInt32(index + 1)),
                field.pointee.kind == kind, field.pointee.isFit(for: type, at: index)
            else { return }
        }
        table.pointee.jsonForm = .wellKnown
        table.pointee.wellKnown = type
    }

    /// A type with the kinds of its fields 1, 2, ...
    private static func wellKnown(_ name: Substring) -> (WellKnownType, [FieldKind])? {
        switch name {
        case "Any": (.any, [.string, .bytes])
        case "BoolValue": (.wrapper, [.bool])
        case "BytesValue": (.wrapper, [.bytes])
        case "DoubleValue": (.wrapper, [.double])
        case "Duration": (.duration, [.int64, .int32])
        case "FieldMask": (.fieldMask, [.string])
        case "FloatValue": (.wrapper, [.float])
        case "Int32Value": (.wrapper, [.int32])
        case "Int64Value": (.wrapper, [.int64])
        case "ListValue": (.list, [.message])
        case "StringValue": (.wrapper, [.string])
        case "Struct": (.structure, [.message])
        case "Timestamp": (.timestamp, [.int64, .int32])
        case "UInt32Value": (.wrapper, [.uint32])
        case "UInt64Value": (.wrapper, [.uint64])
        case "Value": (.value, [.enum, .double, .string, .bool, .message, .message])
        default: nil
        }
    }
}

extension FieldEntry {
    /// Whether the field is single, a list or a map as the type has it.
    fileprivate func isFit(for type: WellKnownType, at index: Int) -> Bool {
        switch type {
        case .any, .duration, .timestamp, .wrapper: self.cardinality == .implicit
        case .value: self.cardinality == .oneof
        case .fieldMask, .list: self.cardinality == .repeated
        case .structure: self.cardinality == .map && self.keyKind == .string
        }
    }
}
