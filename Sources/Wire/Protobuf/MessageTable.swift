// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How the value of a field is written in the binary form (protobuf encoding, "scalar value types").
@usableFromInline
package enum FieldKind: UInt8 {
    case double, float, int64, uint64, int32, fixed64, fixed32, bool
    case string, message, bytes, uint32, `enum`, sfixed32, sfixed64, sint32, sint64

    /// The bytes of a slot in a message or a list.
    package var slotBytes: UInt32 {
        switch self {
        case .double, .int64, .uint64, .fixed64, .sfixed64, .sint64, .string, .bytes: 8
        case .float, .int32, .fixed32, .uint32, .enum, .sfixed32, .sint32, .message: 4
        case .bool: 1
        }
    }

    /// 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.
    package var wireType: UInt32 {
        switch self {
        case .double, .fixed64, .sfixed64: 1
        case .float, .fixed32, .sfixed32: 5
        case .string, .bytes, .message: 2
        case .int64, .uint64, .int32, .bool, .uint32, .enum, .sint32, .sint64: 0
        }
    }
}

/// How many values a field has, and how it is known to be set.
@usableFromInline
package enum FieldCardinality: UInt8 {
    /// No presence: left out when zero (proto3).
    case implicit
    /// No presence: always written, zero or not (a Go field without pointer).
    case always
    /// A presence bit, or for a message its offset.
    case explicit
    /// Set when the case slot of its oneof holds its number.
    case oneof
    case repeated
    /// Repeated, written as one run of numbers. Either form is read.
    case packed
    case map
}

/// One field of a message: the row that every codec works from.
///
/// Rows live for the whole run of the process, so that they can be used by pointer.
@usableFromInline
package struct FieldEntry {
    package var number: UInt32
    /// The offset of the slot in the message.
    package var offset: UInt32
    /// The presence bit; or the offset of the case slot, for a member of a oneof.
    package var presence: UInt32
    package var kind: FieldKind
    package var cardinality: FieldCardinality
    /// Kinds of the keys and values of a map.
    package var keyKind: FieldKind
    package var valueKind: FieldKind
    /// The tag as written, least significant byte first, and its length.
    package var tag: UInt64
    package var tagBytes: UInt8
    /// The JSON rules of the file that defines the field.
    package var dialect: JSONDialect
    /// The JSON key is written whatever the value (`keep`).
    package var isKept: Bool
    /// The JSON key is left out when the message is zero (`omit_zero`).
    package var omitsZero: Bool
    /// The fields of the message stand in the JSON object of its parent (`inline`).
    package var isInline: Bool
    /// The message type of the value, or of the values of a map.
    package var child: UnsafePointer<MessageTable>?
    /// The enum type of the value, or of the values of a map.
    package var enumeration: Unmanaged<EnumSchema>?
    package var name: StaticText
    package var jsonName: StaticText
    /// The serialized `FieldRules` of the schema (`apus.field`).
    package var rules: StaticText
}

/// Text or bytes that are never freed.
@usableFromInline
package struct StaticText: Sendable {
    // SAFETY: points to memory that is written once, before it is shared, and never freed.
    nonisolated(unsafe) package let start: UnsafeRawPointer
    package let count: Int

    package init(copying text: some Collection<UInt8>) {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Swift.max(text.count, 1),
            alignment: 1
        )
        memory.copyBytes(from: text)
        guard let start = memory.baseAddress else { preconditionFailure("no memory") }
        self.count = text.count
        self.start = UnsafeRawPointer(start)
    }

    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.start, count: self.count)
    }

    package var string: String { String(decoding: self.bytes, as: UTF8.self) }
}

/// A JSON key of a message and the way to its field, through inlined messages.
@usableFromInline
package struct JSONKey {
    package var name: StaticText
    /// The key as it is written: in quotes, with a colon.
    package var prefix: StaticText
    package var field: UnsafePointer<FieldEntry>
    /// The inlined fields on the way from the message to the one that owns `field`, outermost first.
    package var via0: UnsafePointer<FieldEntry>?
    package var via1: UnsafePointer<FieldEntry>?
    package var via2: UnsafePointer<FieldEntry>?
}

/// The forms of JSON that a message can have besides an object of its fields (`json_form`).
@usableFromInline
package enum JSONForm: UInt8 {
    case object, time, microTime, duration, quantity, intOrString, rawExtension, fieldsV1, json
    case schemaOrArray, schemaOrBool, schemaOrStringArray, stringList, unknown
    /// See ``MessageTable/wellKnown``. Not a value of the schema's option.
    case wellKnown
}

/// The types of `google.protobuf` whose JSON is not an object of their fields.
package enum WellKnownType: UInt8 {
    case any, duration, fieldMask, list, structure, timestamp, value, wrapper
}

