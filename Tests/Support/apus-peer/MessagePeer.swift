// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import JSON
import Protobuf

/// The Swift side of `Tests/Conformance/Peers/messages.test.py` and `json.test.py`; the head of the
/// former gives the protocol.
struct MessagePeer {
    private let messages: [String: MessageSchema]
    private let types: MessageTypes

    init(files: [FileSchema]) {
        let all = files.flatMap(\.messages).map { ($0.fullName, $0) }
        self.messages = Dictionary(all) { first, _ in first }
        self.types = MessageTypes(files)
    }

    private enum Operation: UInt8 {
        case recode = 1
        case generate
        case compare
        case toJSON
        case fromJSON
    }

    private enum Status: UInt8 {
        case done
        case noSuchMessage
        case undecodable
        case failed
    }

    /// Answers requests until the input ends.
    func run() {
        var output = Output()
        while let operation = Input.byte(), let name = Input.block(), let body = Input.block() {
            let text = String(decoding: name, as: UTF8.self)
            let (status, answer) = self.answer(operation, text, body)
            output.write(status.rawValue, answer)
            if !Input.hasMore { output.flush() }
        }
        output.flush()
    }

    private func answer(_ operation: UInt8, _ name: String, _ body: [UInt8]) -> (Status, [UInt8]) {
        guard let schema = self.messages[name] else { return (.noSuchMessage, []) }
        switch Operation(rawValue: operation) {
        case .recode:
            return self.decode(body[...], schema) { storage in
                storage.withSerializedBytes(schema) { [UInt8]($0) }
            }
        case .generate:
            guard let seed = Self.seed(body) else { break }
            let instance = InstanceGenerator.instance(of: schema, seed: seed)
            return (.done, instance.withSerializedBytes(schema) { [UInt8]($0) })
        case .compare:
            guard let seed = Self.seed(body) else { break }
            let instance = InstanceGenerator.instance(of: schema, seed: seed)
            return self.decode(body[8...], schema) { storage in
                [MessageTree.areEqual(schema.table, storage, instance) ? 1 : 0]
            }
        case .toJSON:
            return self.decode(body[...], schema) { storage in
                try storage.json(schema, typeMeta: nil, types: self.types)
            }
        case .fromJSON:
            do throws(JSONError) {
                return (.done, try self.binary(json: body, schema))
            } catch {
                return (.undecodable, Array("\(error)".utf8))
            }
        case nil: break
        }
        return (.failed, Array("malformed request".utf8))
    }

    private func decode(
        _ body: ArraySlice<UInt8>,
        _ schema: MessageSchema,
        _ use: (MessageStorage) throws -> [UInt8]
    ) -> (Status, [UInt8]) {
        body.withUnsafeBytes { bytes in
            do {
                let storage = try MessageStorage(
                    decoding: schema,
                    from: bytes,
                    limits: DecodingLimits()
                )
                return (.done, try use(storage))
            } catch {
                return (.undecodable, Array("\(error)".utf8))
            }
        }
    }

    private func binary(
        json text: [UInt8],
        _ schema: MessageSchema
    ) throws(JSONError) -> [UInt8] {
        try text.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in
                try MessageStorage.decode(
                    json: bytes,
                    as: schema,
                    validation: .ignore,
                    limits: JSONLimits(),
                    types: self.types
                ).message.withSerializedBytes(schema) { [UInt8]($0) }
            }
        }.get()
    }

    private static func seed(_ body: [UInt8]) -> UInt64? {
        guard body.count >= 8 else { return nil }
        return body.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

// MARK: - Standard streams

/// Buffered standard input.
private enum Input {
    nonisolated(unsafe) private static var buffer = [UInt8](repeating: 0, count: 1 << 16)
    nonisolated(unsafe) private static var next = 0
    nonisolated(unsafe) private static var end = 0

    static var hasMore: Bool { self.next < self.end }

    static func byte() -> UInt8? {
        if self.next == self.end {
            self.next = 0
            self.end = Swift.max(read(0, &self.buffer, self.buffer.count), 0)
            if self.end == 0 { return nil }
        }
        defer { self.next += 1 }
        return self.buffer[self.next]
    }

    /// A length of four bytes and so many bytes.
    static func block() -> [UInt8]? {
        var length = 0
        for _ in 0..<4 {
            guard let byte = self.byte() else { return nil }
            length = length << 8 | Int(byte)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        for _ in 0..<length {
            guard let byte = self.byte() else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

/// Buffered standard output.
private struct Output {
    private var buffer: [UInt8] = []

    mutating func write(_ status: UInt8, _ body: [UInt8]) {
        self.buffer.append(status)
        for shift in [24, 16, 8, 0] {
            self.buffer.append(UInt8(truncatingIfNeeded: body.count >> shift))
        }
        self.buffer += body
        if self.buffer.count > 1 << 16 { self.flush() }
    }

    mutating func flush() {
        var sent = 0
        self.buffer.withUnsafeBytes { bytes in
            while sent < bytes.count, let start = bytes.baseAddress {
                let count = Glibc.write(1, start + sent, bytes.count - sent)
                if count <= 0 { exit(1) }
                sent += count
            }
        }
        self.buffer.removeAll(keepingCapacity: true)
    }
}
