// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import MediaTypes
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

    /// The bytes of an event; made once for all watches that want this form.
    func frame(_ item: Watcher.Item) throws(StatusError) -> Bytes {
        guard let event = item.event else { return try self.make(item) }
        let key = CacheEvent.FrameKey(kind: item.kind, format: self.format)
        return try event.frame(key) { () throws(StatusError) in try self.make(item) }
    }

    private func make(_ item: Watcher.Item) throws(StatusError) -> Bytes {
        let name = Self.name(item.kind)
        let answer = Answer.cached(item.object)
        if self.isMetadataOnly {
            return try self.frame(name, APIObject(try self.encoder.metadata(answer)))
        }
        if self.isProtobuf {
            let message = try self.encoder.message(answer)
            let typeMeta = TypeMeta(self.encoder.entry.resource.schema)
            let object = message.withUnsafeBytes { Envelope.seal(raw: $0, typeMeta) }
            return Self.protobuf(name, object)
        }
        return Self.json(name, try self.encoder.json(answer))
    }

    /// The bytes of an event about any object: bookmarks, failures.
    func frame(_ name: String, _ object: APIObject) throws(StatusError) -> Bytes {
        self.isProtobuf
            ? Self.protobuf(name, object.sealed())
            : Self.json(name, Bytes(try ObjectEncoder.json(object)))
    }

    /// `{"type":"ADDED","object":{...}}` and a line end.
    static func json(_ name: String, _ object: Bytes) -> Bytes {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(object.count + 40)
        bytes += Array("{\"type\":\"".utf8)
        bytes += Array(name.utf8)
        bytes += Array("\",\"object\":".utf8)
        bytes += object
        bytes += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        return Bytes(bytes)
    }

    /// The length in four bytes, then a bare WatchEvent around the enveloped object.
    private static func protobuf(_ name: String, _ object: [UInt8]) -> Bytes {
        var text = ProtobufText()
        let raw = 1 + ProtobufText.varintCount(object.count) + object.count
        Array(name.utf8).withUnsafeBytes { text.field(1, $0) }
        text.tag(2, raw)
        object.withUnsafeBytes { text.field(1, $0) }
        let count = UInt32(text.bytes.count)
        return Bytes(
            [
                UInt8(truncatingIfNeeded: count >> 24), UInt8(truncatingIfNeeded: count >> 16),
                UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count),
            ] + text.bytes
        )
    }

    /// How far a watch has come: an object of the kind with nothing but a resource version.
    func bookmark(_ revision: Int64, endsInitialEvents: Bool) throws(StatusError) -> Bytes {
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
