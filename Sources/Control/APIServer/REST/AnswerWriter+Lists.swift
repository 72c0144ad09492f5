// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import JSON
import KubernetesAPI
import MediaTypes
import NIOCore
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable
import WatchCache

extension AnswerWriter {
    /// How much of a list is put together before it is sent.
    private static let chunkBytes = 64 << 10

    /// Sends a list: built-in items carry no kind of their own.
    func send(_ result: ListResult) async throws(StatusError) {
        let metadata = MetaV1.ListMeta.with {
            $0.resourceVersion = "\(result.revision)"
            $0.`continue` = result.continueToken
            $0.remainingItemCount = result.remaining
        }
        switch self.representation.form {
        case .table:
            let table = try self.tabulator().table(
                result.objects.map { .cached($0) },
                metadata
            )
            await self.send(.ok, json: table, [])
        case .partialObjectMetadata:
            throw .notAcceptable(
                "you requested PartialObjectMetadata, but the requested object is a list "
                    + "(\(self.call.resource.listKind ?? ""))"
            )
        case .partialObjectMetadataList:
            var list = MetaV1.PartialObjectMetadataList()
            list.metadata = metadata
            for object in result.objects {
                list.items.append(try self.encoder.metadata(.cached(object)))
            }
            try await self.send(.ok, other: APIObject(list))
        case nil:
            if self.representation.mediaType == .protobuf {
                try await self.sendProtobuf(result, metadata)
            } else {
                try await self.sendJSON(result, metadata)
            }
        }
    }

    private var listTypeMeta: TypeMeta {
        TypeMeta(
            kind: self.call.resource.listKind ?? "\(self.call.resource.kind)List",
            apiVersion: self.call.resource.apiVersion
        )
    }

    // MARK: - Protobuf

    private func sendProtobuf(
        _ result: ListResult,
        _ metadata: MetaV1.ListMeta
    ) async throws(StatusError) {
        var total = 0
        let head = metadata.withSerializedBytes { bytes in
            var head = ProtobufText()
            head.field(1, bytes)
            return head.bytes
        }
        total += head.count
        let isHub = self.call.entry.version.isHub
        var converted: [Bytes] = []
        for object in result.objects {
            let count: Int
            if isHub {
                count = object.messageCount
            } else {
                let message = try self.encoder.message(.cached(object))
                converted.append(message)
                count = message.count
            }
            total += 1 + ProtobufText.varintCount(count) + count
        }
        let envelope = ProtobufText.envelope(self.listTypeMeta, rawCount: total)
        let length = envelope.count + total + ProtobufText.envelopeEnd.count
        let output = ListOutput(
            self.exchange,
            contentType: MediaType.protobuf.rawValue,
            expectedBytes: length,
            length: length
        )
        do {
            var buffer = ByteBuffer()
            buffer.reserveCapacity(min(length, Self.chunkBytes + 4096))
            buffer.writeBytes(envelope)
            buffer.writeBytes(head)
            for (index, object) in result.objects.enumerated() {
                if isHub {
                    ProtobufText.writeTag(2, object.messageCount, to: &buffer)
                    object.withMessage { _ = buffer.writeBytes($0) }
                } else {
                    ProtobufText.writeTag(2, converted[index].count, to: &buffer)
                    converted[index].withUnsafeBytes { _ = buffer.writeBytes($0) }
                }
                if buffer.readableBytes >= Self.chunkBytes {
                    try await output.write(buffer)
                    buffer = ByteBuffer()
                    buffer.reserveCapacity(Self.chunkBytes + 4096)
                }
            }
            buffer.writeBytes(ProtobufText.envelopeEnd)
            try await output.finish(buffer)
        } catch {
            // The client is gone.
        }
    }

    // MARK: - JSON

