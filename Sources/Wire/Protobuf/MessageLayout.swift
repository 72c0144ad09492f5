// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Descriptors

/// Where the fields of a message are in its fixed part.
///
/// The generator writes these offsets into the accessors and the runtime into its tables, both from
/// this one computation, so that they agree. In order:
///
/// ```
/// ┌───────────────┬────────────┬──────────────┬──────────────┬──────────────┬──────────┐
/// │ presence bits │ oneof case │ unknown      │ 8-byte slots │ 4-byte slots │ booleans │
/// │ 4 bytes per   │ 4 bytes    │ fields: 8    │              │              │          │
/// │ 32 fields     │ each       │ (when kept)  │              │              │          │
/// └───────────────┴────────────┴──────────────┴──────────────┴──────────────┴──────────┘
/// ```
public struct MessageLayout: Sendable {
    /// Where one field is.
    public struct Place: Sendable, Equatable {
        /// The offset of its slot.
        public var slot: Int
        /// Its presence bit, when it has one.
        public var bit: Int?
        /// The offset of the case slot of its oneof.
        public var caseSlot: Int?
        /// No presence, always written.
        public var isAlways: Bool
        /// No presence, left out when zero.
        public var isImplicit: Bool
    }

    /// In the order of `MessageDescriptor.fields`.
    public let places: [Place]

    /// The slot of the unknown fields; 0 when they are dropped.
    public let unknownSlot: Int

    /// The size of the fixed part.
    public let size: Int

    /// A message that cannot be laid out.
    public enum Failure: Error, Equatable {
        /// The fixed part would take this many bytes.
        case tooLarge(bytes: Int, limit: Int)
    }

    /// Lays out `message`, which stands in `file`.
    public init(_ message: MessageDescriptor, in file: FileDescriptor) throws(Failure) {
        let rules = FileRules(file.options)
        var next = 0
        let presences = message.fields.map { Presence($0, in: message, syntax: file.syntax) }
        let bitCount = presences.count { $0 == .bit }
        next += (bitCount + 31) / 32 * 4
        var caseSlots: [Int32: Int] = [:]
        for (field, presence) in zip(message.fields, presences) where presence == .oneof {
            guard let oneof = field.oneofIndex, caseSlots[oneof] == nil else { continue }
            caseSlots[oneof] = next
            next += 4
        }
        next = (next + 7) & ~7
        var unknownSlot = 0
        if !rules.dropsUnknown {
            if next == 0 { next = 8 }
            unknownSlot = next
            next += 8
        }
        var slots = [Int](repeating: 0, count: message.fields.count)
        for width in [8, 4, 1] {
            for (index, field) in message.fields.enumerated()
            where Self.slotBytes(field) == width {
                slots[index] = next
                next += width
            }
        }
        let size = (next + 7) & ~7
        guard size <= Block.largestMessage - 64 else {
            throw .tooLarge(bytes: size, limit: Block.largestMessage - 64)
        }
        var bit = -1
        self.places = zip(message.fields.indices, presences).map { index, presence in
            if presence == .bit { bit += 1 }
            let field = message.fields[index]
            return Place(
                slot: slots[index],
                bit: presence == .bit ? bit : nil,
                caseSlot: presence == .oneof ? field.oneofIndex.flatMap { caseSlots[$0] } : nil,
                isAlways: presence == .always,
                isImplicit: presence == .implicit
            )
        }
        self.unknownSlot = unknownSlot
        self.size = Swift.max(size, 8)
    }

    private static func slotBytes(_ field: FieldDescriptor) -> Int {
        if field.label == .repeated { return 4 }
        return Int(FieldKind(field.type).slotBytes)
    }
}

/// How a field is known to be set.
enum Presence {
    case bit, offset, oneof, always, implicit, none

    init(_ field: FieldDescriptor, in message: MessageDescriptor, syntax: Syntax) {
        if field.label == .repeated {
            self = .none
        } else if field.oneofIndex != nil && !field.proto3Optional {
            self = .oneof
        } else if FieldRules(field.options).isValue || field.label == .required {
            self = .always
        } else if field.type == .message || field.type == .group {
            self = .offset
        } else if syntax == .proto3 && !field.proto3Optional {
            self = .implicit
        } else {
            self = .bit
        }
    }
}

extension FieldKind {
    init(_ type: FieldType?) {
        switch type {
        case .double: self = .double
        case .float: self = .float
        case .int64: self = .int64
        case .uint64: self = .uint64
        case .int32: self = .int32
        case .fixed64: self = .fixed64
        case .fixed32: self = .fixed32
        case .bool: self = .bool
        case .string: self = .string
        case .group, .message, nil: self = .message
        case .bytes: self = .bytes
        case .uint32: self = .uint32
        case .enum: self = .enum
        case .sfixed32: self = .sfixed32
        case .sfixed64: self = .sfixed64
        case .sint32: self = .sint32
        case .sint64: self = .sint64
        }
    }
}

// MARK: - Options that the codecs need

/// The number of the extensions in `apus/options.proto`.
let rulesExtension: Int32 = 50_101

/// The part of `apus.FieldRules` that decides how a field is written.
public struct FieldRules {
    public let isValue: Bool
    public let isKept: Bool
    public let omitsZero: Bool
    public let isInline: Bool
    let serialized: [UInt8]

    public init(_ options: DescriptorOptions) {
        self.serialized = options.message(rulesExtension)?.bytes ?? []
        let rules = DescriptorOptions(bytes: self.serialized)
        self.isValue = rules.bool(1)
        self.isKept = rules.bool(2)
        self.omitsZero = rules.bool(3)
        self.isInline = rules.bool(4)
    }
}

/// The part of `apus.MessageRules` that decides how a message is written.
struct MessageRules {
    let isKind: Bool
    let form: JSONForm
    let serialized: [UInt8]

    init(_ options: DescriptorOptions) {
        self.serialized = options.message(rulesExtension)?.bytes ?? []
        let rules = DescriptorOptions(bytes: self.serialized)
        self.isKind = rules.bool(1)
        let form = JSONForm(rawValue: UInt8(clamping: rules.varint(2) ?? 0)) ?? .object
        self.form = form == .wellKnown ? .object : form
    }
}

/// The part of `apus.FileRules` that the runtime needs.
struct FileRules {
    let group: String
    let version: String
    let dropsUnknown: Bool
    let dialect: JSONDialect

    init(_ options: DescriptorOptions) {
        let rules = DescriptorOptions(bytes: options.message(rulesExtension)?.bytes ?? [])
        self.group = String(decoding: rules.bytes(1) ?? [], as: UTF8.self)
        self.version = String(decoding: rules.bytes(2) ?? [], as: UTF8.self)
        self.dropsUnknown = rules.bool(3)
        self.dialect = JSONDialect(rawValue: UInt8(clamping: rules.varint(4) ?? 0)) ?? .protobuf
    }
}
