// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KubernetesAPI
import NameRules
package import ObjectModel
import Protobuf
import ResourceTable
import WatchCache

/// What of an object a write may change.
package enum UpdateScope: Sendable, Equatable {
    /// All but the status.
    case object
    /// The status, and of the metadata what is not for the spec's owner.
    case status
    /// A subresource that does its own checking of what it changes.
    case subresource(String)

    /// The name of the subresource; nil for the object itself.
    package var name: String? {
        switch self {
        case .object: nil
        case .status: "status"
        case .subresource(let name): name
        }
    }
}

/// What came of an update.
package struct UpdateResult: Sendable {
    package var object: APIObject
    /// Whether the object was not there before.
    package var isCreated: Bool
}

extension ResourceStore {
    /// Changes an object, again and again until nobody else has changed it meanwhile.
    ///
    /// - Parameters:
    ///   - createsMissing: whether a missing object is created from what `change` makes of nil.
    ///   - isRetried: whether a conflict that the caller could not know of is tried again; with a
    ///     resource version from the caller it is told.
    ///   - change: makes the new object from the present one.
    package func update(
        _ namespace: String,
        _ name: String,
        scope: UpdateScope,
        createsMissing: Bool = false,
        _ context: WriteContext,
        _ change: (APIObject?) async throws(StatusError) -> APIObject
    ) async throws(StatusError) -> UpdateResult {
        let key = self.key(namespace, name)
        // The cache is right most of the time; when it is not, the transaction says so.
        var current = self.shared.isReady ? self.cache.object(key) : nil
        var isFresh = false
        while true {
            if current == nil {
                current = try await self.mapped { () throws(StoreError) in
                    try await self.read(key)
                }
                isFresh = true
            }
            guard let present = current else {
                guard createsMissing else { throw .notFound(self.groupResource, name) }
                let object = try await change(nil)
                let created = try await self.create(object, context)
                return UpdateResult(object: created, isCreated: true)
            }
            do throws(StatusError) {
                let attempt = try await self.updateOnce(key, present, scope, context, change)
                if let object = attempt.object {
                    return UpdateResult(object: object, isCreated: false)
                }
                current = attempt.current
                isFresh = true
            } catch {
                // What an old state led to is no answer.
                if isFresh { throw error }
                current = nil
            }
        }
    }

    /// The object as it was written; or, after a conflict, what is there now.
    private typealias Attempt = (object: APIObject?, current: CachedObject?)

    private func updateOnce(
        _ key: Bytes,
        _ present: CachedObject,
        _ scope: UpdateScope,
        _ context: WriteContext,
        _ change: (APIObject?) async throws(StatusError) -> APIObject
    ) async throws(StatusError) -> Attempt {
        let old = try self.decode(present)
        var new = try await change(old)
        try self.checkIdentity(&new, old, scope)
        try await context.hooks.mutate(&new, old: old)
        self.prepareForUpdate(&new, old, scope, context)
        guard scope == .object, let allocator = self.allocator else {
            return try await self.check(key, present, andStore: new, old, scope, context)
        }
        let allocation = try await allocator.allocate(
            &new,
            old: old,
            isDryRun: context.isDryRun
        )
        do throws(StatusError) {
            let attempt = try await self.check(key, present, andStore: new, old, scope, context)
            if attempt.object == nil {
                await allocation.revert()
            } else {
                await allocation.commit()
            }
            return attempt
        } catch {
            await allocation.revert()
            throw error
        }
    }

    private func check(
        _ key: Bytes,
        _ present: CachedObject,
        andStore new: APIObject,
        _ old: APIObject,
        _ scope: UpdateScope,
        _ context: WriteContext
    ) async throws(StatusError) -> Attempt {
        var new = new
        let name = old.metadata.name
        let errors = Semantics.validateUpdate(
            new,
            old: old,
            self.resource,
            subresource: scope.name
        )
        if !errors.isEmpty { throw self.invalid(new, errors) }
        try await context.hooks.validate(new, old: old)
        if self.isGone(new, old) {
            return try await self.finish(key, present, new, old, context)
        }
        let version = old.metadata.resourceVersion
        if new.metadata.resourceVersion != version { new.metadata.resourceVersion = version }
        if new == old || context.isDryRun { return (new, nil) }
        let value = try self.value(of: new)
        let outcome = try await self.mapped { () throws(StoreError) in
            try await self.put(
                key,
                value,
                expecting: present.revision,
                lease: present.lease
            )
        }
        switch outcome {
        case .written(let revision):
            new.metadata.resourceVersion = "\(revision)"
            if scope == .object { await self.settle(revision, context) }
            return (new, nil)
        case .conflict(let current):
            guard let current else { throw .notFound(self.groupResource, name) }
            return (nil, current)
        }
    }

