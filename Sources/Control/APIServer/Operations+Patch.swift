// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import Bytes
import JSON
import KubernetesAPI
import MediaTypes
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable
import Synchronization

extension Operations {
    /// Changes a part of an object.
    func patch(
        _ call: ResourceCall,
        _ type: PatchType,
        _ patch: Bytes,
        _ options: PatchOptions
    ) async throws(StatusError) -> WriteAnswer {
        let patcher = try Patcher(type, patch)
        let validation = options.write.fieldValidation
        let warnings = Collected<[String]>([])
        if call.subresource == "scale" {
            return try await self.changeScale(call, options.write, []) {
                (scale) throws(StatusError) in
                try patcher.apply(to: scale, validation).object
            }
        }
        if type == .apply { return try await self.apply(call, patcher, options) }
        let write = self.begin(call, .update, options.write)
        let version = call.entry.version
        let result = try await call.store.update(
            call.namespace,
            call.name,
            scope: call.scope,
            write.context
        ) { (old) throws(StatusError) -> APIObject in
            guard let old else { throw .notFound(call.resource.groupResource, call.name) }
            let patched = try patcher.apply(to: version.fromHub(old), validation)
            warnings.set(patched.warnings)
            var new = version.toHub(patched.object)
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
            warnings: warnings.value + write.warnings
        )
    }
}

extension Operations {
    /// Makes an object have what a configuration says, and its applier the owner of that.
    private func apply(
        _ call: ResourceCall,
        _ patcher: Patcher,
        _ options: PatchOptions
    ) async throws(StatusError) -> WriteAnswer {
        let write = self.begin(call, .update, options.write, isApply: true)
        let owners = FieldOwners(
            call,
            manager: options.write.fieldManager,
            now: write.context.now
        )
        let version = call.entry.version
        // Unknown fields are found in the configuration alone.
        let warnings = try BodyDecoder.decode(
            patcher.configuration,
            as: call.resource.schema,
            options.write.fieldValidation
        ).warnings
        let result = try await call.store.update(
            call.namespace,
            call.name,
            scope: call.scope,
            createsMissing: call.subresource.isEmpty,
            write.context
        ) { (old) throws(StatusError) -> APIObject in
            let tree = try owners.apply(
                patcher.configuration,
                to: old.map(version.fromHub),
                force: options.force ?? false
            )
            let decoded = try BodyDecoder.decode(tree, as: call.resource.schema, .ignore)
            var new = version.toHub(decoded.object)
            if new.metadata.name.isEmpty { new.metadata.name = call.name }
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
            warnings: warnings + write.warnings
        )
    }
}

/// What the last attempt of a write has found.
final class Collected<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) {
        self.state = Mutex(value)
    }

    var value: Value { self.state.withLock { $0 } }

    func set(_ value: Value) { self.state.withLock { $0 = value } }
}
