// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf

/// Makes random messages of any type: the same one for the same name and seed.
///
/// Over a hundred seeds every field is set at least once, oneofs take every case, lists and maps are
/// often empty and often have several entries.
struct InstanceGenerator {
    private var state: UInt64
    private let block: Block

    /// Deeper messages stay empty, so that recursive types end.
    private static let deepest = 5

    private init(seed: UInt64, block: Block) {
        self.state = seed
        self.block = block
    }

    static func instance(of schema: MessageSchema, seed: UInt64) -> MessageStorage {
        // FNV-1a, so that types differ for equal seeds.
        let name = schema.fullName.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        let block = Block(capacity: 4096)
        var generator = InstanceGenerator(seed: name ^ seed &* 0x9E37_79B9_7F4A_7C15, block: block)
        let root = block.allocate(schema.table.pointee.size)
        generator.fill(schema.table, root, depth: 0)
        return MessageStorage(block: block, offset: root)
    }

    // MARK: - Randomness

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    private mutating func below(_ bound: Int) -> Int {
        Int(self.next() % UInt64(bound))
    }

    // MARK: - Messages

    private mutating func fill(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) {
        if self.fillForm(table, message) { return }
        // Near the root most fields are set; deeper down fewer, or instances would be huge.
        let chance = depth == 0 ? 70 : depth == 1 ? 40 : 20
        for index in 0..<table.pointee.fieldCount {
            let field = UnsafePointer(table.pointee.fields + index)
            if self.below(100) < chance { self.set(field, message, depth: depth) }
        }
    }

    private mutating func set(
        _ field: UnsafePointer<FieldEntry>,
        _ message: UInt32,
        depth: Int
    ) {
        let slot = message &+ field.pointee.offset
        switch field.pointee.cardinality {
        case .implicit, .always:
            self.put(field, field.pointee.kind, slot, depth: depth)
        case .explicit:
            self.put(field, field.pointee.kind, slot, depth: depth)
            if field.pointee.kind != .message {
                self.setBit(message, field.pointee.presence)
            }
        case .oneof:
            let caseSlot = message &+ field.pointee.presence
            // The first candidate takes the place half of the time, so that each has its turn.
            guard UInt32.load(self.block, caseSlot) == 0, self.below(2) == 0 else { return }
            UInt32.store(field.pointee.number, self.block, caseSlot)
            self.put(field, field.pointee.kind, slot, depth: depth)
        case .repeated, .packed:
            let count = self.below(4)
            if count == 0 { return }
            let stride = Int(field.pointee.kind.slotBytes)
            self.block.reserveItems(at: slot, total: count, stride: stride)
            let header = UInt32.load(self.block, slot)
            for index in 0..<count {
                UInt32.store(UInt32(index + 1), self.block, header)
                let item = header &+ 8 &+ UInt32(index * stride)
                self.put(field, field.pointee.kind, item, depth: depth + 1)
            }
        case .map:
            self.fillMap(field, slot, depth: depth)
        }
    }

    private mutating func fillMap(
        _ field: UnsafePointer<FieldEntry>,
        _ slot: UInt32,
        depth: Int
    ) {
        let count = self.below(4)
        if count == 0 { return }
        self.block.reserveItems(at: slot, total: count, stride: MapLayout.entryBytes)
        let header = UInt32.load(self.block, slot)
        for _ in 0..<count {
            let present = UInt32.load(self.block, header)
            let pair = header &+ 8 &+ present &* UInt32(MapLayout.entryBytes)
            UInt64.store(0, self.block, pair)
            UInt64.store(0, self.block, pair &+ 8)
            self.put(field, field.pointee.keyKind, pair, depth: depth + 1)
            self.put(field, field.pointee.valueKind, pair &+ 8, depth: depth + 1)
            UInt32.store(present &+ 1, self.block, header)
            self.block.sortLastEntry(slot, field.pointee.keyKind)
        }
    }

