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

extension RESTHandler {
    func writeOptions(
        _ exchange: RESTExchange,
        _ kind: String
    ) throws(StatusError) -> WriteOptions {
        do throws(ParameterError) {
            var options = try WriteOptions(parsing: exchange.target.query, kind: kind)
            if options.fieldManager.isEmpty {
                options.fieldManager = Self.manager(from: exchange.field(.userAgent))
            }
            return options
        } catch {
            throw StatusError(parameter: error)
        }
    }

    /// The manager of a client that names none: the start of its User-Agent.
    static func manager(from userAgent: String?) -> String {
        guard let userAgent else { return "" }
        let name = userAgent.prefix { $0 != "/" }
        return String(name.prefix(128))
    }

    func create(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let options = try self.writeOptions(exchange, "CreateOptions")
        let writer = try AnswerWriter(exchange, call)
        let body = try await exchange.objectBody()
        let result = try await self.core.operations.create(call, body, options)
        try await self.send(result, writer)
    }

    func update(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let options = try self.writeOptions(exchange, "UpdateOptions")
        let writer = try AnswerWriter(exchange, call)
        let body = try await exchange.objectBody()
        let result = try await self.core.operations.update(call, body, options)
        try await self.send(result, writer)
    }

    func patch(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let contentType = exchange.field(.contentType) ?? ""
        let type: PatchType
        do throws(NegotiationError) {
            type = try PatchType(contentType: contentType, accepted: PatchType.builtin)
        } catch {
            throw StatusError(negotiation: error)
        }
        var options: PatchOptions
        do throws(ParameterError) {
            options = try PatchOptions(parsing: exchange.target.query, isApply: type == .apply)
        } catch {
            throw StatusError(parameter: error)
        }
        if options.write.fieldManager.isEmpty {
            options.write.fieldManager = Self.manager(from: exchange.field(.userAgent))
        }
        let writer = try AnswerWriter(exchange, call)
        let body = try await exchange.body()
        let result = try await self.core.operations.patch(call, type, body, options)
        try await self.send(result, writer)
    }

    private func send(
        _ result: WriteAnswer,
        _ writer: AnswerWriter
    ) async throws(StatusError) {
        let status: HTTPStatus = result.isCreated ? .created : .ok
        if let other = result.other {
            try await writer.send(status, other: other, warnings: result.warnings)
        } else {
            try await writer.send(status, result.answer, warnings: result.warnings)
        }
    }

    // MARK: - Deleting

    /// The options of a deletion: those of the body, when it has one, else those of the query.
    private func deleteOptions(
        _ exchange: RESTExchange
    ) async throws(StatusError) -> DeleteOptions {
        let body = try await exchange.objectBody()
        var options: DeleteOptions
        do throws(ParameterError) {
            options = try DeleteOptions(parsing: exchange.target.query)
        } catch {
            throw StatusError(parameter: error)
        }
        if !body.bytes.isEmpty {
            options = try self.deleteOptions(body)
        }
        do throws(ParameterError) {
            try options.check()
        } catch {
            throw StatusError(parameter: error)
        }
        return options
    }

    private func deleteOptions(_ body: RequestBody) throws(StatusError) -> DeleteOptions {
        let message = try DeleteOptionsReader.read(body)
        var options = DeleteOptions()
        options.gracePeriodSeconds = message.gracePeriodSeconds
        options.orphanDependents = message.orphanDependents
        options.propagationPolicy = message.propagationPolicy
        options.dryRun = Array(message.dryRun)
        options.preconditionUID = message.preconditions?.uid
        options.preconditionResourceVersion = message.preconditions?.resourceVersion
        return options
    }

    func delete(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let writer = try AnswerWriter(exchange, call)
        let options = try await self.deleteOptions(exchange)
        let result = try await self.core.operations.delete(call, options)
        if !result.isGone || call.resource.behaviour.contains(.deleteReturnsObject) {
            let isAccepted = !result.isGone && options.orphanDependents == false
            try await writer.send(isAccepted ? .accepted : .ok, .object(result.object))
            return
        }
        let status = MetaV1.Status.with {
            $0.status = "Success"
            $0.details = MetaV1.StatusDetails.with {
                $0.name = call.name
                $0.group = call.resource.group
                $0.kind = call.resource.plural
                $0.uid = result.object.metadata.uid
            }
        }
        try await writer.send(.ok, other: APIObject(status))
    }

    func deleteCollection(
        _ exchange: RESTExchange,
        _ call: ResourceCall
    ) async throws(StatusError) {
        let writer = try AnswerWriter(exchange, call, isList: true)
        let list: ListOptions
        do throws(ParameterError) {
            list = try ListOptions.checked(exchange.target.query)
        } catch {
            throw StatusError(parameter: error)
        }
        let options = try await self.deleteOptions(exchange)
        let result = try await self.core.operations.deleteCollection(call, list, options)
        try await writer.send(result)
    }
}

/// Reads DeleteOptions, which may come in the version of any group.
enum DeleteOptionsReader {
    static func read(_ body: RequestBody) throws(StatusError) -> MetaV1.DeleteOptions {
        switch body.mediaType {
        case .protobuf:
            let content = try? body.bytes.withUnsafeBytes { try Envelope.open($0) }
            guard let content, let options = try? MetaV1.DeleteOptions(serialized: content.raw)
            else { throw .badRequest("unable to read DeleteOptions") }
            try self.check(content.typeMeta.kind)
            return options
        case .json, .yaml, nil:
            let schema = MetaV1.DeleteOptions.schema
            var decoded = body
            if body.mediaType == nil { decoded.mediaType = .json }
            let (object, typeMeta) = try BodyDecoder.decodeAnyVersion(decoded, as: schema)
            try self.check(typeMeta.kind)
            return object.message(as: MetaV1.DeleteOptions.self) ?? MetaV1.DeleteOptions()
        }
    }

    private static func check(_ kind: String) throws(StatusError) {
        guard kind.isEmpty || kind == "DeleteOptions" else {
            throw .badRequest("decoded object cannot be converted to DeleteOptions")
        }
    }
}
