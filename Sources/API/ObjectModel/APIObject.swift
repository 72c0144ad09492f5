// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON
public import KubernetesAPI
public import Protobuf

/// An object of any built-in kind: a message and its schema.
///
/// The API server's generic code works on it; code that knows a kind takes the typed message out
/// (``message(as:)``), which shares the memory, and puts a changed one back. Passing it on costs one
/// reference count.
public struct APIObject: Sendable {
    public let schema: MessageSchema
    public private(set) var storage: MessageStorage
    /// The slot of `metadata`; nil for a kind without one.
    private let metadataSlot: Int?

    /// - Precondition: `storage` is a message of the type that `schema` describes.
    package init(_ storage: MessageStorage, _ schema: MessageSchema) {
        self.schema = schema
        self.storage = storage
        let field = schema.table.pointee.entry(number: 1)
        self.metadataSlot =
            field?.pointee.child == ObjectMeta.schema.table
            ? field.map { Int($0.pointee.offset) } : nil
    }

    /// A typed message as an object.
    public init<M: Message>(_ message: M) {
        self.init(message.storage, M.schema)
    }

    /// The typed message; nil when the object is of another type.
    public func message<M: Message>(as type: M.Type = M.self) -> M? {
        self.schema === M.schema ? M(storage: self.storage) : nil
    }

    /// Changes the typed message in place.
    ///
    /// - Returns: false when the object is of another type, which is left as it is.
    @discardableResult
    public mutating func change<M: Message, E: Error>(
        _ type: M.Type = M.self,
        _ body: (inout M) throws(E) -> Void
    ) throws(E) -> Bool {
        guard self.schema === M.schema else { return false }
        // The empty message stands in, so that the change finds the block unshared.
        var message = M(storage: self.storage)
        self.storage = MessageStorage()
        defer { self.storage = message.storage }
        try body(&message)
        return true
    }

    /// Changes the message in place, by its schema; the handle finds the block unshared when the
    /// object is.
    ///
    /// What `body` leaves must be a message of the same type.
    package mutating func changeStorage<R, E: Error>(
        _ body: (inout MessageStorage) throws(E) -> R
    ) throws(E) -> R {
        var storage = self.storage
        self.storage = MessageStorage()
        defer { self.storage = storage }
        return try body(&storage)
    }

    /// The object's metadata; setting it on a kind without metadata does nothing.
    public var metadata: ObjectMeta {
        get {
            guard let slot = self.metadataSlot else { return ObjectMeta() }
            return self.storage.get(slot)
        }
        _modify {
            if let slot = self.metadataSlot {
                yield &self.storage[slot, self.schema]
            } else {
                var none = ObjectMeta()
                yield &none
            }
        }
    }

    /// Whether the kind has metadata.
    public var hasMetadata: Bool { self.metadataSlot != nil }

    /// Such as `Pod` in `v1`.
    public var typeMeta: TypeMeta { TypeMeta(self.schema) }

    public typealias ObjectMeta = MetaV1.ObjectMeta
}

// MARK: - Parts

extension APIObject {
    /// Makes a part of the object, such as `status`, that of another object of the same type. A name
    /// that is no single message does nothing.
    package mutating func copyPart(_ name: String, from other: APIObject) {
        guard self.schema === other.schema, let (slot, table) = self.part(name) else { return }
        let part = other.storage.load(slot, as: UInt32.self)
        var storage = self.storage
        // The empty message stands in, so that the change finds the block unshared.
        self.storage = MessageStorage()
        storage.prepareToWrite(self.schema)
        storage.putSubmessage(part == 0 ? nil : other.storage.submessage(slot), table, slot)
        self.storage = storage
    }

    /// Empties a part of the object.
    package mutating func clearPart(_ name: String) {
        guard let (slot, table) = self.part(name) else { return }
        var storage = self.storage
        self.storage = MessageStorage()
        storage.prepareToWrite(self.schema)
        storage.putSubmessage(nil, table, slot)
        self.storage = storage
    }

    /// Whether a part of the object equals that of another object of the same type.
    package func hasEqualPart(_ name: String, _ other: APIObject) -> Bool {
        guard self.schema === other.schema, let (slot, table) = self.part(name) else {
            return true
        }
        return MessageTree.areEqual(
            table,
            self.storage.submessage(slot),
            other.storage.submessage(slot)
        )
    }

    private func part(_ name: String) -> (Int, UnsafePointer<MessageTable>)? {
        guard let field = self.schema.field(named: name), !field.isRepeated, !field.isMap,
            let table = field.message?.table
        else { return nil }
        return (Int(field.entry.pointee.offset), table)
    }
}

// MARK: - Coding

extension APIObject {
    /// Reads the binary form, without envelope.
    public init(
        serialized bytes: UnsafeRawBufferPointer,
        as schema: MessageSchema
    ) throws(DecodingError) {
        self.init(
            try MessageStorage(decoding: schema, from: bytes, limits: DecodingLimits()),
            schema
        )
    }

    /// Reads JSON.
    ///
    /// - Returns: the object with `kind` and `apiVersion` as written, and unknown and duplicate fields.
    public static func decode(
        json text: UnsafeRawBufferPointer,
        as schema: MessageSchema,
        validation: FieldValidation,
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> DecodedJSON<APIObject> {
        let decoded = try MessageStorage.decode(
            json: text,
            as: schema,
            validation: validation,
            limits: limits
        )
        return DecodedJSON(
            message: APIObject(decoded.message, schema),
            typeMeta: decoded.typeMeta,
            problems: decoded.problems
        )
    }

    /// The binary form, without envelope; the bytes are valid during `body`.
    public func withSerializedBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try self.storage.withSerializedBytes(self.schema, body)
    }

    /// The enveloped binary form.
    public func sealed() -> [UInt8] {
        self.withSerializedBytes { Envelope.seal(raw: $0, self.typeMeta) }
    }

    /// The JSON, with `kind` and `apiVersion`.
    public func json() throws(JSONEncodingError) -> [UInt8] {
        try self.storage.json(self.schema, typeMeta: self.typeMeta)
    }

    /// The tree of the object: what its JSON says.
    public func dynamicValue() throws(JSONEncodingError) -> DynamicValue {
        try DynamicValue(self.storage, self.schema)
    }

    /// Reads a tree; keys that are no fields are dropped.
    public init(_ tree: DynamicValue, as schema: MessageSchema) throws(JSONError) {
        self.init(try tree.storage(of: schema), schema)
    }
}

extension APIObject: Equatable {
    public static func == (left: APIObject, right: APIObject) -> Bool {
        left.schema === right.schema
            && MessageTree.areEqual(left.schema.table, left.storage, right.storage)
    }
}
