// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes
public import JSON
public import Protobuf

/// The envelope around every object in protobuf, on the wire and in etcd.
///
/// ```
/// ┌─────────────┬────────────────────────────────────────────────────────────┐
/// │ 6b 38 73 00 │ runtime.Unknown: typeMeta = 1, raw = 2, contentEncoding = 3,│
/// │ "k8s" NUL   │ contentType = 4; always all four, in this order            │
/// └─────────────┴────────────────────────────────────────────────────────────┘
/// ```
///
/// `raw` is the message of the kind. Source: apimachinery `pkg/runtime/serializer/protobuf`.
public enum Envelope {
    /// What an enveloped object begins with.
    public static let prefix: [UInt8] = [0x6B, 0x38, 0x73, 0x00]

    /// Why bytes are not an enveloped object.
    public enum Failure: Error, Equatable, Sendable {
        /// No bytes at all.
        case empty
        /// The first bytes are not `prefix`.
        case missingPrefix
        /// What follows is not a `runtime.Unknown`.
        case malformed(DecodingError)
        /// The object is encoded in a way that this envelope does not carry.
        case unsupportedEncoding(String)
    }

    /// An opened envelope.
    public struct Content: Sendable {
        /// Empty where the sender left it out: the path of a request says it too.
        public var typeMeta: TypeMeta
        /// The message, or whatever `contentType` says.
        public var raw: Bytes
        /// Empty for protobuf.
        public var contentType: String
    }

