// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf
import Scalars

// The types of google.protobuf that protobuf's JSON mapping treats on their own.
// Source: protobuf.dev, "ProtoJSON Format".

extension MessageJSONEncoder where Output: ~Copyable {
    mutating func writeWellKnown(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        switch table.pointee.wellKnown {
        case nil: break
        case .any: try self.writeAny(table, message)
        case .duration: try self.writeDuration(table, message)
        case .fieldMask: try self.writeFieldMask(table, message)
        case .list:
            if MessageTree.count(self.slot(table, message, 1), self.base) > 0 {
                try self.writeSoleField(table, message, 1)
            } else {
                self.output.beginList()
                self.output.endList()
            }
        case .structure:
            if MessageTree.count(self.slot(table, message, 1), self.base) > 0 {
                try self.writeSoleField(table, message, 1)
            } else {
                self.output.beginObject()
                self.output.endObject()
            }
        case .timestamp: try self.writeTimestamp(table, message)
        case .value: try self.writeAnyValue(table, message)
        case .wrapper: try self.writeSoleField(table, message, 1)
        }
    }

    private mutating func writeTimestamp(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        let seconds = self.slot(table, message, 1).loadUnaligned(as: Int64.self)
        let nanoseconds = self.slot(table, message, 2).loadUnaligned(as: Int32.self)
        guard let text = ProtobufTime.text(seconds: seconds, nanoseconds: nanoseconds) else {
            throw .timeOutOfRange(field: table.pointee.name)
        }
        self.output.string(copying: text)
    }

    private mutating func writeDuration(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        let seconds = self.slot(table, message, 1).loadUnaligned(as: Int64.self)
        let nanoseconds = self.slot(table, message, 2).loadUnaligned(as: Int32.self)
        guard let text = ProtobufTime.duration(seconds: seconds, nanoseconds: nanoseconds) else {
            throw .timeOutOfRange(field: table.pointee.name)
        }
        self.output.string(copying: text)
    }

    private mutating func writeFieldMask(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        var paths: [String] = []
        if let items = MessageTree.items(self.slot(table, message, 1), self.base) {
            for index in 0..<items.count {
                let stride = Int(FieldKind.string.slotBytes)
                let path = String(
                    decoding: self.text(at: items.first + index * stride),
                    as: UTF8.self
                )
                guard let camel = FieldMaskPath.json(path) else { throw .invalidPath(path) }
                paths.append(camel)
            }
        }
        self.output.string(copying: paths.joined(separator: ","))
    }

    /// A `Value`: whatever is set in it; null when nothing is.
    private mutating func writeAnyValue(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        for number in 2...6 as ClosedRange<UInt32> {
            guard let field = table.pointee.entry(number: number),
                MessageTree.isPresent(field, message)
            else { continue }
            if number == 2 {
                let double = self.slot(table, message, 2).loadUnaligned(as: Double.self)
                guard double.isFinite else { throw .notFinite(field: "number_value") }
            }
            return try self.writeField(field, message)
        }
        self.output.null()
    }

    /// An `Any`: the object of what is in it, and its type. What has a JSON of its own stands under
    /// the key `value`.
    private mutating func writeAny(
        _ table: UnsafePointer<MessageTable>,
        _ message: UnsafeRawPointer
    ) throws(JSONEncodingError) {
        let url = String(decoding: self.text(at: self.slot(table, message, 1)), as: UTF8.self)
        let bytes = self.text(at: self.slot(table, message, 2))
        self.output.beginObject()
        defer { self.output.endObject() }
        if url.isEmpty && bytes.isEmpty { return }
        guard let schema = self.types.message(url: url) else {
            throw .invalidAny(url: url, reason: "the type is not known")
        }
        guard self.anyDepth < ProtobufTime.maximumAnyDepth else {
            throw .invalidAny(url: url, reason: "nested too deeply")
        }
        let storage: MessageStorage
        do throws(DecodingError) {
            storage = try MessageStorage(decoding: schema, from: bytes, limits: DecodingLimits())
        } catch {
            throw .invalidAny(url: url, reason: "\(error)")
        }
        defer { withExtendedLifetime(storage.block) {} }
        self.output.key(copying: "@type")
        self.output.string(copying: url)
        let outer = self.base
        self.base = UnsafeRawPointer(storage.block.base)
        self.anyDepth += 1
        defer {
            self.base = outer
            self.anyDepth -= 1
        }
        let inner = UnsafeRawPointer(storage.address)
        if schema.table.pointee.jsonForm == .object {
            try self.writeFields(schema.table, inner)
        } else {
            self.output.key(copying: "value")
            try self.writeMessage(schema.table, inner, typeMeta: nil)
        }
    }
}
