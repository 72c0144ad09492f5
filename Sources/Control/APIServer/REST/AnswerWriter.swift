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
            .builtin
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
            let version = try self.encoder.object(answer).metadata.resourceVersion
            let table = try self.tabulator().table(
                [answer],
                MetaV1.ListMeta.with { $0.resourceVersion = version }
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
                let typeMeta = self.call.entry.typeMeta
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

    func tabulator() throws(StatusError) -> Tabulator {
        try Tabulator(
            self.call,
            self.encoder,
            self.exchange.target.query,
            version: self.representation.formVersion
        )
    }

    /// Sends an object of another kind, such as a Status or a Scale.
    func send(
        _ status: HTTPStatus,
        other object: APIObject,
        warnings: [String] = []
    ) async throws(StatusError) {
        try await self.plain.send(status, object, warnings: warnings)
    }

    private func sendMetadata(
        _ status: HTTPStatus,
        _ metadata: MetaV1.PartialObjectMetadata,
        _ warnings: [String]
    ) async throws(StatusError) {
        try await self.send(status, other: APIObject(metadata), warnings: warnings)
    }

    // MARK: - Bytes

    private var plain: PlainWriter { PlainWriter(self.exchange, self.representation) }

    func send(_ status: HTTPStatus, protobuf bytes: [UInt8], _ warnings: [String]) async {
        await self.plain.send(status, protobuf: bytes, warnings)
    }

    func send(_ status: HTTPStatus, json: Bytes, _ warnings: [String]) async {
        await self.plain.send(status, json: json, warnings)
    }
}
