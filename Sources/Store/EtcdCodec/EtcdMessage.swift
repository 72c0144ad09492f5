// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes
package import KeyValueStore
package import RPCInterface

/// A message of etcd's API that is written and read without an intermediate form.
///
/// The messages of reads, writes and watches are translated directly between the store's values and
/// the wire, because they are what a store spends its time on. All others go through the generated
/// types.
///
/// Source: etcd 3.6 `api/etcdserverpb/rpc.proto`; ours is `proto/etcd/etcdserverpb`.
package protocol EtcdMessage: RPCMessage {
    /// The size of the encoding in bytes.
    var wireByteCount: Int { get }

    /// Writes the encoding, exactly `wireByteCount` bytes.
    func write(to output: inout WireOutput)

    /// Reads a message. The bytes stay alive with what is read.
    init(parsing fields: inout WireFields) throws
}

extension EtcdMessage {
    package init(rpcBytes bytes: UnsafeRawBufferPointer) throws {
        // One copy for the whole message; keys and values are parts of it.
        try self.init(encoded: Bytes(copying: bytes))
    }

    /// Reads a message that is all of `encoded`.
    package init(encoded: Bytes) throws {
        var fields = WireFields(encoded)
        try self.init(parsing: &fields)
        try fields.checkEnd()
    }

    package func encodeRPC(to sink: inout RPCByteSink) throws {
        sink.append(byteCount: self.wireByteCount) { buffer in
            guard let base = buffer.baseAddress else { return }
            var output = WireOutput(base)
            self.write(to: &output)
        }
    }
}

/// A message that is not what its type says.
package enum MalformedMessage: Error, Hashable, Sendable {
    /// A field is cut off or of the wrong type.
    case field
    /// Transactions are nested deeper than any limit allows.
    case depth
}

/// Where an encoding goes.
package struct WireOutput {
    package private(set) var at: UnsafeMutableRawPointer

    package init(_ start: UnsafeMutableRawPointer) {
        self.at = start
    }

    package mutating func varint(_ number: UInt64) {
        self.at = Wire.writeVarint(self.at, number)
    }

    /// An integer field, left out if it is 0.
    package mutating func int(_ tag: UInt8, _ value: Int64) {
        self.at = Wire.writeInt(self.at, tag: tag, value)
    }

    /// A field of bytes, left out if it is empty.
    package mutating func bytes(_ tag: UInt8, _ value: Bytes) {
        value.withUnsafeBytes { self.at = Wire.writeBytes(self.at, tag: tag, $0) }
    }

    /// A field of text, left out if it is empty.
    package mutating func text(_ tag: UInt8, _ value: String) {
        self.bytes(tag, Bytes(utf8: value))
    }

    /// A flag, left out if it is false.
    package mutating func flag(_ tag: UInt8, _ value: Bool) {
        self.int(tag, value ? 1 : 0)
    }

    /// A field that is a message, empty or not.
    package mutating func message(_ tag: UInt8, _ value: some EtcdMessage) {
        self.begin(tag, value.wireByteCount)
        value.write(to: &self)
    }

    /// A field that is a key.
    package mutating func keyValue(_ tag: UInt8, _ value: KeyValue) {
        self.begin(tag, value.encodedByteCount)
        self.at = value.encode(to: self.at)
    }

    /// Tag and length of a field whose `count` bytes follow.
    package mutating func begin(_ tag: UInt8, _ count: Int) {
        self.at.storeBytes(of: tag, as: UInt8.self)
        self.at = Wire.writeVarint(self.at + 1, UInt64(count))
    }

    /// Bytes that are encoded already.
    package mutating func raw(_ value: Bytes) {
        value.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress, bytes.count > 0 else { return }
            self.at.copyMemory(from: source, byteCount: bytes.count)
            self.at += bytes.count
        }
    }
}

/// Sizes of fields.
package enum WireSize {
    package static func message(_ count: Int) -> Int {
        1 + Wire.varintCount(UInt64(count)) + count
    }

    package static func flag(_ value: Bool) -> Int { value ? 2 : 0 }
}

/// The fields of a message that is being read.
package struct WireFields {
    /// The message.
    private let bytes: Bytes
    private var position = 0
    private var isMalformed = false
    /// How deep transactions are nested here.
    package var depth = 0

    package init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    /// The next tag; nil at the end of the message.
    package mutating func next() -> UInt64? {
        if self.position == self.bytes.count || self.isMalformed { return nil }
        return self.read { $0.varint() }
    }

    /// Throws if the reading ended before the message did.
    package func checkEnd() throws(MalformedMessage) {
        if self.isMalformed || self.position != self.bytes.count { throw .field }
    }

    private mutating func read<T>(_ body: (inout FieldReader) -> T?) -> T? {
        let position = self.position
        let (value, rest) = self.bytes.withUnsafeBytes { bytes in
            var reader = FieldReader(UnsafeRawBufferPointer(rebasing: bytes[position...]))
            let value = body(&reader)
            return (value, reader.remaining)
        }
        if value == nil { self.isMalformed = true }
        self.position = self.bytes.count - rest
        return value
    }

    package mutating func int() throws(MalformedMessage) -> Int64 {
        guard let number = self.read({ $0.varint() }) else { throw .field }
        return Int64(bitPattern: number)
    }

    package mutating func flag() throws(MalformedMessage) -> Bool {
        try self.int() != 0
    }

    /// A field of bytes, sharing the message's memory.
    package mutating func data() throws(MalformedMessage) -> Bytes {
        guard let count = self.read({ $0.lengthDelimited()?.count }) else { throw .field }
        return self.bytes.slice((self.position - count)..<self.position)
    }

    package mutating func text() throws(MalformedMessage) -> String {
        String(decoding: try self.data(), as: UTF8.self)
    }

    /// A field that is a message.
    package mutating func message<T: EtcdMessage>(_ type: T.Type) throws -> T {
        var fields = WireFields(try self.data())
        fields.depth = self.depth
        let message = try T(parsing: &fields)
        try fields.checkEnd()
        return message
    }

    /// A field that is a key.
    package mutating func keyValue() throws(MalformedMessage) -> KeyValue {
        guard let kv = KeyValue(encoded: try self.data()) else { throw .field }
        return kv
    }

    /// Steps over a field that is not known.
    package mutating func skip(_ tag: UInt64) throws(MalformedMessage) {
        guard self.read({ $0.skip(tag) ? true : nil }) != nil else { throw .field }
    }
}
