// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf
import Scalars

/// Why a message has no JSON form.
public enum JSONEncodingError: Error, Equatable, Sendable {
    /// A field holds NaN or an infinity.
    case notFinite(field: String)
    /// A field that carries JSON as text does not hold JSON.
    case invalidJSON(field: String, reason: String)
    /// A time outside the years 0 to 9999, which RFC 3339 cannot write, or a duration of more than
    /// 10,000 years or of two minds about its sign.
    case timeOutOfRange(field: String)
    /// The path of a field mask that does not come back from its JSON.
    case invalidPath(String)
    /// An `Any` of a type that is not known, or whose bytes are not of its type.
    case invalidAny(url: String, reason: String)
}

/// Walks a message in the shape of its JSON, driven by its table.
///
/// Fields come in the order of the schema file, map entries in the order of their keys. Which fields
/// are left out follows the `json` dialect of the file; `MessageJSONEncoder+Values.swift` writes what
/// fields hold. The output is text or a tree.
struct MessageJSONEncoder<Output: JSONOutput & ~Copyable>: ~Copyable {
    var output: Output
    /// The address of the block that is being written.
    var base: UnsafeRawPointer
    /// The type of the outermost message.
    private unowned(unsafe) let root: MessageSchema
    private let givenTypes: MessageTypes?
    /// How many `Any` stand around what is being written.
    var anyDepth = 0

    init(
        _ base: UnsafeRawPointer,
        _ root: MessageSchema,
        types: MessageTypes?,
        output: consuming Output
    ) {
        self.base = base
        self.root = root
        self.givenTypes = types
        self.output = output
    }

    /// What an `Any` may hold.
    var types: MessageTypes { self.givenTypes ?? MessageTypes([self.root.file]) }

    /// Ends the walk and hands the output over.
    consuming func finish() -> Output {
        self.output
    }

    /// Writes a message; the outermost one with its `kind` and `apiVersion`.
    mutating func writeMessage(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer,
        typeMeta: TypeMeta?
    ) throws(JSONEncodingError) {
        guard table.pointee.jsonForm == .object else {
            return try self.writeForm(table, message)
        }
        self.output.beginObject()
        if let typeMeta { self.writeTypeMeta(typeMeta) }
        try self.writeFields(table, message)
        self.output.endObject()
    }

    /// Writes the keys of a message with their values.
    @inline(__always)
    mutating func writeFields(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        let isKubernetes = table.pointee.dialect == .kubernetes
        for index in 0..<table.pointee.jsonKeyCount {
            let key = table.pointee.jsonKeys + index
            let owner = self.owner(of: key, message)
            let field = key.pointee.field
            let isWritten =
                isKubernetes
                ? self.isWritten(field, owner) : self.isWrittenByProtobuf(field, owner)
            guard isWritten else { continue }
            self.output.key(key)
            try self.writeField(field, owner)
        }
    }

    private mutating func writeTypeMeta(_ typeMeta: TypeMeta) {
        if !typeMeta.kind.isEmpty {
            self.output.key(copying: "kind")
            self.output.string(copying: typeMeta.kind)
        }
        if !typeMeta.apiVersion.isEmpty {
            self.output.key(copying: "apiVersion")
            self.output.string(copying: typeMeta.apiVersion)
        }
    }

    // MARK: - Ways through the tree

    /// The message that holds the field of a key: `message` itself or one inlined in it.
    @inline(__always)
    private func owner(
        of key: UnsafePointer<JSONKey>,
        _ message: UnsafeRawPointer
    ) -> UnsafeRawPointer {
        JSONMembers.owner(of: key, message, self.base)
    }

    /// The message whose offset is in a slot; the empty one when it is absent.
    @inline(__always)
    func message(at slot: UnsafeRawPointer) -> UnsafeRawPointer {
        JSONMembers.message(at: slot, self.base)
    }

    // MARK: - What is left out

    @inline(__always)
    private func isWritten(
        _ field: UnsafePointer<FieldEntry>,
        _ message: UnsafeRawPointer
    ) -> Bool {
        JSONMembers.isWritten(field, message, self.base)
    }

    /// Protobuf's rules: what has presence is written when set, the rest when not zero.
    private func isWrittenByProtobuf(
        _ field: UnsafePointer<FieldEntry>,
        _ message: UnsafeRawPointer
    ) -> Bool {
        let slot = message + Int(field.pointee.offset)
        switch field.pointee.cardinality {
        case .always, .implicit: return !MessageTree.isZero(field.pointee.kind, slot)
        case .explicit, .oneof: return MessageTree.isPresent(field, message)
        case .repeated, .packed, .map: return MessageTree.count(slot, self.base) > 0
        }
    }
}
