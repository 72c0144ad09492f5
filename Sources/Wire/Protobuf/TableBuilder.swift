// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors

/// Builds the tables of a schema file.
struct TableBuilder {
    let file: FileSchema
    let descriptor: FileDescriptor
    let rules: FileRules

    var messages: [MessageSchema] = []
    var enums: [EnumSchema] = []
    var messagesByName: [String: MessageSchema] = [:]
    var enumsByName: [String: EnumSchema] = [:]

    private var pending: [(MessageDescriptor, UnsafeMutablePointer<MessageTable>)] = []
    private var mapEntries: [String: MessageDescriptor] = [:]

    init(file: FileSchema, descriptor: FileDescriptor, rules: FileRules) {
        self.file = file
        self.descriptor = descriptor
        self.rules = rules
    }

    /// First makes every table of the file, so that fields can point to them, then fills them in.
    mutating func build() throws(SchemaError) {
        let prefix = self.descriptor.package.isEmpty ? "" : self.descriptor.package + "."
        for message in self.descriptor.messages { self.declare(message, prefix) }
        for enumeration in self.descriptor.enums { self.declare(enumeration, prefix) }
        for (message, table) in self.pending { try self.fill(message, table) }
        try self.countRequiredMessages()
        for (_, table) in self.pending { self.fillJSONKeys(table) }
    }

    private mutating func declare(_ message: MessageDescriptor, _ prefix: String) {
        let fullName = prefix + message.name
        if message.isMapEntry {
            self.mapEntries["." + fullName] = message
            return
        }
        let rules = MessageRules(message.options)
        let table = UnsafeMutablePointer<MessageTable>.allocate(capacity: 1)
        let schema = MessageSchema(fullName: fullName, table: table, rules: rules.serialized)
        table.initialize(to: Self.emptyTable(schema, rules, self.rules.dialect))
        self.messages.append(schema)
        self.messagesByName[fullName] = schema
        self.pending.append((message, table))
        for nested in message.nestedMessages { self.declare(nested, fullName + ".") }
        for nested in message.enums { self.declare(nested, fullName + ".") }
    }

    private mutating func declare(_ enumeration: EnumDescriptor, _ prefix: String) {
        let schema = EnumSchema(
            fullName: prefix + enumeration.name,
            values: enumeration.values.map { ($0.name, $0.number) }
        )
        self.enums.append(schema)
        self.enumsByName[schema.fullName] = schema
    }

    private static func emptyTable(
        _ schema: MessageSchema,
        _ rules: MessageRules,
        _ dialect: JSONDialect
    ) -> MessageTable {
        MessageTable(
            size: 8,
            unknownSlot: 0,
            fieldCount: 0,
            fields: .allocate(capacity: 1),
            dense: UnsafePointer(UnsafeMutablePointer<UInt16>.allocate(capacity: 1)),
            denseCount: 0,
            declared: UnsafePointer(UnsafeMutablePointer<UInt16>.allocate(capacity: 1)),
            jsonKeys: UnsafePointer(UnsafeMutablePointer<JSONKey>.allocate(capacity: 1)),
            jsonKeyCount: 0,
            jsonIndex: Self.cells(1),
            jsonMask: 0,
            jsonForm: rules.form,
            wellKnown: nil,
            isKind: rules.isKind,
            dialect: dialect,
            schema: .passRetained(schema),
        )
    }

    private static func cells(_ count: Int) -> UnsafePointer<UInt16> {
        let cells = UnsafeMutablePointer<UInt16>.allocate(capacity: count)
        cells.initialize(repeating: 0, count: count)
        return UnsafePointer(cells)
    }
}

// MARK: - Fields

