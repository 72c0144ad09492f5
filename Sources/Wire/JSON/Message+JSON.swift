// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf

// JSON of messages.

extension Message {
    /// Decodes a message; unknown and duplicate fields are ignored.
    ///
    /// - Parameter types: what an `Any` in it may hold.
    public init(
        json text: [UInt8],
        limits: JSONLimits = JSONLimits(),
        types: MessageTypes? = nil
    ) throws(JSONError) {
        self = try Self.decode(json: text, limits: limits, types: types).message
    }

    /// Decodes a message; unknown and duplicate fields are ignored.
    ///
    /// - Parameter types: what an `Any` in it may hold.
    public init(
        json text: String,
        limits: JSONLimits = JSONLimits(),
        types: MessageTypes? = nil
    ) throws(JSONError) {
        self = try Self.decode(json: [UInt8](text.utf8), limits: limits, types: types).message
    }

    /// Decodes a message with what stands beside its fields: `kind`, `apiVersion` and, unless
    /// `validation` is `ignore`, the unknown and duplicate fields.
    ///
    /// `strict` differs from `warn` only for the caller, who refuses a message with problems: both
    /// find all of them at once.
    public static func decode(
        json text: UnsafeRawBufferPointer,
        validation: FieldValidation = .ignore,
        limits: JSONLimits = JSONLimits(),
        types: MessageTypes? = nil
    ) throws(JSONError) -> DecodedJSON<Self> {
        let decoded = try MessageStorage.decode(
            json: text,
            as: Self.schema,
            validation: validation,
            limits: limits,
            types: types
        )
        return DecodedJSON(
            message: Self(storage: decoded.message),
            typeMeta: decoded.typeMeta,
            problems: decoded.problems
        )
    }

    /// As above.
    public static func decode(
        json text: [UInt8],
        validation: FieldValidation = .ignore,
        limits: JSONLimits = JSONLimits(),
        types: MessageTypes? = nil
    ) throws(JSONError) -> DecodedJSON<Self> {
        try text.withUnsafeBytes { buffer in
            Result { () throws(JSONError) in
                try Self.decode(json: buffer, validation: validation, limits: limits, types: types)
            }
        }.get()
    }

    /// The JSON of the message; of a kind with `kind` and `apiVersion`.
    ///
    /// - Parameter types: what an `Any` in it may hold.
    public func json(types: MessageTypes? = nil) throws(JSONEncodingError) -> [UInt8] {
        try self.storage.json(
            Self.schema,
            typeMeta: Self.schema.isKind ? Self.typeMeta : nil,
            types: types
        )
    }

    /// The JSON of the message as text.
    public func jsonText(types: MessageTypes? = nil) throws(JSONEncodingError) -> String {
        String(decoding: try self.json(types: types), as: UTF8.self)
    }

    /// The `kind` and `apiVersion` of the type.
    public static var typeMeta: TypeMeta { TypeMeta(Self.schema) }
}

extension TypeMeta {
    /// The kind and API version that a type has by its schema.
    public init(_ schema: MessageSchema) {
        let file = schema.file
        let name = schema.name
        let isGroupless = file.group.isEmpty || Self.isUnversioned(name, file.group)
        self.init(
            kind: name,
            apiVersion: isGroupless ? file.version : "\(file.group)/\(file.version)"
        )
    }

    /// Whether a type of `meta.k8s.io` goes without its group: what is older than groups are.
    ///
    /// Source: upstream k8s.io/apimachinery `pkg/apis/meta/v1/register.go`, unversioned types.
    private static func isUnversioned(_ name: String, _ group: String) -> Bool {
        guard group == "meta.k8s.io" else { return false }
        switch name {
        case "Status", "APIVersions", "APIGroup", "APIGroupList", "APIResourceList": return true
        default: return false
        }
    }
}

extension MessageStorage {
    /// Decodes a message of the type that `schema` describes.
    package static func decode(
        json text: UnsafeRawBufferPointer,
        as schema: MessageSchema,
        validation: FieldValidation,
        limits: JSONLimits,
        types: MessageTypes? = nil
    ) throws(JSONError) -> DecodedJSON<MessageStorage> {
        guard text.count <= limits.bytes else {
            throw .tooLarge(bytes: text.count, limit: limits.bytes)
        }
        let table = schema.table
        let block = Block(capacity: Int(table.pointee.size) + text.count * 2 + 64)
        let root = block.allocate(table.pointee.size)
        var decoder = MessageJSONDecoder(
            text,
            into: block,
            as: schema,
            validation: validation,
            limits: limits,
            types: types
        )
        // A null is a message without fields, but for the type that has one among its values.
        var isAbsent = false
        if table.pointee.wellKnown != .value { isAbsent = try decoder.scanner.skipNull() }
        if !isAbsent { try decoder.readMessage(table, root, depth: 0) }
        try decoder.scanner.finish()
        block.trim()
        return DecodedJSON(
            message: MessageStorage(block: block, offset: root),
            typeMeta: decoder.typeMeta,
            problems: decoder.problems.texts
        )
    }

    /// The JSON of a message of the type that `schema` describes.
    package func json(
        _ schema: MessageSchema,
        typeMeta: TypeMeta?,
        types: MessageTypes? = nil
    ) throws(JSONEncodingError) -> [UInt8] {
        defer { withExtendedLifetime(self.block) {} }
        var encoder = MessageJSONEncoder(
            UnsafeRawPointer(self.block.base),
            schema,
            types: types,
            output: JSONTextOutput(JSONWriter(capacity: Int(self.block.used)))
        )
        try encoder.writeMessage(schema.table, UnsafeRawPointer(self.address), typeMeta: typeMeta)
        return encoder.finish().bytes
    }
}
