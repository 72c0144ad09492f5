// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf

// The types of google.protobuf that protobuf's JSON mapping treats on their own.
// Source: protobuf.dev, "ProtoJSON Format".

extension MessageJSONDecoder {
    mutating func readWellKnown(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        try self.checkRoom()
        switch table.pointee.wellKnown {
        case nil: break
        case .any: try self.readAny(table, message, depth: depth)
        case .duration: try self.readTime(table, message, ProtobufTime.parseDuration)
        case .fieldMask: try self.readFieldMask(table, message)
        case .list, .structure, .wrapper:
            try self.readSoleField(table, message, 1, depth: depth)
        case .timestamp: try self.readTime(table, message, ProtobufTime.parse)
        case .value: try self.readAnyValue(table, message, depth: depth)
        }
    }

    private mutating func readTime(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        _ parse: (String) -> (seconds: Int64, nanoseconds: Int32)?
    ) throws(JSONError) {
        let offset = self.scanner.offset
        let text = String(decoding: try self.text(table), as: UTF8.self)
        guard let time = parse(text) else {
            throw self.invalidValue("\"\(text)\" is no \(table.pointee.name)", at: offset)
        }
        Int64.store(time.seconds, self.block, self.slot(table, message, 1))
        Int32.store(time.nanoseconds, self.block, self.slot(table, message, 2))
    }

    private mutating func readFieldMask(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32
    ) throws(JSONError) {
        let offset = self.scanner.offset
        let text = String(decoding: try self.text(table), as: UTF8.self)
        if text.isEmpty { return }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let path = FieldMaskPath.parse(part) else {
                throw self.invalidValue("\"\(part)\" is no path of fields", at: offset)
            }
            let item = try self.addItem(
                self.slot(table, message, 1),
                Int(FieldKind.string.slotBytes)
            )
            String.store(path, self.block, item)
        }
    }

    /// Any JSON value, as the field of a `Value` that holds its kind.
    private mutating func readAnyValue(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        let number: UInt32 =
            switch self.scanner.peek() {
            case UInt8(ascii: "n"): 1
            case UInt8(ascii: "\""): 3
            case UInt8(ascii: "t"), UInt8(ascii: "f"): 4
            case UInt8(ascii: "{"): 5
            case UInt8(ascii: "["): 6
            default: 2
            }
        try self.readSoleField(table, message, number, depth: depth)
    }

    // MARK: - Any

    /// The object of a message with its type, or the type and a `value` that has a JSON of its own.
    private mutating func readAny(
        _ table: UnsafePointer<MessageTable>,
        _ message: UInt32,
        depth: Int
    ) throws(JSONError) {
        guard self.scanner.peek() == UInt8(ascii: "{") else {
            throw try self.mismatch(table.pointee.goName)
        }
        let offset = self.scanner.offset
        let text = try self.scanner.skipValue(depth: depth, limit: self.limits.depth)
        let (url, value, isEmpty) = try Self.parts(of: text, limit: self.limits.depth)
        if isEmpty { return }
        guard let url else { throw self.invalidValue("an Any without @type", at: offset) }
        guard let schema = self.types.message(url: url) else {
            throw self.invalidValue("the type \"\(url)\" is not known", at: offset)
        }
        let isObject = schema.table.pointee.jsonForm == .object
        guard let source = isObject ? text : value else {
            throw self.invalidValue("an Any of \(url) without value", at: offset)
        }
        let bytes: [UInt8]
        do throws(JSONError) {
            bytes = try self.readInner(source, schema, isObject: isObject, depth: depth)
        } catch {
            throw self.invalidValue("\(error)", at: offset)
        }
        try self.checkRoom(for: UInt64(bytes.count))
        String.store(url, self.block, self.slot(table, message, 1))
        bytes.withUnsafeBytes {
            self.block.putExtent(self.block.copyIn($0), self.slot(table, message, 2))
        }
    }

    /// Reads what is in an `Any` and returns it in binary form.
    private mutating func readInner(
        _ text: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        isObject: Bool,
        depth: Int
    ) throws(JSONError) -> [UInt8] {
        var limits = self.limits
        limits.depth -= depth
        let block = Block(capacity: Int(schema.table.pointee.size) + text.count * 2 + 64)
        let root = block.allocate(schema.table.pointee.size)
        var inner = MessageJSONDecoder(
            text,
            into: block,
            as: schema,
            validation: self.problems.isCollecting ? .warn : .ignore,
            limits: limits,
            types: self.types
        )
        inner.isInAny = isObject
        try inner.readMessage(schema.table, root, depth: isObject ? 0 : 1)
        try inner.scanner.finish()
        self.problems.add(inner.problems.texts, below: self.path.text)
        let storage = MessageStorage(block: block, offset: root)
        return storage.withSerializedBytes(schema) { Array($0) }
    }

    /// The `@type` and the `value` of an object, and whether it is empty.
    private static func parts(
        of text: UnsafeRawBufferPointer,
        limit: Int
    ) throws(JSONError) -> (url: String?, value: UnsafeRawBufferPointer?, isEmpty: Bool) {
        var scanner = JSONScanner(text)
        try scanner.expect(UInt8(ascii: "{"), "'{'")
        if scanner.peek() == UInt8(ascii: "}") { return (nil, nil, true) }
        var url: String?
        var value: UnsafeRawBufferPointer?
        repeat {
            let key = String(decoding: try scanner.string(), as: UTF8.self)
            try scanner.expect(UInt8(ascii: ":"), "':'")
            if key == "@type", scanner.peek() == UInt8(ascii: "\"") {
                url = String(decoding: try scanner.string(), as: UTF8.self)
            } else {
                let part = try scanner.skipValue(depth: 0, limit: limit)
                if key == "value" { value = part }
            }
        } while try scanner.continues(until: UInt8(ascii: "}"))
        return (url, value, false)
    }
}