/// A message type: what the codecs, copying and comparison work from.
@usableFromInline
package struct MessageTable {
    /// The size of the fixed part.
    package var size: UInt32
    /// The slot of the unknown fields; 0 when they are dropped.
    package var unknownSlot: UInt32
    package var fieldCount: Int
    /// By ascending number.
    package var fields: UnsafeMutablePointer<FieldEntry>
    /// For numbers below `denseCount`: index in `fields` plus one, or 0.
    package var dense: UnsafePointer<UInt16>
    package var denseCount: UInt32
    /// The fields in the order of the schema file.
    package var declared: UnsafePointer<UInt16>
    /// The keys of the JSON object, in the order of the schema file.
    package var jsonKeys: UnsafePointer<JSONKey>
    package var jsonKeyCount: Int
    /// Open addressing: index in `jsonKeys` plus one, or 0; `jsonMask` + 1 cells.
    package var jsonIndex: UnsafePointer<UInt16>
    package var jsonMask: UInt32
    package var jsonForm: JSONForm
    /// Set when `jsonForm` is `wellKnown`.
    package var wellKnown: WellKnownType?
    /// JSON carries `kind` and `apiVersion`.
    package var isKind: Bool
    package var dialect: JSONDialect
    package var schema: Unmanaged<MessageSchema>
}

/// The rules by which the messages of a file become JSON.
@usableFromInline
package enum JSONDialect: UInt8 {
    /// Those of protobuf's JSON mapping.
    case protobuf
    /// Those of Go's encoder with the tags of the Kubernetes API.
    case kubernetes
    /// Those of protobuf, with keys as they are spelled in the file.
    case protobufNames
}

// MARK: - Look-up

extension MessageTable {
    /// The row of a field number.
    @inline(__always)
    package func entry(number: UInt32) -> UnsafePointer<FieldEntry>? {
        if number < self.denseCount {
            let position = self.dense[Int(number)]
            return position == 0 ? nil : UnsafePointer(self.fields + Int(position) - 1)
        }
        return self.search(number)
    }

    private func search(_ number: UInt32) -> UnsafePointer<FieldEntry>? {
        var low = 0
        var high = self.fieldCount
        while low < high {
            let middle = (low + high) / 2
            let found = self.fields[middle].number
            if found == number { return UnsafePointer(self.fields + middle) }
            if found < number { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The JSON key of `table` with these bytes.
    ///
    /// Takes the table by pointer, since a method of the structure would be handed a copy of it.
    package static func jsonKey(
        _ table: UnsafePointer<MessageTable>,
        _ name: UnsafeRawBufferPointer
    ) -> UnsafePointer<JSONKey>? {
        guard let start = name.baseAddress else { return nil }
        let mask = table.pointee.jsonMask
        let index = table.pointee.jsonIndex
        let keys = table.pointee.jsonKeys
        var cell = Self.hash(start, name.count) & mask
        while true {
            let position = index[Int(cell)]
            if position == 0 { return nil }
            let key = keys + Int(position) - 1
            if key.pointee.name.count == name.count,
                bytesAreEqual(key.pointee.name.start, start, name.count)
            {
                return key
            }
            cell = (cell &+ 1) & mask
        }
    }

    /// A cheap hash of a key from its length, its first and its last bytes.
    @inline(__always)
    static func hash(_ start: UnsafeRawPointer, _ count: Int) -> UInt32 {
        var mixed = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
        if count >= 8 {
            mixed ^= start.loadUnaligned(as: UInt64.self)
            mixed = mixed &* 0xD6E8_FEB8_6659_FD93
            mixed ^= start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            mixed ^= UInt64(start.loadUnaligned(as: UInt32.self))
            mixed = mixed &* 0xD6E8_FEB8_6659_FD93
            mixed ^= UInt64(start.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        } else {
            for offset in 0..<count {
                mixed ^= UInt64(start.load(fromByteOffset: offset, as: UInt8.self)) << (8 * offset)
            }
        }
        mixed = mixed &* 0xD6E8_FEB8_6659_FD93
        return UInt32(truncatingIfNeeded: mixed >> 32)
    }
}

/// Whether two runs of `count` bytes are equal; faster than `memcmp` for short runs.
@inline(__always)
package func bytesAreEqual(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
    var offset = 0
    while offset + 8 <= count {
        if a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        {
            return false
        }
        offset += 8
    }
    while offset < count {
        if a.load(fromByteOffset: offset, as: UInt8.self)
            != b.load(fromByteOffset: offset, as: UInt8.self)
        {
            return false
        }
        offset += 1
    }
    return true
}