extension TableBuilder {
    private func fill(
        _ message: MessageDescriptor,
        _ table: UnsafeMutablePointer<MessageTable>
    ) throws(SchemaError) {
        let schema = table.pointee.schema.takeUnretainedValue()
        let layout: MessageLayout
        do throws(MessageLayout.Failure) {
            layout = try MessageLayout(message, in: self.descriptor)
        } catch {
            switch error {
            case .tooLarge(let bytes, let limit):
                throw .messageTooLarge(schema.fullName, bytes: bytes, limit: limit)
            }
        }
        guard message.fields.count < 65_535 else { throw .tooManyFields(schema.fullName) }
        table.pointee.size = UInt32(layout.size)
        table.pointee.unknownSlot = UInt32(layout.unknownSlot)

        var rows: [FieldEntry] = []
        for (field, place) in zip(message.fields, layout.places) {
            rows.append(try self.row(field, place, in: schema.fullName))
        }
        let order = rows.indices.sorted { rows[$0].number < rows[$1].number }
        for (lower, upper) in zip(order, order.dropFirst())
        where rows[lower].number == rows[upper].number {
            throw .invalidNumber(Int(rows[upper].number), field: rows[upper].name.string)
        }
        let fields = UnsafeMutablePointer<FieldEntry>.allocate(capacity: Swift.max(rows.count, 1))
        let declared = UnsafeMutablePointer<UInt16>.allocate(capacity: Swift.max(rows.count, 1))
        for (position, index) in order.enumerated() {
            (fields + position).initialize(to: rows[index])
            (declared + index).initialize(to: UInt16(position))
        }
        table.pointee.fields = fields
        table.pointee.fieldCount = rows.count
        table.pointee.declared = UnsafePointer(declared)

        // Numbers up to this are looked up by index, the rest by bisection.
        let largest = order.last.map { rows[$0].number } ?? 0
        let denseCount = Swift.min(largest, 255) + 1
        let dense = UnsafeMutablePointer<UInt16>.allocate(capacity: Int(denseCount))
        dense.initialize(repeating: 0, count: Int(denseCount))
        for (position, index) in order.enumerated() where rows[index].number < denseCount {
            dense[Int(rows[index].number)] = UInt16(position + 1)
        }
        table.pointee.dense = UnsafePointer(dense)
        table.pointee.denseCount = denseCount
        self.recogniseWellKnown(table)
    }

    private func row(
        _ field: FieldDescriptor,
        _ place: MessageLayout.Place,
        in message: String
    ) throws(SchemaError) -> FieldEntry {
        let path = "\(message).\(field.name)"
        guard field.number > 0, field.number < 1 << 29 else {
            throw .invalidNumber(Int(field.number), field: path)
        }
        let rules = FieldRules(field.options)
        var entry = FieldEntry(
            number: UInt32(field.number),
            offset: UInt32(place.slot),
            presence: UInt32(place.bit ?? place.caseSlot ?? 0),
            kind: FieldKind(field.type),
            cardinality: self.cardinality(field, place),
            keyKind: .bool,
            valueKind: .bool,
            tag: 0,
            tagBytes: 0,
            dialect: self.rules.dialect,
            isKept: rules.isKept,
            omitsZero: rules.omitsZero,
            isInline: rules.isInline,
            child: nil,
            enumeration: nil,
            name: StaticText(copying: field.name.utf8),
            jsonName: StaticText(copying: self.jsonName(field).utf8),
            rules: StaticText(copying: rules.serialized)
        )
        if field.label == .repeated, let map = self.mapEntries[field.typeName] {
            guard let key = map.fields.first(where: { $0.number == 1 }),
                let value = map.fields.first(where: { $0.number == 2 })
            else { throw .unknownType(field.typeName, field: path) }
            entry.cardinality = .map
            entry.keyKind = FieldKind(key.type)
            entry.valueKind = FieldKind(value.type)
            try self.link(value, path, &entry)
        } else {
            try self.link(field, path, &entry)
        }
        entry.setTag(entry.cardinality == .packed ? 2 : entry.kind.wireType)
        return entry
    }

    private func cardinality(
        _ field: FieldDescriptor,
        _ place: MessageLayout.Place
    ) -> FieldCardinality {
        if field.label == .repeated {
            guard field.type?.isPackable == true else { return .repeated }
            let isPacked =
                field.options.varint(2).map { $0 != 0 } ?? (self.descriptor.syntax == .proto3)
            return isPacked ? .packed : .repeated
        }
        if place.caseSlot != nil { return .oneof }
        if place.isAlways { return .always }
        if place.isImplicit { return .implicit }
        return .explicit
    }

    private func jsonName(_ field: FieldDescriptor) -> String {
        if self.rules.dialect == .protobufNames { return field.name }
        return field.jsonName.isEmpty ? field.name : field.jsonName
    }