    private func setBit(_ message: UInt32, _ bit: UInt32) {
        let byte = self.block.base + Int(message &+ (bit >> 3))
        let old = byte.load(as: UInt8.self)
        byte.storeBytes(of: old | 1 << UInt8(bit & 7), as: UInt8.self)
    }

    // MARK: - Values

    private mutating func put(
        _ field: UnsafePointer<FieldEntry>,
        _ kind: FieldKind,
        _ slot: UInt32,
        depth: Int
    ) {
        switch kind {
        case .message:
            guard let table = field.pointee.child else { return }
            let child = self.block.allocate(table.pointee.size)
            UInt32.store(child, self.block, slot)
            if depth < Self.deepest { self.fill(table, child, depth: depth + 1) }
        case .string: String.store(self.text(), self.block, slot)
        case .bytes:
            let bytes = (0..<self.below(20)).map { _ in UInt8(truncatingIfNeeded: self.next()) }
            let extent = bytes.withUnsafeBytes { self.block.copyIn($0) }
            self.block.putExtent(extent, slot)
        case .enum:
            guard let values = field.pointee.enumeration?.takeUnretainedValue().values else {
                return
            }
            Int32.store(values[self.below(values.count)].number, self.block, slot)
        case .bool: Bool.store(self.below(2) == 1, self.block, slot)
        case .double:
            Double.store(Double(Int64(bitPattern: self.next()) >> 20) / 8, self.block, slot)
        case .float: Float.store(Float(self.below(1 << 20)) / 16, self.block, slot)
        case .int64, .uint64, .fixed64, .sfixed64, .sint64:
            UInt64.store(self.number(), self.block, slot)
        case .int32, .uint32, .fixed32, .sfixed32, .sint32:
            UInt32.store(UInt32(truncatingIfNeeded: self.number()), self.block, slot)
        }
    }

    /// Small, large and negative numbers in turn.
    private mutating func number() -> UInt64 {
        switch self.below(4) {
        case 0: return UInt64(self.below(100))
        case 1: return self.next()
        case 2: return UInt64(bitPattern: -Int64(self.below(1000)))
        default: return self.next() >> 40
        }
    }

    private mutating func text() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz-./:0123456789ÄßλЖ中🙂\"\\\n<&>")
        return String((0..<self.below(24)).map { _ in alphabet[self.below(alphabet.count)] })
    }

    // MARK: - Forms

    /// Fills a type whose JSON has a form of its own with what that form can hold.
    private mutating func fillForm(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32
    ) -> Bool {
        switch table.pointee.jsonForm {
        case .time, .microTime:
            if self.below(4) == 0 { return true }
            Int64.store(Int64(1 + self.below(1 << 32)), self.block, self.slot(table, message, 1))
            let isMicro = table.pointee.jsonForm == .microTime
            let nanoseconds = isMicro ? Int32(self.below(1_000_000)) * 1000 : 0
            Int32.store(nanoseconds, self.block, self.slot(table, message, 2))
        case .quantity:
            let texts = ["0", "1", "100m", "1500m", "128Mi", "2Gi", "12e6", "5k", "-3"]
            String.store(texts[self.below(texts.count)], self.block, self.slot(table, message, 1))
        case .rawExtension, .json, .fieldsV1:
            let texts = [#"{"a":1}"#, #"{"f:spec":{"f:replicas":{}}}"#, "{}"]
            String.store(texts[self.below(texts.count)], self.block, self.slot(table, message, 1))
        case .object, .wellKnown, .duration, .intOrString, .schemaOrArray, .schemaOrBool,
            .schemaOrStringArray, .stringList, .unknown:
            return false
        }
        return true
    }

    private func slot(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        _ number: UInt32
    ) -> UInt32 {
        guard let field = table.pointee.entry(number: number) else {
            preconditionFailure("no field \(number)")
        }
        if field.pointee.cardinality == .explicit { self.setBit(message, field.pointee.presence) }
        return message &+ field.pointee.offset
    }
}
