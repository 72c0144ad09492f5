// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Protobuf
import Scalars

/// What a walk in the shape of JSON produces: text or a tree.
///
/// The calls come in the order of the text: in an object, `key` before each value.
protocol JSONOutput: ~Copyable {
    mutating func beginObject()
    mutating func endObject()
    mutating func beginList()
    mutating func endList()
    /// A key of a schema; it and its bytes live for ever.
    mutating func key(_ key: UnsafePointer<JSONKey>)
    mutating func key(_ text: UnsafeRawBufferPointer)
    mutating func string(_ text: UnsafeRawBufferPointer)
    mutating func integer(_ value: Int64)
    mutating func unsigned(_ value: UInt64)
    /// A finite number.
    mutating func double(_ value: Double)
    mutating func bool(_ value: Bool)
    mutating func null()
    mutating func base64(_ bytes: UnsafeRawBufferPointer)
    mutating func time(_ time: Timestamp, as layout: Timestamp.Layout)
    /// A whole value that is JSON text already.
    mutating func json(_ text: UnsafeRawBufferPointer) throws(JSONError)
}

extension JSONOutput where Self: ~Copyable {
    mutating func key(copying text: String) {
        var text = text
        text.withUTF8 { self.key(UnsafeRawBufferPointer($0)) }
    }

    mutating func string(copying text: String) {
        var text = text
        text.withUTF8 { self.string(UnsafeRawBufferPointer($0)) }
    }
}

/// Output as compact text.
///
/// Every value is followed by a comma; the end of an object or list overwrites the last one.
struct JSONTextOutput: JSONOutput, ~Copyable {
    private var writer: JSONWriter

    init(_ writer: consuming JSONWriter) {
        self.writer = writer
    }

    /// The text of the one value that was written.
    var bytes: [UInt8] {
        self.writer.firstBytes(Swift.max(self.writer.count - 1, 0))
    }

    @inline(__always)
    mutating func beginObject() {
        self.writer.append(UInt8(ascii: "{"))
    }

    @inline(__always)
    mutating func endObject() {
        self.end(UInt8(ascii: "}"))
    }

    @inline(__always)
    mutating func beginList() {
        self.writer.append(UInt8(ascii: "["))
    }

    @inline(__always)
    mutating func endList() {
        self.end(UInt8(ascii: "]"))
    }

    @inline(__always)
    private mutating func end(_ close: UInt8) {
        if self.writer.last == UInt8(ascii: ",") {
            self.writer.replaceLast(with: close)
        } else {
            self.writer.append(close)
        }
        self.writer.append(UInt8(ascii: ","))
    }

    @inline(__always)
    mutating func key(_ key: UnsafePointer<JSONKey>) {
        self.writer.append(key.pointee.prefix.start, count: key.pointee.prefix.count)
    }

    mutating func key(_ text: UnsafeRawBufferPointer) {
        self.writer.append(string: text)
        self.writer.append(UInt8(ascii: ":"))
    }

    @inline(__always)
    mutating func string(_ text: UnsafeRawBufferPointer) {
        self.writer.append(string: text)
        self.writer.append(UInt8(ascii: ","))
    }

    mutating func integer(_ value: Int64) {
        self.writer.append(value)
        self.writer.append(UInt8(ascii: ","))
    }

    mutating func unsigned(_ value: UInt64) {
        self.writer.append(value)
        self.writer.append(UInt8(ascii: ","))
    }

    mutating func double(_ value: Double) {
        self.writer.append(value)
        self.writer.append(UInt8(ascii: ","))
    }

    mutating func bool(_ value: Bool) {
        self.writer.append(raw: value ? "true," : "false,")
    }

    mutating func null() {
        self.writer.append(raw: "null,")
    }

    mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        self.writer.append(UInt8(ascii: "\""))
        self.writer.appendUninitialized(Base64.encodedCount(bytes.count)) {
            Base64.encode(bytes, to: $0)
        }
        self.writer.append(raw: "\",")
    }

    mutating func time(_ time: Timestamp, as layout: Timestamp.Layout) {
        self.writer.append(UInt8(ascii: "\""))
        time.write(to: &self.writer, as: layout)
        self.writer.append(raw: "\",")
    }

    mutating func json(_ text: UnsafeRawBufferPointer) throws(JSONError) {
        try self.writer.append(compacting: text)
        self.writer.append(UInt8(ascii: ","))
    }
}
