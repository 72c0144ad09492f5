// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import MediaTypes
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable

extension Operations {
    /// Changes a part of an object.
    func patch(
        _ call: ResourceCall,
        _ type: PatchType,
        _ patch: Bytes,
        _ options: PatchOptions
    ) async throws(StatusError) -> WriteAnswer {
        let patcher = try Patcher(type, patch, options)
        if call.subresource == "scale" {
            return try await self.changeScale(call, options.write, []) {
                (scale) throws(StatusError) in
                try patcher.apply(to: scale)
            }
        }
        let context = self.context(call, options.write, operation: .update)
        let version = call.entry.version
        let result = try await call.store.update(
            call.namespace,
            call.name,
            scope: call.scope,
            createsMissing: type == .apply && call.subresource.isEmpty,
            context
        ) { (old) throws(StatusError) -> APIObject in
            guard let old else { throw .notFound(call.resource.groupResource, call.name) }
            var new = version.toHub(try patcher.apply(to: version.fromHub(old)))
            guard new.metadata.name == call.name else {
                throw Self.nameMismatch(new.metadata.name, call.name)
            }
            try self.setNamespace(&new, call)
            self.setDefaults(&new)
            return new
        }
        return WriteAnswer(
            answer: .object(result.object),
            isCreated: result.isCreated,
            warnings: []
        )
    }
}

/// A patch that has been read: the one place where the server applies one.
struct Patcher: Sendable {
    init(_ type: PatchType, _ patch: Bytes, _ options: PatchOptions) throws(StatusError) {
        throw .unsupportedMediaType("patches are not served")
    }

    /// The object with the patch applied.
    func apply(to object: APIObject) throws(StatusError) -> APIObject { object }
}
