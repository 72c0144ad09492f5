// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf

// The tree from and to text and messages.

extension DynamicValue {
    /// Parses JSON text. Of equal keys the last one stays.
    public init(
        json text: UnsafeRawBufferPointer,
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) {
        guard text.count <= limits.bytes else {
            throw .tooLarge(bytes: text.count, limit: limits.bytes)
        }
        var scanner = JSONScanner(text)
        var builder = TreeBuilder(capacity: text.count * 2 + 64)
        try builder.parse(&scanner, depth: 0, limit: limits.depth)
        try scanner.finish()
        self = builder.finish()
    }

    /// Parses JSON text. Of equal keys the last one stays.
    public init(json text: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        self = try text.withUnsafeBytes { buffer in
            Result { () throws(JSONError) in try DynamicValue(json: buffer, limits: limits) }
        }.get()
    }

    /// The JSON text, compact, keys in order.
    public func json() -> [UInt8] {
        defer { withExtendedLifetime(self.block) {} }
        var output = JSONTextOutput(JSONWriter(capacity: Int(self.block.used)))
        Self.write(self.block, self.cell, to: &output)
        return output.bytes
    }

    /// The JSON text, compact, keys in order.
    public var jsonText: String { String(decoding: self.json(), as: UTF8.self) }

    private static func write(_ block: Block, _ cell: Cell, to output: inout JSONTextOutput) {
        switch cell.valueKind {
        case .null: output.null()
        case .bool: output.bool(cell.payload != 0)
        case .integer: output.integer(Int64(bitPattern: cell.payload))
        case .double: output.double(Double(bitPattern: cell.payload))
        case .string: output.string(block.stringBytes(cell))
        case .list:
            output.beginList()
            for index in 0..<cell.count {
                let address = cell.offset &+ index &* UInt32(Cell.bytes)
                self.write(block, block.cell(address), to: &output)
            }
            output.endList()
        case .object:
            output.beginObject()
            for index in 0..<cell.count {
                let entry = cell.offset &+ index &* UInt32(Cell.entryBytes)
                output.key(block.keyBytes(entry))
                self.write(block, block.cell(entry &+ Cell.keyBytes), to: &output)
            }
            output.endObject()
        }
    }
}

// MARK: - Messages

extension DynamicValue {
    /// The tree of a message: what its JSON says, `kind` and `apiVersion` included.
    public init<M: Message>(_ message: M) throws(JSONEncodingError) {
        try self.init(message.storage, M.schema)
    }

    /// The tree of a message of the type that `schema` describes.
    package init(
        _ storage: MessageStorage,
        _ schema: MessageSchema,
        types: MessageTypes? = nil
    ) throws(JSONEncodingError) {
        defer { withExtendedLifetime(storage.block) {} }
        var encoder = MessageJSONEncoder(
            UnsafeRawPointer(storage.block.base),
            schema,
            types: types,
            output: TreeBuilder(capacity: Int(storage.block.used) * 2)
        )
        try encoder.writeMessage(
            schema.table,
            UnsafeRawPointer(storage.address),
            typeMeta: schema.isKind ? TypeMeta(schema) : nil
        )
        self = encoder.finish().finish()
    }

    /// The tree of one field of the message at `message`.
    ///
    /// - Parameters:
    ///   - base: the start of the memory of the block that the message lies in.
    ///   - root: the type of the message that all is a part of.
    package init(
        _ field: UnsafePointer<FieldEntry>,
        of message: UnsafeRawPointer,
        _ base: UnsafeRawPointer,
        in root: MessageSchema
    ) throws(JSONEncodingError) {
        var encoder = MessageJSONEncoder(
            base,
            root,
            types: nil,
            output: TreeBuilder(capacity: 256)
        )
        try encoder.writeField(field, message)
        self = encoder.finish().finish()
    }

    /// Reads the binary form of a message of the type that `schema` describes.
    ///
    /// - Parameter types: what an `Any` in it may hold.
    public init(
        serialized bytes: UnsafeRawBufferPointer,
        as schema: MessageSchema,
        types: MessageTypes? = nil
    ) throws(DynamicValueError) {
        do {
            let storage = try MessageStorage(
                decoding: schema,
                from: bytes,
                limits: DecodingLimits()
            )
            self = try DynamicValue(storage, schema, types: types)
        } catch let error as DecodingError {
            throw .binary(error)
        } catch let error as JSONEncodingError {
            throw .content(error)
        } catch {
            preconditionFailure("unexpected error \(error)")
        }
    }

    /// The message that the tree describes; unknown keys are dropped.
    public func message<M: Message>(as type: M.Type = M.self) throws(JSONError) -> M {
        try M(json: self.json())
    }

    /// The binary form of the message of the type that `schema` describes.
    public func serialized(as schema: MessageSchema) throws(JSONError) -> [UInt8] {
        let storage = try self.storage(of: schema)
        return storage.withSerializedBytes(schema) { [UInt8]($0) }
    }

    /// The message of the type that `schema` describes.
    package func storage(of schema: MessageSchema) throws(JSONError) -> MessageStorage {
        try self.json().withUnsafeBytes { text in
            Result { () throws(JSONError) in
                try MessageStorage.decode(
                    json: text,
                    as: schema,
                    validation: .ignore,
                    limits: JSONLimits()
                ).message
            }
        }.get()
    }
}

/// Why bytes of a message do not become a tree.
public enum DynamicValueError: Error, Equatable, Sendable {
    case binary(DecodingError)
    case content(JSONEncodingError)
}

// MARK: - Comparison

extension DynamicValue: Hashable, CustomStringConvertible {
    /// Whether two trees are equal. The integer 1 and the number 1.0 differ, as in Go's trees.
    public static func == (left: DynamicValue, right: DynamicValue) -> Bool {
        defer { withExtendedLifetime((left.block, right.block)) {} }
        return self.areEqual(left.block, left.cell, right.block, right.cell)
    }

    private static func areEqual(_ a: Block, _ left: Cell, _ b: Block, _ right: Cell) -> Bool {
        guard left.kind == right.kind, left.count == right.count else { return false }
        switch left.valueKind {
        case .null: return true
        case .bool, .integer, .double: return left.payload == right.payload
        case .string: return a.stringBytes(left).elementsEqual(b.stringBytes(right))
        case .list:
            return (0..<left.count).allSatisfy { index in
                let offset = index &* UInt32(Cell.bytes)
                return self.areEqual(
                    a,
                    a.cell(left.offset &+ offset),
                    b,
                    b.cell(right.offset &+ offset)
                )
            }
        case .object:
            return (0..<left.count).allSatisfy { index in
                let x = left.offset &+ index &* UInt32(Cell.entryBytes)
                let y = right.offset &+ index &* UInt32(Cell.entryBytes)
                return a.keyBytes(x).elementsEqual(b.keyBytes(y))
                    && self.areEqual(
                        a,
                        a.cell(x &+ Cell.keyBytes),
                        b,
                        b.cell(y &+ Cell.keyBytes)
                    )
            }
        }
    }

    public func hash(into hasher: inout Hasher) {
        self.json().withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    public var description: String { self.jsonText }
}