    /// Whether bytes begin as an envelope does.
    public static func isPresent(in bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: self.prefix)
    }

    /// The enveloped form of a message of a kind.
    public static func seal<M: Message>(_ message: M) -> [UInt8] {
        message.withSerializedBytes { self.seal(raw: $0, TypeMeta(M.schema)) }
    }

    /// The enveloped form of an object whose message is encoded already.
    public static func seal(raw: UnsafeRawBufferPointer, _ typeMeta: TypeMeta) -> [UInt8] {
        let version = typeMeta.apiVersion.utf8
        let kind = typeMeta.kind.utf8
        let head = self.fieldBytes(version.count) + self.fieldBytes(kind.count)
        let total = self.prefix.count + self.fieldBytes(head) + self.fieldBytes(raw.count) + 4
        return [UInt8](unsafeUninitializedCapacity: total) { target, count in
            var writer = Writer(UnsafeMutableRawBufferPointer(target))
            writer.append(self.prefix)
            writer.begin(1, head)
            writer.begin(1, version.count)
            writer.append(version)
            writer.begin(2, kind.count)
            writer.append(kind)
            writer.begin(2, raw.count)
            writer.append(raw)
            writer.begin(3, 0)
            writer.begin(4, 0)
            count = writer.count
        }
    }

    /// The bytes of a field with so many bytes of content.
    private static func fieldBytes(_ count: Int) -> Int {
        var bytes = 2 + count
        var rest = count >> 7
        while rest > 0 {
            bytes += 1
            rest >>= 7
        }
        return bytes
    }

    /// Writes fields to memory that has room for them.
    private struct Writer {
        let target: UnsafeMutableRawBufferPointer
        var count = 0

        init(_ target: UnsafeMutableRawBufferPointer) {
            self.target = target
        }

        mutating func append(_ bytes: some Collection<UInt8>) {
            let rest = UnsafeMutableRawBufferPointer(rebasing: self.target[self.count...])
            rest.copyBytes(from: bytes)
            self.count += bytes.count
        }

        /// The tag and the length of a field.
        mutating func begin(_ number: UInt8, _ length: Int) {
            self.target[self.count] = number << 3 | 2
            self.count += 1
            var rest = length
            while rest > 0x7F {
                self.target[self.count] = UInt8(truncatingIfNeeded: rest) | 0x80
                self.count += 1
                rest >>= 7
            }
            self.target[self.count] = UInt8(rest)
            self.count += 1
        }
    }

    /// Opens an envelope. Unknown fields behind the four are skipped.
    public static func open(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Content {
        if bytes.isEmpty { throw .empty }
        guard self.isPresent(in: bytes) else { throw .missingPrefix }
        let unknown: Runtime.Unknown
        do throws(DecodingError) {
            unknown = try Runtime.Unknown(
                serialized: UnsafeRawBufferPointer(rebasing: bytes[self.prefix.count...])
            )
        } catch {
            throw .malformed(error)
        }
        guard unknown.contentEncoding.isEmpty else {
            throw .unsupportedEncoding(unknown.contentEncoding)
        }
        return Content(
            typeMeta: TypeMeta(
                kind: unknown.typeMeta.kind,
                apiVersion: unknown.typeMeta.apiVersion
            ),
            raw: unknown.raw ?? Bytes(),
            contentType: unknown.contentType
        )
    }

    /// Opens an envelope, whose bytes the content shares.
    public static func open(_ bytes: Bytes) throws(Failure) -> Content {
        let plain = bytes.withUnsafeBytes { buffer -> Content? in
            guard let parts = Parts(buffer) else { return nil }
            return Content(
                typeMeta: parts.typeMeta(in: buffer),
                raw: bytes.slice(parts.raw),
                contentType: ""
            )
        }
        if let plain { return plain }
        return try bytes.withUnsafeBytes { (buffer) throws(Failure) in try self.open(buffer) }
    }

    /// The message in an envelope, whose bytes it shares; nil when it is none.
    public static func raw(in bytes: Bytes) -> Bytes? {
        if let parts = bytes.withUnsafeBytes({ Parts($0) }) { return bytes.slice(parts.raw) }
        return bytes.withUnsafeBytes { try? self.open($0) }?.raw
    }

    /// Where the fields of an envelope are that is as everybody writes it: all four, in order, names
    /// in ASCII, the last two empty. What is otherwise is decoded as the message that it is.
    private struct Parts {
        let apiVersion: Range<Int>
        let kind: Range<Int>
        let raw: Range<Int>

        init?(_ bytes: UnsafeRawBufferPointer) {
            var position = Envelope.prefix.count
            guard Envelope.isPresent(in: bytes),
                let head = Self.field(1, in: bytes, &position)
            else { return nil }
            var inside = head.lowerBound
            let start = UnsafeRawBufferPointer(rebasing: bytes[..<head.upperBound])
            guard let apiVersion = Self.field(1, in: start, &inside),
                let kind = Self.field(2, in: start, &inside), inside == start.count,
                let raw = Self.field(2, in: bytes, &position),
                let encoding = Self.field(3, in: bytes, &position), encoding.isEmpty,
                let contentType = Self.field(4, in: bytes, &position), contentType.isEmpty,
                position == bytes.count, head.allSatisfy({ bytes[$0] < 0x80 })
            else { return nil }
            self.apiVersion = apiVersion
            self.kind = kind
            self.raw = raw
        }

        /// The content of the field that comes next, when it is the one with this number.
        private static func field(
            _ number: UInt8,
            in bytes: UnsafeRawBufferPointer,
            _ position: inout Int
        ) -> Range<Int>? {
            guard position < bytes.count, bytes[position] == number << 3 | 2 else { return nil }
            position += 1
            var count = 0
            var shift = 0
            while position < bytes.count, shift < 35 {
                let byte = bytes[position]
                position += 1
                count |= Int(byte & 0x7F) << shift
                shift += 7
                guard byte < 0x80 else { continue }
                guard count <= bytes.count - position else { return nil }
                defer { position += count }
                return position..<(position + count)
            }
            return nil
        }

        func typeMeta(in bytes: UnsafeRawBufferPointer) -> TypeMeta {
            func text(_ range: Range<Int>) -> String {
                String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
            }
            return TypeMeta(kind: text(self.kind), apiVersion: text(self.apiVersion))
        }
    }

    /// Opens an envelope.
    public static func open(_ bytes: [UInt8]) throws(Failure) -> Content {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(Failure) in try self.open(buffer) }
        }
        return try result.get()
    }
}

extension Envelope.Failure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "empty data"
        case .missingPrefix: "provided data does not appear to be a protobuf message"
        case .malformed(let error): "\(error)"
        case .unsupportedEncoding(let name): "unsupported content encoding \"\(name)\""
        }
    }
}
