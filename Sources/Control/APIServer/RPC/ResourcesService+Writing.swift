// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ApusAPI
import Bytes
import KubernetesAPI
import MediaTypes
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import RequestInfo
import ResourceTable
import Selectors

extension ResourcesService {
    func create(
        _ request: ApusResource.CreateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try await answering { () throws(StatusError) in
            try await self.create(request, context)
        }
    }

    func create(
        _ request: ApusResource.CreateRequest,
        _ context: ServerContext
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        let target = request.target ?? ApusResource.Target()
        let options = request.options ?? ApusResource.WriteOptions()
        if let answer = try await self.review(target, request, options, context) { return answer }
        let call = try await self.call(target, "create", context)
        let result = try await self.core.operations.create(
            call,
            self.body(request.object ?? ApusResource.Object()),
            self.writeOptions(options)
        )
        return try self.response(result, call, options)
    }

    /// Answers what is not stored; nil when the target is.
    private func review(
        _ target: ApusResource.Target,
        _ request: ApusResource.CreateRequest,
        _ options: ApusResource.WriteOptions,
        _ context: ServerContext
    ) async throws(StatusError) -> ApusResource.WriteResponse? {
        guard target.subresource.isEmpty else { return nil }
        let user = try await self.core.access.authenticate(context)
        guard
            let review = self.core.review(
                apiVersion: APIGroup.apiVersion(target.group, target.version),
                plural: target.resource,
                namespace: target.namespace,
                user,
                isDryRun: options.dryRun
            )
        else { return nil }
        try await self.core.access.authorize(
            AuthorizationAttributes(
                user: user,
                verb: "create",
                group: target.group,
                version: target.version,
                resource: target.resource,
                namespace: target.namespace
            )
        )
        let (object, warnings) = try await review.answer(
            self.body(request.object ?? ApusResource.Object()),
            self.writeOptions(options)
        )
        var response = ApusResource.WriteResponse()
        response.object = try Self.object(object, isJSON: options.accept == .json, hasKind: false)
        response.created = true
        for warning in warnings { response.warnings.append(warning) }
        return response
    }

    func update(
        _ request: ApusResource.UpdateRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try await answering { () throws(StatusError) in
            try await self.update(request, context)
        }
    }

    func update(
        _ request: ApusResource.UpdateRequest,
        _ context: ServerContext
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        let target = request.target ?? ApusResource.Target()
        let options = request.options ?? ApusResource.WriteOptions()
        let call = try await self.call(target, "update", context)
        let result = try await self.core.operations.update(
            call,
            self.body(request.object ?? ApusResource.Object()),
            self.writeOptions(options)
        )
        return try self.response(result, call, options)
    }

    func patch(
        _ request: ApusResource.PatchRequest,
        context: ServerContext
    ) async throws -> ApusResource.WriteResponse {
        try await answering { () throws(StatusError) in
            try await self.patch(request, context)
        }
    }

    func patch(
        _ request: ApusResource.PatchRequest,
        _ context: ServerContext
    ) async throws(StatusError) -> ApusResource.WriteResponse {
        let target = request.target ?? ApusResource.Target()
        let options = request.options ?? ApusResource.WriteOptions()
        let type: PatchType
        switch request.type {
        case .json: type = .json
        case .merge: type = .merge
        case .strategic: type = .strategicMerge
        case .apply: type = .apply
        default: throw .badRequest("the type of the patch is missing")
        }
        if type == .apply, options.fieldManager.isEmpty {
            throw .badRequest("fieldManager: Required value: is required for apply patch")
        }
        let call = try await self.call(target, "patch", context)
        var patchOptions = PatchOptions()
        patchOptions.write = self.writeOptions(options)
        patchOptions.force = request.force
        let result = try await self.core.operations.patch(
            call,
            type,
            request.patch,
            patchOptions
        )
        return try self.response(result, call, options)
    }

    // MARK: - Deleting

    private func deleteOptions(
        _ options: ApusResource.DeleteOptions
    ) throws(StatusError) -> DeleteOptions {
        var result = DeleteOptions()
        result.gracePeriodSeconds = options.gracePeriodSeconds
        switch options.propagation {
        case .orphan: result.propagationPolicy = "Orphan"
        case .background: result.propagationPolicy = "Background"
        case .foreground: result.propagationPolicy = "Foreground"
        default: break
        }
        result.preconditionUID = options.preconditions?.uid
        result.preconditionResourceVersion = options.preconditions?.resourceVersion
        if options.dryRun { result.dryRun = ["All"] }
        do throws(ParameterError) {
            try result.check()
        } catch {
            throw StatusError(parameter: error)
        }
        return result
    }

    func delete(
        _ request: ApusResource.DeleteRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteResponse {
        try await answering { () throws(StatusError) in
            try await self.delete(request, context)
        }
    }

    func delete(
        _ request: ApusResource.DeleteRequest,
        _ context: ServerContext
    ) async throws(StatusError) -> ApusResource.DeleteResponse {
        let target = request.target ?? ApusResource.Target()
        let options = request.options ?? ApusResource.DeleteOptions()
        let call = try await self.call(target, "delete", context)
        let result = try await self.core.operations.delete(call, try self.deleteOptions(options))
        var response = ApusResource.DeleteResponse()
        if let object = try self.object(
            .object(result.object),
            call,
            options.accept,
            options.answer
        ) {
            response.object = object
        }
        response.gone = result.isGone
        response.resourceVersion = result.object.metadata.resourceVersion
        return response
    }

    func deleteCollection(
        _ request: ApusResource.DeleteCollectionRequest,
        context: ServerContext
    ) async throws -> ApusResource.DeleteCollectionResponse {
        try await answering { () throws(StatusError) in
            let target = request.target ?? ApusResource.Target()
            let call = try await self.call(
                target,
                "deletecollection",
                context,
                labels: request.labelSelector,
                fields: request.fieldSelector
            )
            var list = ListOptions()
            do throws(SelectorError) {
                list.labelSelector = try LabelSelector(parsing: request.labelSelector)
                list.fieldSelector = try FieldSelector(parsing: request.fieldSelector)
            } catch {
                throw .badRequest(error.description)
            }
            list.resourceVersion = request.resourceVersion
            list.limit = request.limit
            list.continueToken = request.continueToken
            let result = try await self.core.operations.deleteCollection(
                call,
                list,
                try self.deleteOptions(request.options ?? ApusResource.DeleteOptions())
            )
            return ApusResource.DeleteCollectionResponse.with {
                $0.count = Int64(result.objects.count)
                $0.continueToken = result.continueToken
            }
        }
    }
}