    /// Finds the type that a field refers to.
    private func link(
        _ field: FieldDescriptor,
        _ path: String,
        _ entry: inout FieldEntry
    ) throws(SchemaError) {
        let name = String(field.typeName.drop { $0 == "." })
        switch field.type {
        case .message, .group, nil:
            guard let found = self.findMessage(name) else {
                throw .unknownType(name, field: path)
            }
            entry.child = found.table
        case .enum:
            guard let found = self.findEnum(name) else { throw .unknownType(name, field: path) }
            entry.enumeration = .passRetained(found)
        default:
            break
        }
    }

    private func findMessage(_ name: String) -> MessageSchema? {
        if let own = self.messagesByName[name] { return own }
        for file in self.file.dependencies {
            if let found = file.exportedMessage(name) { return found }
        }
        return nil
    }

    private func findEnum(_ name: String) -> EnumSchema? {
        if let own = self.enumsByName[name] { return own }
        for file in self.file.dependencies {
            if let found = file.exportedEnum(name) { return found }
        }
        return nil
    }
}

extension FieldEntry {
    /// Sets the tag from the number and a wire type.
    mutating func setTag(_ wireType: UInt32) {
        var rest = UInt64(self.number) << 3 | UInt64(wireType)
        self.tag = 0
        self.tagBytes = 0
        repeat {
            let byte = rest & 0x7F | (rest > 0x7F ? 0x80 : 0)
            self.tag |= byte << (8 * UInt64(self.tagBytes))
            self.tagBytes += 1
            rest >>= 7
        } while rest > 0
    }
}

// MARK: - JSON keys

extension TableBuilder {
    private func fillJSONKeys(_ table: UnsafeMutablePointer<MessageTable>) {
        var keys: [JSONKey] = []
        Self.collectKeys(table, via: [], into: &keys)
        table.pointee.jsonKeyCount = keys.count
        if table.pointee.dialect == .protobuf { keys += Self.aliases(of: table, besides: keys) }
        let memory = UnsafeMutablePointer<JSONKey>.allocate(capacity: Swift.max(keys.count, 1))
        memory.initialize(from: keys, count: keys.count)
        var cellCount = 4
        while cellCount < keys.count * 2 { cellCount *= 2 }
        let cells = UnsafeMutablePointer<UInt16>.allocate(capacity: cellCount)
        cells.initialize(repeating: 0, count: cellCount)
        let mask = UInt32(cellCount - 1)
        for (index, key) in keys.enumerated() {
            var cell = MessageTable.hash(key.name.start, key.name.count) & mask
            while cells[Int(cell)] != 0 { cell = (cell &+ 1) & mask }
            cells[Int(cell)] = UInt16(index + 1)
        }
        table.pointee.jsonKeys = UnsafePointer(memory)
        table.pointee.jsonIndex = UnsafePointer(cells)
        table.pointee.jsonMask = mask
    }

    /// Protobuf's JSON mapping reads the names of the schema file too. These come behind the keys
    /// that are written.
    private static func aliases(
        of table: UnsafePointer<MessageTable>,
        besides keys: [JSONKey]
    ) -> [JSONKey] {
        let taken = Set(keys.map(\.name.string))
        return keys.compactMap { key in
            guard !taken.contains(key.field.pointee.name.string) else { return nil }
            var alias = key
            alias.name = key.field.pointee.name
            return alias
        }
    }

    /// The keys of a message in order, those of inlined messages in the place of their field.
    private static func collectKeys(
        _ table: UnsafePointer<MessageTable>,
        via: [UnsafePointer<FieldEntry>],
        into keys: inout [JSONKey]
    ) {
        for index in 0..<table.pointee.fieldCount {
            let field = UnsafePointer(
                table.pointee.fields + Int(table.pointee.declared[index])
            )
            if field.pointee.isInline, let child = field.pointee.child, via.count < 3 {
                self.collectKeys(child, via: via + [field], into: &keys)
            } else if field.pointee.jsonName.count > 0, keys.count < 65_534 {
                keys.append(
                    JSONKey(
                        name: field.pointee.jsonName,
                        prefix: StaticText(
                            copying: "\"\(field.pointee.jsonName.string)\":".utf8
                        ),
                        field: field,
                        via0: via.first,
                        via1: via.count > 1 ? via[1] : nil,
                        via2: via.count > 2 ? via[2] : nil
                    )
                )
            }
        }
    }
}
