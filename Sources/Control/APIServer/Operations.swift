// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import KubernetesAPI
import NameRules
import ObjectModel
import Protobuf
import Registry
import RequestInfo
import ResourceTable
import Scalars
import Tasks
import WatchCache

/// What the API does, behind both of its faces.
struct Operations: Sendable {
    let registry: Registry
    let access: AccessControl

    // MARK: - Reading

    func get(_ call: ResourceCall, resourceVersion: String) async throws(StatusError) -> Answer {
        .cached(
            try await call.store.get(call.namespace, call.name, resourceVersion: resourceVersion)
        )
    }

    func list(
        _ call: ResourceCall,
        _ options: ListOptions
    ) async throws(StatusError) -> ListResult {
        var query = ListQuery(filter: try self.filter(call, options))
        query.resourceVersion = options.resourceVersion
        query.resourceVersionMatch = options.resourceVersionMatch
        query.limit = Int(clamping: max(options.limit, 0))
        query.continueToken = options.continueToken
        return try await call.store.list(query)
    }

    func watch(
        _ call: ResourceCall,
        _ options: ListOptions
    ) async throws(StatusError) -> Watcher {
        try await call.store.watch(
            try self.filter(call, options),
            resourceVersion: options.resourceVersion,
            startsWithState: options.sendInitialEvents == true
        )
    }

    private func filter(
        _ call: ResourceCall,
        _ options: ListOptions
    ) throws(StatusError) -> WatchFilter {
        try call.store.filter(
            namespace: call.namespace,
            labels: options.labelSelector,
            fields: options.fieldSelector
        )
    }

    // MARK: - Writing

    func create(
        _ call: ResourceCall,
        _ body: RequestBody,
        _ options: WriteOptions
    ) async throws(StatusError) -> WriteAnswer {
        if !call.subresource.isEmpty {
            return try await self.createSubresource(call, body, options)
        }
        let decoded = try BodyDecoder.decode(
            body,
            as: call.resource.schema,
            options.fieldValidation
        )
        var object = call.entry.version.toHub(decoded.object)
        try self.setNamespace(&object, call)
        if !call.name.isEmpty {
            guard object.metadata.name.isEmpty || object.metadata.name == call.name else {
                throw Self.nameMismatch(object.metadata.name, call.name)
            }
            object.metadata.name = call.name
        }
        if !object.metadata.managedFields.isEmpty { object.metadata.managedFields = [] }
        self.setDefaults(&object)
        let write = self.begin(call, .create, options)
        let created = try await call.store.create(object, write.context)
        return WriteAnswer(
            answer: .object(created),
            isCreated: true,
            warnings: decoded.warnings + write.warnings
        )
    }

    func update(
        _ call: ResourceCall,
        _ body: RequestBody,
        _ options: WriteOptions
    ) async throws(StatusError) -> WriteAnswer {
        if call.subresource == "scale" {
            return try await self.updateScale(call, body, options)
        }
        let decoded = try BodyDecoder.decode(
            body,
            as: call.resource.schema,
            options.fieldValidation
        )
        var object = call.entry.version.toHub(decoded.object)
        try self.setNamespace(&object, call)
        if object.metadata.name.isEmpty {
            throw .badRequest("the name of the object must be provided on update")
        }
        guard object.metadata.name == call.name else {
            throw Self.nameMismatch(object.metadata.name, call.name)
        }
        self.setDefaults(&object)
        let write = self.begin(call, .update, options)
        let wanted = object
        let result = try await call.store.update(
            call.namespace,
            call.name,
            scope: call.scope,
            createsMissing: call.subresource.isEmpty
                && call.resource.behaviour.contains(.createOnUpdate),
            write.context
        ) { _ throws(StatusError) in wanted }
        return WriteAnswer(
            answer: .object(result.object),
            isCreated: result.isCreated,
            warnings: decoded.warnings + write.warnings
        )
    }

    func delete(
        _ call: ResourceCall,
        _ options: DeleteOptions
    ) async throws(StatusError) -> DeleteResult {
        try await call.store.delete(
            call.namespace,
            call.name,
            options,
            self.begin(
                call,
                .delete,
                isDryRun: options.isDryRun,
                .delete(Self.message(options))
            ).context
        )
    }

