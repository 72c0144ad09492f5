// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import HTTP
import KubernetesAPI
import MediaTypes
import NIOCore
import ObjectModel
import RequestInfo
import YAML

/// Writes an object that stands for itself, in the media type that the client has asked for.
struct PlainWriter: Sendable {
    let exchange: RESTExchange
    let representation: Representation

    init(_ exchange: RESTExchange, _ representation: Representation) {
        self.exchange = exchange
        self.representation = representation
    }

    init(_ exchange: RESTExchange) throws(StatusError) {
        self.init(exchange, try exchange.representation(.plain))
    }

    func send(
        _ status: HTTPStatus,
        _ object: APIObject,
        warnings: [String] = []
    ) async throws(StatusError) {
        if self.representation.mediaType == .protobuf {
            await self.send(status, protobuf: object.sealed(), warnings)
        } else {
            await self.send(status, json: Bytes(try ObjectEncoder.json(object)), warnings)
        }
    }

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
