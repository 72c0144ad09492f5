// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import CallStatus
import JSON
import KubernetesAPI
import MediaTypes
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import RequestInfo
import ResourceTable
import Selectors
import WatchCache

/// The RPC face: the same core as REST, with messages in place of paths and envelopes.
struct ResourcesService: ApusResource.ResourcesService {
    let core: ServerCore

    // MARK: - Requests

    /// What a call is about, after its user was found to be allowed it.
    ///
    /// - Parameters:
    ///   - labels: the label selector of a call for several objects.
    ///   - fields: its field selector.
    func call(
        _ target: ApusResource.Target,
        _ verb: String,
        _ context: ServerContext,
        labels: String = "",
        fields: String = ""
    ) async throws(StatusError) -> ResourceCall {
        let version = APIGroup.apiVersion(target.group, target.version)
        guard
            let entry = self.core.registry.entry(apiVersion: version, plural: target.resource)
        else { throw ServerCore.pageNotFound }
        let resource = entry.resource
        if !target.subresource.isEmpty, resource.subresource(target.subresource) == nil {
            throw ServerCore.pageNotFound
        }
        let verbs =
            target.subresource.isEmpty
            ? resource.verbs : resource.subresource(target.subresource)?.verbs ?? []
        guard verbs.names.contains(verb) else { throw .methodNotSupportedAtAll }
        try Self.checkPlace(target, resource, verb)
        let user = try await self.core.access.authenticate(context)
        let call = ResourceCall(
            entry: entry,
            verb: verb,
            namespace: resource.isNamespaced ? target.namespace : "",
            name: target.name,
            subresource: target.subresource,
            user: user
        )
        try await self.core.access.authorize(call, labels: labels, fields: fields)
        return call
    }

    /// Refuses names and namespaces that are no segments of a key (CVE-2022-3162).
    private static func checkPlace(
        _ target: ApusResource.Target,
        _ resource: APIResource,
        _ verb: String
    ) throws(StatusError) {
        for part in [target.namespace, target.name] {
            guard !part.utf8.contains(UInt8(ascii: "/")), part != ".", part != ".." else {
                throw .badRequest("a name must not contain '/' or be '.' or '..'")
            }
        }
        let isCollection = ["list", "watch", "deletecollection"].contains(verb)
        if resource.isNamespaced, target.namespace.isEmpty,
            !isCollection || verb == "deletecollection"
        {
            throw .badRequest("an empty namespace may not be set during \(verb)")
        }
        if !resource.isNamespaced, !target.namespace.isEmpty {
            throw .badRequest("namespace may not be set for cluster-scoped resources")
        }
        if target.name.isEmpty, !isCollection, verb != "create" {
            throw .badRequest("a name is required")
        }
    }

    /// An object as it came.
    func body(_ object: ApusResource.Object) -> RequestBody {
        let type: MediaType? =
            switch object.encoding {
            case .json: .json
            case .yaml: .yaml
            default: nil
            }
        return RequestBody(bytes: object.body, mediaType: type)
    }

    func writeOptions(_ options: ApusResource.WriteOptions) -> WriteOptions {
        var result = WriteOptions()
        result.isDryRun = options.dryRun
        result.fieldManager = options.fieldManager
        switch options.fieldValidation {
        case .ignore: result.fieldValidation = .ignore
        case .strict: result.fieldValidation = .strict
        default: result.fieldValidation = .warn
        }
        return result
    }

    // MARK: - Answers

    /// An object in the encoding and form that was asked for; nil for none.
    func object(
        _ answer: Answer,
        _ call: ResourceCall,
        _ accept: ApusResource.Encoding,
        _ form: ApusResource.Form
    ) throws(StatusError) -> ApusResource.Object? {
        let encoder = ObjectEncoder(entry: call.entry)
        let isJSON = accept == .json
        switch form {
        case .none:
            return nil
        case .metadata:
            return try Self.object(
                APIObject(try encoder.metadata(answer)),
                isJSON: isJSON,
                hasKind: true
            )
        default:
            var object = ApusResource.Object()
            object.encoding = isJSON ? .json : .protobuf
            object.body = isJSON ? try encoder.json(answer) : try encoder.message(answer)
            return object
        }
    }

    static func object(
        _ object: APIObject,
        isJSON: Bool,
        hasKind: Bool
    ) throws(StatusError) -> ApusResource.Object {
        var result = ApusResource.Object()
        result.encoding = isJSON ? .json : .protobuf
        result.body =
            isJSON
            ? Bytes(try ObjectEncoder.json(object))
            : object.withSerializedBytes { Bytes(copying: $0) }
        if hasKind { result.kind = Self.kind(object.typeMeta) }
        return result
    }

    static func kind(_ typeMeta: TypeMeta) -> ApusResource.Kind {
        ApusResource.Kind.with {
            $0.apiVersion = typeMeta.apiVersion
            $0.kind = typeMeta.kind
        }
    }

    func response(
        _ result: WriteAnswer,
        _ call: ResourceCall,
        _ options: ApusResource.WriteOptions
    ) throws(StatusError) -> ApusResource.WriteResponse {
        var response = ApusResource.WriteResponse()
        if let other = result.other {
            if options.answer != .none {
                response.object = try Self.object(
                    other,
                    isJSON: options.accept == .json,
                    hasKind: true
                )
            }
            if other.hasMetadata { response.resourceVersion = other.metadata.resourceVersion }
        } else {
            if let object = try self.object(
                result.answer,
                call,
                options.accept,
                options.answer
            ) {
                response.object = object
            }
            if case .object(let object) = result.answer {
                response.resourceVersion = object.metadata.resourceVersion
            }
        }
        response.created = result.isCreated
        for warning in result.warnings { response.warnings.append(warning) }
        return response
    }
}

// MARK: - Failures

/// Runs a handler, its failures as an RPC has them.
func answering<R: Sendable>(
    _ body: () async throws(StatusError) -> R
) async throws(RPCError) -> R {
    do throws(StatusError) {
        return try await body()
    } catch {
        throw RPCError(error)
    }
}
