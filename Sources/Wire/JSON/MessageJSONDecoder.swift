// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf

/// Reads JSON into the block of a message, driven by its table.
///
/// `MessageJSONDecoder+Values.swift` reads what fields hold, `+Forms.swift` the types whose JSON is
/// not an object of their fields.
struct MessageJSONDecoder: ~Copyable {
    let block: Block
    var scanner: JSONScanner
    var path = JSONPath()
    var problems: FieldProblems
    /// `kind` and `apiVersion` of the outermost object.
    var typeMeta = TypeMeta()
    let limits: JSONLimits
    /// The type of the outermost message.
    private unowned(unsafe) let root: MessageSchema
    private let givenTypes: MessageTypes?
    /// Whether the outermost object stands in an `Any`, whose type is one of its keys.
    var isInAny = false
    /// How far the block may fill up, so that the strings of the text and one more message always
    /// fit: `{}` is two bytes of text and may be a kilobyte of message.
    private let memoryLimit: UInt32

    init(
        _ text: UnsafeRawBufferPointer,
        into block: Block,
        as root: MessageSchema,
        validation: FieldValidation,
        limits: JSONLimits,
        types: MessageTypes?
    ) {
        self.root = root
        self.givenTypes = types
        self.block = block
        self.scanner = JSONScanner(text)
        self.problems = FieldProblems(validation)
        self.limits = limits
        let reserve = Int64(text.count) + Int64(4 * Block.largestMessage)
        self.memoryLimit = UInt32(clamping: Int64(Block.maximumBytes) - reserve)
    }

    /// What an `Any` may hold.
    var types: MessageTypes { self.givenTypes ?? MessageTypes([self.root.file]) }

    /// Checks that `byteCount` more bytes fit into the block.
    @inline(__always)
    func checkRoom(for byteCount: UInt64 = 0) throws(JSONError) {
        guard UInt64(self.block.used) + byteCount < UInt64(self.memoryLimit) else {
            throw .tooLarge(bytes: Int(self.block.used), limit: Int(self.memoryLimit))
        }
    }

    /// Reads the message at `message`: an object, or the form that its type has instead.
    mutating func readMessage(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        guard table.pointee.jsonForm == .object else {
            return try self.readForm(table, message, depth: depth)
        }
        guard self.scanner.peek() == UInt8(ascii: "{") else {
            throw try self.mismatch(table.pointee.goName)
        }
        guard depth < self.limits.depth else {
            throw .tooDeep(limit: self.limits.depth, offset: self.scanner.offset)
        }
        try self.checkRoom()
        self.scanner.position += 1
        if self.scanner.peek() == UInt8(ascii: "}") {
            self.scanner.position += 1
            return
        }
        var seen = SeenKeys()
        repeat {
            let name = try self.scanner.string()
            let end = self.scanner.position
            guard let key = MessageTable.jsonKey(table, name) else {
                let text = String(decoding: name, as: UTF8.self)
                try self.scanner.expect(UInt8(ascii: ":"), "':'")
                try self.readOther(table, text, &seen, depth: depth)
                continue
            }
            self.scanner.position = end
            try self.scanner.expect(UInt8(ascii: ":"), "':'")
            self.path.push(key.pointee.name.bytes, of: table)
            if !seen.insert(key - table.pointee.jsonKeys), self.problems.isCollecting {
                self.problems.add("duplicate", self.path.text)
            }
            try self.readField(key.pointee.field, of: self.owner(of: key, message), depth: depth)
            self.path.pop()
        } while try self.scanner.continues(until: UInt8(ascii: "}"))
    }

    /// The message that holds the field of a key: `message` itself or one inlined in it.
    @inline(__always)
    private func owner(of key: UnsafePointer<JSONKey>, _ message: UInt32) -> UInt32 {
        guard let first = key.pointee.via0 else { return message }
        var owner = self.child(first, of: message)
        if let second = key.pointee.via1 { owner = self.child(second, of: owner) }
        if let third = key.pointee.via2 { owner = self.child(third, of: owner) }
        return owner
    }

    /// The sub-message of a field, made when it is absent.
    @inline(__always)
    func child(_ field: UnsafePointer<FieldEntry>, of message: UInt32) -> UInt32 {
        let slot = message &+ field.pointee.offset
        let present = UInt32.load(self.block, slot)
        guard present == 0, let table = field.pointee.child else { return present }
        let made = self.block.allocate(table.pointee.size)
        UInt32.store(made, self.block, slot)
        return made
    }

