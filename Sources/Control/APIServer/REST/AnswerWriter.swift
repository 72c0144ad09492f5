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
import YAML

/// Writes objects and lists in the form that the client has asked for.
struct AnswerWriter: Sendable {
    let exchange: RESTExchange
    let call: ResourceCall
    let representation: Representation
    let encoder: ObjectEncoder

    init(
        _ exchange: RESTExchange,
        _ call: ResourceCall,
        isList: Bool = false
    ) throws(StatusError) {
        self.exchange = exchange
        self.call = call
        self.encoder = ObjectEncoder(entry: call.entry)
        self.representation = try exchange.representation(
            AcceptNegotiation(targets: .objects(hasTable: Tabulator.isAvailable))
        )
    }

    // MARK: - Objects

    /// Sends an object of the resource.
    func send(
        _ status: HTTPStatus,
        _ answer: Answer,
        warnings: [String] = []
    ) async throws(StatusError) {
        switch self.representation.form {
        case .table:
            let table = try Tabulator.table(
                self.call,
                [answer],
                self.encoder,
                self.exchange.target.query,
                version: self.representation.formVersion,
                list: nil
            )
            await self.send(status, json: table, warnings)
        case .partialObjectMetadata:
            try await self.sendMetadata(status, try self.encoder.metadata(answer), warnings)
        case .partialObjectMetadataList:
            throw .notAcceptable(
                "you requested PartialObjectMetadataList, but the requested object is not a list"
            )
        case nil:
            if self.representation.mediaType == .protobuf {
                let message = try self.encoder.message(answer)
                let typeMeta = TypeMeta(self.call.resource.schema)
                await self.send(
                    status,
                    protobuf: message.withUnsafeBytes { Envelope.seal(raw: $0, typeMeta) },
                    warnings
                )
            } else {
                await self.send(status, json: try self.encoder.json(answer), warnings)
            }
        }
    }

    /// Sends an object of another kind, such as a Status or a Scale.
    func send(
        _ status: HTTPStatus,
        other object: APIObject,
        warnings: [String] = []
    ) async throws(StatusError) {
        if self.representation.mediaType == .protobuf {
            await self.send(status, protobuf: object.sealed(), warnings)
        } else {
            await self.send(status, json: Bytes(try ObjectEncoder.json(object)), warnings)
        }
    }

    private func sendMetadata(
        _ status: HTTPStatus,
        _ metadata: MetaV1.PartialObjectMetadata,
        _ warnings: [String]
    ) async throws(StatusError) {
        try await self.send(status, other: APIObject(metadata), warnings: warnings)
    }

    // MARK: - Bytes

    func send(_ status: HTTPStatus, protobuf bytes: [UInt8], _ warnings: [String]) async {
        await self.exchange.send(
            status,
            contentType: MediaType.protobuf.rawValue,
            ByteBuffer(bytes: bytes),
            warnings: warnings
        )
    }

    /// Sends JSON, or what becomes of it in YAML.
    func send(_ status: HTTPStatus, json: Bytes, _ warnings: [String]) async {
        if self.representation.mediaType == .yaml {
            let text = (try? YAML.text(fromJSON: [UInt8](json), limits: Self.yamlLimits)) ?? []
            await self.exchange.send(
                status,
                contentType: MediaType.yaml.rawValue,
                ByteBuffer(bytes: text),
                warnings: warnings
            )
            return
        }
        var buffer: ByteBuffer
        if self.representation.isPretty {
            buffer = ByteBuffer(bytes: JSONIndenter.indent(json))
        } else {
            buffer = ByteBuffer()
            buffer.reserveCapacity(json.count + 1)
            json.withUnsafeBytes { _ = buffer.writeBytes($0) }
            buffer.writeInteger(UInt8(ascii: "\n"))
        }
        await self.exchange.send(
            status,
            contentType: MediaType.json.rawValue,
            buffer,
            warnings: warnings
        )
    }

    /// What we write ourselves may be larger than what we read.
    private static let yamlLimits: YAML.Limits = {
        var limits = YAML.Limits()
        limits.bytes = 256 << 20
        limits.outputBytes = 512 << 20
        limits.nodes = 100_000_000
        return limits
    }()
}