    /// Deletes what a list has, and answers it.
    func deleteCollection(
        _ call: ResourceCall,
        _ list: ListOptions,
        _ options: DeleteOptions
    ) async throws(StatusError) -> ListResult {
        let found = try await self.list(call, list)
        let write = self.begin(
            call,
            .delete,
            isDryRun: options.isDryRun,
            .delete(Self.message(options))
        )
        try await self.deleteAll(found.objects, call, options, write.context)
        return found
    }

    /// Deletions of a collection that may be under way at once: the store writes many of them with
    /// one flush of its disk.
    private static let deletionsAtOnce = 64

    /// Deletes objects, many at a time; the first failure ends it.
    private func deleteAll(
        _ objects: [CachedObject],
        _ call: ResourceCall,
        _ options: DeleteOptions,
        _ context: WriteContext
    ) async throws(StatusError) {
        let failures = await objects.failuresOfEach(
            atOnce: Self.deletionsAtOnce,
            endsAtFailure: true
        ) { object throws(StatusError) in
            do throws(StatusError) {
                _ = try await call.store.delete(object.namespace, object.name, options, context)
            } catch {
                // Somebody was faster.
                if error.reason != .notFound { throw error }
            }
        }
        if let failure = failures.first { throw failure }
    }

    /// The options of a deletion as plugins see them.
    private static func message(_ options: DeleteOptions) -> MetaV1.DeleteOptions {
        MetaV1.DeleteOptions.with {
            $0.gracePeriodSeconds = options.gracePeriodSeconds
            $0.orphanDependents = options.orphanDependents
            $0.propagationPolicy = options.propagationPolicy
            for value in options.dryRun { $0.dryRun.append(value) }
        }
    }

    // MARK: - Parts

    func setDefaults(_ object: inout APIObject) {
        ObjectRules.setDefaults(&object)
    }

    /// Puts the namespace of the path into an object that leaves it out.
    func setNamespace(_ object: inout APIObject, _ call: ResourceCall) throws(StatusError) {
        let namespace = object.metadata.namespace
        if !call.resource.isNamespaced {
            guard namespace.isEmpty else {
                throw .badRequest("namespace may not be set for cluster-scoped resources")
            }
            return
        }
        if namespace.isEmpty {
            object.metadata.namespace = call.namespace
        } else if namespace != call.namespace {
            throw .badRequest(
                "the namespace of the provided object does not match the namespace sent on the "
                    + "request"
            )
        }
    }

    static func nameMismatch(_ found: String, _ expected: String) -> StatusError {
        .badRequest(
            "the name of the object (\(found)) does not match the name on the URL (\(expected))"
        )
    }

    /// Begins a write.
    func begin(
        _ call: ResourceCall,
        _ operation: AdmissionAttributes.Operation,
        isDryRun: Bool,
        _ options: AdmissionAttributes.Options,
        manager: String? = nil
    ) -> PendingWrite {
        let now = Timestamp.current()
        let hooks = AdmissionHooks(
            self.access.parts.admission,
            call,
            operation,
            options,
            isDryRun: isDryRun,
            now: now,
            owners: manager.map { FieldOwners(call, manager: $0, now: now) }
        )
        return PendingWrite(
            context: WriteContext(isDryRun: isDryRun, now: now, hooks: hooks),
            hooks: hooks
        )
    }

    func begin(
        _ call: ResourceCall,
        _ operation: AdmissionAttributes.Operation,
        _ options: WriteOptions,
        isApply: Bool = false
    ) -> PendingWrite {
        let dryRun = options.isDryRun ? ["All"] : []
        let admission: AdmissionAttributes.Options =
            operation == .create
            ? .create(
                MetaV1.CreateOptions.with {
                    $0.fieldManager = options.fieldManager
                    for value in dryRun { $0.dryRun.append(value) }
                }
            )
            : .update(
                MetaV1.UpdateOptions.with {
                    $0.fieldManager = options.fieldManager
                    for value in dryRun { $0.dryRun.append(value) }
                }
            )
        return self.begin(
            call,
            operation,
            isDryRun: options.isDryRun,
            admission,
            manager: isApply ? nil : options.fieldManager
        )
    }
}

/// A write that is under way.
struct PendingWrite: Sendable {
    let context: WriteContext
    let hooks: AdmissionHooks

    /// What admission wants the client to know.
    var warnings: [String] { self.hooks.warnings }
}

/// What came of a write.
struct WriteAnswer: Sendable {
    var answer: Answer
    var isCreated = false
    var warnings: [String] = []
    /// The encoder, where the answer is of another kind than the resource.
    var other: APIObject?
}