    /// Reads a key that is no field: `kind`, `apiVersion` or an unknown one.
    private mutating func readOther(
        _ table: UnsafePointer<MessageTable>,
        _ key: String,
        _ seen: inout SeenKeys,
        depth: Int
    ) throws(JSONError) {
        let isTypeMeta = table.pointee.isKind && (key == "kind" || key == "apiVersion")
        let path = self.problems.isCollecting ? self.path.text(of: key) : ""
        guard isTypeMeta else {
            if self.isInAny, key == "@type", self.path.isRoot {
                _ = try self.scanner.string()
                return
            }
            if self.problems.isCollecting { self.problems.add("unknown", path) }
            _ = try self.scanner.skipValue(depth: depth + 1, limit: self.limits.depth)
            return
        }
        let index = table.pointee.jsonKeyCount + (key == "kind" ? 0 : 1)
        if !seen.insert(index), self.problems.isCollecting {
            self.problems.add("duplicate", path)
        }
        if try self.scanner.skipNull() { return }
        guard self.scanner.peek() == UInt8(ascii: "\"") else {
            throw try self.mismatch("string", in: table, key: key)
        }
        let text = String(decoding: try self.scanner.string(), as: UTF8.self)
        guard depth == 0 else { return }
        if key == "kind" {
            self.typeMeta.kind = text
        } else {
            self.typeMeta.apiVersion = text
        }
    }

    // MARK: - Errors

    /// The error for a value of the wrong type, which is read to say what it is.
    mutating func mismatch(
        _ expected: String,
        in table: UnsafePointer<MessageTable>? = nil,
        key: String? = nil
    ) throws(JSONError) -> JSONError {
        let byte = self.scanner.peek()
        let offset = self.scanner.offset
        let found: String
        switch byte {
        case UInt8(ascii: "{"): found = "object"
        case UInt8(ascii: "["): found = "array"
        case UInt8(ascii: "\""): found = "string"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): found = "bool"
        default:
            found = "number " + String(decoding: try self.scanner.number().text, as: UTF8.self)
        }
        return self.mismatch(found: found, expected, offset, in: table, key: key)
    }

    func mismatch(
        found: String,
        _ expected: String,
        _ offset: Int,
        in table: UnsafePointer<MessageTable>? = nil,
        key: String? = nil
    ) -> JSONError {
        let owner = table ?? self.path.owner
        let path = self.path.fieldText
        let fullPath = key.map { path.isEmpty ? $0 : path + "." + $0 } ?? path
        return .wrongType(
            JSONTypeMismatch(
                found: found,
                message: owner?.pointee.name ?? "",
                path: fullPath,
                expected: expected
            ),
            offset: offset
        )
    }

    func invalidValue(_ reason: String, at offset: Int) -> JSONError {
        .invalidValue(path: self.path.text, reason: reason, offset: offset)
    }
}

extension MessageTable {
    /// `Pod`
    var name: String { self.schema.takeUnretainedValue().name }

    /// `v1.Pod`: the type as Go's errors spell it.
    var goName: String {
        let schema = self.schema.takeUnretainedValue()
        let package = schema.file.package.split(separator: ".").last ?? ""
        return package.isEmpty ? schema.name : "\(package).\(schema.name)"
    }
}

extension FieldEntry {
    /// The type of the field as Go's errors spell it.
    var goType: String {
        switch self.cardinality {
        case .repeated, .packed: "[]" + self.goValueType(self.kind)
        case .map: "map[\(self.goValueType(self.keyKind))]" + self.goValueType(self.valueKind)
        case .implicit, .always, .explicit, .oneof: self.goValueType(self.kind)
        }
    }

    func goValueType(_ kind: FieldKind) -> String {
        switch kind {
        case .double: "float64"
        case .float: "float32"
        case .int64, .sint64, .sfixed64: "int64"
        case .uint64, .fixed64: "uint64"
        case .int32, .sint32, .sfixed32: "int32"
        case .uint32, .fixed32: "uint32"
        case .bool: "bool"
        case .string, .enum: "string"
        case .bytes: "[]uint8"
        case .message: self.child?.pointee.goName ?? "object"
        }
    }
}
