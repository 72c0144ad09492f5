// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import MediaTypes
import NIOCore
import ObjectModel
import Protobuf
import Registry
import ResourceTable
import WatchCache

/// The events of a watch in one of the forms that clients can ask for.
struct WatchFrames: Sendable {
    let encoder: ObjectEncoder
    let isProtobuf: Bool
    let isMetadataOnly: Bool
    /// Numbers the form among those of the resource.
    private let format: Int

    init(_ encoder: ObjectEncoder, isProtobuf: Bool, isMetadataOnly: Bool) {
        self.encoder = encoder
        self.isProtobuf = isProtobuf
        self.isMetadataOnly = isMetadataOnly
        self.format =
            (isProtobuf ? 1 : 0) + (isMetadataOnly ? 2 : 0)
            + (encoder.entry.version.isHub ? 0 : 4)
    }

    static func name(_ kind: CacheEvent.Kind) -> String {
        switch kind {
        case .added: "ADDED"
        case .modified: "MODIFIED"
        case .deleted: "DELETED"
        }
    }

    /// The bytes of an event, which all watches share that want this form.
    private final class Shared: Sendable {
        let buffer: ByteBuffer

        init(_ buffer: ByteBuffer) {
            self.buffer = buffer
        }
    }

    /// The bytes of an event; made once for all watches that want this form.
    func frame(_ item: Watcher.Item) throws(StatusError) -> ByteBuffer {
        guard let event = item.event else { return try self.make(item) }
        let key = CacheEvent.FrameKey(kind: item.kind, format: self.format)
        return try event.frame(key) { () throws(StatusError) in
            Shared(try self.make(item))
        }.buffer
    }

    private func make(_ item: Watcher.Item) throws(StatusError) -> ByteBuffer {
        let name = Self.name(item.kind)
        let answer = Answer.cached(item.object)
        if self.isMetadataOnly {
            return try self.frame(name, APIObject(try self.encoder.metadata(answer)))
        }
        if self.isProtobuf {
            let message = try self.encoder.message(answer)
            let typeMeta = self.encoder.entry.typeMeta
            let object = message.withUnsafeBytes { Envelope.seal(raw: $0, typeMeta) }
            return Self.protobuf(name, object)
        }
        return Self.json(name, try self.encoder.json(answer))
    }

    /// The bytes of an event about any object: bookmarks, failures.
    func frame(_ name: String, _ object: APIObject) throws(StatusError) -> ByteBuffer {
        self.isProtobuf
            ? Self.protobuf(name, object.sealed())
            : Self.json(name, Bytes(try ObjectEncoder.json(object)))
    }

    /// `{"type":"ADDED","object":{...}}` and a line end.
    static func json(_ name: String, _ object: Bytes) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(object.count + 40)
        buffer.writeString("{\"type\":\"")
        buffer.writeString(name)
        buffer.writeString("\",\"object\":")
        object.withUnsafeBytes { _ = buffer.writeBytes($0) }
        buffer.writeString("}\n")
        return buffer
    }

    /// The length in four bytes, then a bare WatchEvent around the enveloped object.
    private static func protobuf(_ name: String, _ object: [UInt8]) -> ByteBuffer {
        var text = ProtobufText()
        let raw = 1 + ProtobufText.varintCount(object.count) + object.count
        Array(name.utf8).withUnsafeBytes { text.field(1, $0) }
        text.tag(2, raw)
        object.withUnsafeBytes { text.field(1, $0) }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(4 + text.bytes.count)
        buffer.writeInteger(UInt32(text.bytes.count))
        buffer.writeBytes(text.bytes)
        return buffer
    }

    /// How far a watch has come: an object of the kind with nothing but a resource version.
    func bookmark(_ revision: Int64, endsInitialEvents: Bool) throws(StatusError) -> ByteBuffer {
        var object =
            self.isMetadataOnly
            ? APIObject(MetaV1.PartialObjectMetadata())
            : APIObject.empty(self.encoder.entry.resource.schema)
        object.metadata.resourceVersion = "\(revision)"
        if endsInitialEvents {
            object.metadata.annotations["k8s.io/initial-events-end"] = "true"
        }
        return try self.frame("BOOKMARK", object)
    }
}

extension APIObject {
    /// The empty object of a type.
    static func empty(_ schema: MessageSchema) -> APIObject {
        APIObject(MessageStorage(), schema)
    }
}
