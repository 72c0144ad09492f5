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
        let kind = Runtime.TypeMeta.with {
            $0.apiVersion = typeMeta.apiVersion
            $0.kind = typeMeta.kind
        }
        return kind.withSerializedBytes { head in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(raw.count + head.count + 24)
            bytes += self.prefix
            self.append(field: 1, head, to: &bytes)
            self.append(field: 2, raw, to: &bytes)
            bytes += [3 << 3 | 2, 0, 4 << 3 | 2, 0]
            return bytes
        }
    }

    private static func append(
        field number: UInt8,
        _ content: UnsafeRawBufferPointer,
        to bytes: inout [UInt8]
    ) {
        bytes.append(number << 3 | 2)
        var length = content.count
        while length > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes += content
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