    private func sendJSON(
        _ result: ListResult,
        _ metadata: MetaV1.ListMeta
    ) async throws(StatusError) {
        let kind = self.listTypeMeta
        let metadataJSON: [UInt8]
        do {
            metadataJSON = try metadata.json()
        } catch {
            throw .internalError("\(error)")
        }
        var buffer = ByteBuffer()
        buffer.writeString(
            "{\"kind\":\"\(kind.kind)\",\"apiVersion\":\"\(kind.apiVersion)\",\"metadata\":"
        )
        buffer.writeBytes(metadataJSON)
        buffer.writeString(",\"items\":[")
        // What an object's JSON begins with and an item's does not.
        let resource = self.call.resource
        let prefix = "{\"kind\":\"\(resource.kind)\",\"apiVersion\":\"\(resource.apiVersion)\","
        let skipped = prefix.utf8.count
        let isStreamed =
            self.representation.mediaType == .json && !self.representation.isPretty
        if isStreamed {
            try await self.stream(result, &buffer, skipping: skipped)
            return
        }
        for (index, object) in result.objects.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            try self.writeItem(object, skipping: skipped, to: &buffer)
        }
        buffer.writeString("]}")
        let json = buffer.withUnsafeReadableBytes { Bytes(copying: $0) }
        await self.send(.ok, json: json, [])
    }

    private func writeItem(
        _ object: CachedObject,
        skipping skipped: Int,
        to buffer: inout ByteBuffer
    ) throws(StatusError) {
        let json = try self.encoder.json(.cached(object))
        buffer.writeInteger(UInt8(ascii: "{"))
        json.withUnsafeBytes { bytes in
            _ = buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[skipped...]))
        }
    }

    private func stream(
        _ result: ListResult,
        _ buffer: inout ByteBuffer,
        skipping skipped: Int
    ) async throws(StatusError) {
        // JSON is about twice as long.
        let expected = result.objects.reduce(0) { $0 + $1.messageCount } * 2
        let output = ListOutput(
            self.exchange,
            contentType: MediaType.json.rawValue,
            expectedBytes: expected,
            length: nil
        )
        do {
            for (index, object) in result.objects.enumerated() {
                if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
                try self.writeItem(object, skipping: skipped, to: &buffer)
                if buffer.readableBytes >= Self.chunkBytes {
                    try await output.write(buffer)
                    buffer = ByteBuffer()
                    buffer.reserveCapacity(Self.chunkBytes + 8192)
                }
            }
            buffer.writeString("]}\n")
            try await output.finish(buffer)
        } catch let error as StatusError {
            if !output.hasBegun { throw error }
        } catch {
            // The client is gone.
        }
    }
}

/// The body of a list on its way out, compressed when it is long and the client takes that. Used by
/// one task.
private final class ListOutput {
    private let exchange: RESTExchange
    private let gzip: GzipStream?
    private let contentType: String
    private let length: Int?
    private(set) var hasBegun = false

    /// - Parameter length: the exact size of what is written, when that is known.
    init(_ exchange: RESTExchange, contentType: String, expectedBytes: Int, length: Int?) {
        self.exchange = exchange
        self.contentType = contentType
        self.gzip = exchange.gzip(byteCount: expectedBytes)
        self.length = self.gzip == nil ? length : nil
    }

    private func head() -> HTTPResponseHead {
        var head = self.exchange.head(.ok, contentType: self.contentType)
        if self.gzip != nil {
            head.fields.append(.contentEncoding, "gzip")
            head.fields.append(.vary, "Accept-Encoding")
        }
        return head
    }

    func write(_ buffer: ByteBuffer) async throws {
        if !self.hasBegun {
            self.hasBegun = true
            var head = self.head()
            if let length = self.length { head.fields.append(.contentLength, "\(length)") }
            try await self.exchange.response.send(head)
        }
        let piece = self.gzip?.compress(buffer, isLast: false) ?? buffer
        if piece.readableBytes > 0 { try await self.exchange.response.write(piece) }
    }

    func finish(_ buffer: ByteBuffer) async throws {
        let piece = self.gzip?.compress(buffer, isLast: true) ?? buffer
        if self.hasBegun {
            try await self.exchange.response.write(piece)
            return try await self.exchange.response.finish()
        }
        var head = self.head()
        head.fields.append(.contentLength, "\(piece.readableBytes)")
        try await self.exchange.response.send(head, body: piece)
    }
}

/// Pieces of protobuf that are written around bytes that exist already.
struct ProtobufText {
    private(set) var bytes: [UInt8] = []

    /// What stands behind the object in an envelope.
    static let envelopeEnd: [UInt8] = [3 << 3 | 2, 0, 4 << 3 | 2, 0]

    static func varintCount(_ value: Int) -> Int {
        var count = 1
        var rest = value
        while rest > 0x7F {
            count += 1
            rest >>= 7
        }
        return count
    }

    private mutating func varint(_ value: Int) {
        var rest = value
        while rest > 0x7F {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(rest))
    }

    mutating func field(_ number: UInt8, _ content: UnsafeRawBufferPointer) {
        self.tag(number, content.count)
        self.bytes += content
    }

    mutating func tag(_ number: UInt8, _ count: Int) {
        self.bytes.append(number << 3 | 2)
        self.varint(count)
    }

    /// What stands before the object in an envelope.
    static func envelope(_ typeMeta: TypeMeta, rawCount: Int) -> [UInt8] {
        let kind = Runtime.TypeMeta.with {
            $0.apiVersion = typeMeta.apiVersion
            $0.kind = typeMeta.kind
        }
        var text = ProtobufText()
        text.bytes = Envelope.prefix
        kind.withSerializedBytes { text.field(1, $0) }
        text.tag(2, rawCount)
        return text.bytes
    }

    /// Writes the start of a length-delimited field.
    static func writeTag(_ number: UInt8, _ count: Int, to buffer: inout ByteBuffer) {
        buffer.writeInteger(number << 3 | 2)
        var rest = count
        while rest > 0x7F {
            buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.writeInteger(UInt8(rest))
    }
}
