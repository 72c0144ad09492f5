// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import RequestInfo
import ResourceTable
import Selectors
import WatchCache

extension ResourcesService {
    /// The size of a list's chunk that the server chooses, and the most that a client may.
    private static let chunkBytes = 256 << 10
    private static let maximumChunkBytes = 2 << 20

    func get(
        _ request: ApusResource.GetRequest,
        context: ServerContext
    ) async throws -> ApusResource.GetResponse {
        try await answering { () throws(StatusError) in
            let target = request.target ?? ApusResource.Target()
            let call = try await self.call(target, "get", context)
            var response = ApusResource.GetResponse()
            if call.subresource == "scale" {
                let scale = try await self.core.operations.scale(call)
                response.object = ApusResource.Object.with {
                    $0.encoding = .protobuf
                    $0.kind = Self.kind(scale.typeMeta)
                    $0.body = scale.withSerializedBytes { Bytes(copying: $0) }
                }
                return response
            }
            let answer = try await self.core.operations.get(
                call,
                resourceVersion: request.resourceVersion
            )
            response.object = try self.object(answer, call, request.accept, request.form)
            return response
        }
    }

    // MARK: - Lists

    private func listOptions(
        labels: String,
        fields: String,
        resourceVersion: String,
        match: ApusResource.ResourceVersionMatch,
        name: String,
        isWatch: Bool
    ) throws(StatusError) -> ListOptions {
        var options = ListOptions()
        do throws(SelectorError) {
            options.labelSelector = try LabelSelector(parsing: labels)
            options.fieldSelector = try FieldSelector(parsing: fields)
        } catch {
            throw .badRequest(error.description)
        }
        options.watch = isWatch
        options.resourceVersion = resourceVersion
        switch match {
        case .exact: options.resourceVersionMatch = "Exact"
        case .notOlderThan: options.resourceVersionMatch = "NotOlderThan"
        default: break
        }
        do throws(ParameterError) {
            if !name.isEmpty { try options.restrict(toName: name) }
        } catch {
            throw StatusError(parameter: error)
        }
        return options
    }

    func list(
        _ request: ApusResource.ListRequest,
        responses: RPCWriter<ApusResource.ListResponse>,
        context: ServerContext
    ) async throws {
        let (call, result) = try await answering {
            () throws(StatusError) -> (ResourceCall, ListResult) in
            let target = request.target ?? ApusResource.Target()
            let call = try await self.call(
                target,
                "list",
                context,
                labels: request.labelSelector,
                fields: request.fieldSelector
            )
            var options = try self.listOptions(
                labels: request.labelSelector,
                fields: request.fieldSelector,
                resourceVersion: request.resourceVersion,
                match: request.resourceVersionMatch,
                name: target.name,
                isWatch: false
            )
            options.limit = request.limit
            options.continueToken = request.continueToken
            do throws(ParameterError) {
                try options.check()
            } catch {
                throw StatusError(parameter: error)
            }
            return (call, try await self.core.operations.list(call, options))
        }
        let wanted = Int(request.chunkBytes)
        let chunk = wanted == 0 ? Self.chunkBytes : min(wanted, Self.maximumChunkBytes)
        let isJSON = request.accept == .json
        let isMetadata = request.form == .metadata
        var response = ApusResource.ListResponse()
        response.head = ApusResource.ListHead.with {
            $0.resourceVersion = "\(result.revision)"
            $0.encoding = isJSON ? .json : .protobuf
            $0.kind = Self.kind(
                isMetadata
                    ? MetaV1.PartialObjectMetadata.typeMeta : TypeMeta(call.resource.schema)
            )
        }
        var bytes = 0
        for object in result.objects {
            let body = try await answering { () throws(StatusError) in
                try self.object(.cached(object), call, request.accept, request.form)?.body
            }
            guard let body else { continue }
            response.items.append(body)
            bytes += body.count
            if bytes >= chunk {
                try await responses.write(response)
                response = ApusResource.ListResponse()
                bytes = 0
            }
        }
        response.tail = ApusResource.ListTail.with {
            $0.continueToken = result.continueToken
            $0.remainingItemCount = result.remaining
        }
        try await responses.write(response)
    }

    // MARK: - Watches

    func watch(
        _ request: ApusResource.WatchRequest,
        responses: RPCWriter<ApusResource.WatchResponse>,
        context: ServerContext
    ) async throws {
        let (call, watcher) = try await answering {
            () throws(StatusError) -> (ResourceCall, Watcher) in
            let target = request.target ?? ApusResource.Target()
            let call = try await self.call(
                target,
                "watch",
                context,
                labels: request.labelSelector,
                fields: request.fieldSelector
            )
            var options = try self.listOptions(
                labels: request.labelSelector,
                fields: request.fieldSelector,
                resourceVersion: request.resourceVersion,
                match: request.resourceVersionMatch,
                name: target.name,
                isWatch: true
            )
            let isFromState =
                request.resourceVersion.isEmpty || request.resourceVersion == "0"
            options.sendInitialEvents = request.sendInitialEvents || isFromState
            return (call, try await self.core.operations.watch(call, options))
        }
        context.addInitialMetadata([:])
        try context.call.sendInitialMetadata()
        try await RPCWatch(
            request: request,
            call: call,
            responses: responses,
            service: self
        ).run(watcher)
    }
}