    // MARK: - Rules

    /// Compares what the new object says of itself with what is there.
    private func checkIdentity(
        _ new: inout APIObject,
        _ old: APIObject,
        _ scope: UpdateScope
    ) throws(StatusError) {
        let name = old.metadata.name
        let version = new.metadata.resourceVersion
        if version.isEmpty {
            let isAllowed =
                scope != .object || self.resource.behaviour.contains(.unconditionalUpdate)
            guard isAllowed else {
                var errors = FieldErrors()
                errors.within("metadata") { errors in
                    errors.invalid(
                        at: "resourceVersion",
                        .json("0"),
                        "must be specified for an update"
                    )
                }
                throw self.invalid(new, errors)
            }
        } else if version != old.metadata.resourceVersion {
            throw .modified(self.groupResource, name)
        }
        let uid = new.metadata.uid
        if !uid.isEmpty, uid != old.metadata.uid {
            throw .conflict(
                self.groupResource,
                name,
                "Precondition failed: UID in precondition: \(uid), "
                    + "UID in object meta: \(old.metadata.uid)"
            )
        }
    }

    /// What a write of this kind cannot change stays as it was.
    private func prepareForUpdate(
        _ new: inout APIObject,
        _ old: APIObject,
        _ scope: UpdateScope,
        _ context: WriteContext
    ) {
        let before = old.metadata
        if new.metadata.uid.isEmpty { new.metadata.uid = before.uid }
        if new.metadata.creationTimestamp.timestamp == nil {
            new.metadata.creationTimestamp = before.creationTimestamp
        }
        if new.metadata.deletionTimestamp == nil {
            new.metadata.deletionTimestamp = before.deletionTimestamp
        }
        if new.metadata.deletionGracePeriodSeconds == nil {
            new.metadata.deletionGracePeriodSeconds = before.deletionGracePeriodSeconds
        }
        new.metadata.generation = before.generation
        new.metadata.selfLink = ""
        switch scope {
        case .object:
            if self.hasStatus { new.copyPart("status", from: old) }
            self.strategy.prepareForUpdate?(&new, old, context.now)
        case .status:
            new.copyPart("spec", from: old)
            new.metadata.labels = before.labels
            new.metadata.ownerReferences = before.ownerReferences
            new.metadata.finalizers = before.finalizers
            self.strategy.prepareForStatusUpdate?(&new, old, context.now)
        case .subresource(let name):
            self.strategy.subresources[name]?(&new, old, context.now)
        }
        if self.isGenerationChanged(new, old) {
            new.metadata.generation = before.generation + 1
        }
    }

    private func isGenerationChanged(_ new: APIObject, _ old: APIObject) -> Bool {
        switch self.strategy.generation {
        case .none:
            return false
        case .spec:
            return !new.hasEqualPart("spec", old)
        case .specAndAnnotations:
            return !new.hasEqualPart("spec", old)
                || new.metadata.annotations != old.metadata.annotations
        case .content:
            var content = new
            content.copyPart("metadata", from: old)
            content.copyPart("status", from: old)
            return content != old
        }
    }

    // MARK: - The end of an object

    /// Whether a write takes the last finalizer from an object that is being deleted.
    private func isGone(_ new: APIObject, _ old: APIObject) -> Bool {
        guard old.metadata.deletionTimestamp != nil, new.metadata.finalizers.isEmpty,
            old.metadata.deletionGracePeriodSeconds ?? 0 == 0
        else { return false }
        return !(self.strategy.mustStay?(new) ?? false)
    }

    private func finish(
        _ key: Bytes,
        _ present: CachedObject,
        _ new: APIObject,
        _ old: APIObject,
        _ context: WriteContext
    ) async throws(StatusError) -> Attempt {
        if context.isDryRun { return (new, nil) }
        let outcome = try await self.mapped { () throws(StoreError) in
            try await self.remove(key, expecting: present.revision)
        }
        switch outcome {
        case .written(let revision):
            var last = new
            last.metadata.resourceVersion = "\(revision)"
            await self.allocator?.release(old)
            await self.settle(revision, context)
            return (last, nil)
        case .conflict(let current):
            guard let current else {
                throw .notFound(self.groupResource, old.metadata.name)
            }
            return (nil, current)
        }
    }
}
