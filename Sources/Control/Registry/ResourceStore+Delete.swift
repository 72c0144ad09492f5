// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KeyValueStore
import KubernetesAPI
import NameRules
package import ObjectModel
import Protobuf
package import RequestInfo
import ResourceTable
import Scalars
import WatchCache

/// What came of a deletion.
package struct DeleteResult: Sendable {
    /// The object as it was, or as it is while something keeps it.
    package var object: APIObject
    /// Whether nothing is left of it.
    package var isGone: Bool
}

extension ResourceStore {
    /// Finalizers of the garbage collector.
    private static let orphan = "orphan"
    private static let foreground = "foregroundDeletion"

    /// Deletes an object, or marks it for deletion when a grace period or finalizers keep it.
    package func delete(
        _ namespace: String,
        _ name: String,
        _ options: DeleteOptions,
        _ context: WriteContext
    ) async throws(StatusError) -> DeleteResult {
        let key = self.key(namespace, name)
        var current = try await self.mapped { () throws(StoreError) in try await self.read(key) }
        var isValidated = false
        while true {
            guard let present = current else { throw .notFound(self.groupResource, name) }
            let old = try self.decode(present)
            try self.checkPreconditions(old, options)
            if !isValidated {
                try await context.hooks.validate(nil, old: old)
                isValidated = true
            }
            var new = old
            let fate = self.mark(&new, options, context)
            if fate == .pending || context.isDryRun {
                return DeleteResult(object: new, isGone: fate == .gone)
            }
            let outcome = try await self.write(key, present, new, fate)
            switch outcome {
            case .written(let revision):
                new.metadata.resourceVersion = "\(revision)"
                if fate == .gone { await self.allocator?.release(old) }
                await self.settle(revision, context)
                return DeleteResult(object: new, isGone: fate == .gone)
            case .conflict(let now):
                current = now
            }
        }
    }

    private func write(
        _ key: Bytes,
        _ present: CachedObject,
        _ new: APIObject,
        _ fate: Fate
    ) async throws(StatusError) -> Outcome {
        if fate == .gone {
            return try await self.mapped { () throws(StoreError) in
                try await self.remove(key, expecting: present.revision)
            }
        }
        let value = try self.value(of: new)
        return try await self.mapped { () throws(StoreError) in
            try await self.put(key, value, expecting: present.revision, lease: present.lease)
        }
    }

    private func checkPreconditions(
        _ old: APIObject,
        _ options: DeleteOptions
    ) throws(StatusError) {
        let name = old.metadata.name
        if let uid = options.preconditionUID, uid != old.metadata.uid {
            throw .conflict(
                self.groupResource,
                name,
                "the UID in the precondition (\(uid)) does not match the UID in record "
                    + "(\(old.metadata.uid)). The object might have been deleted and then recreated"
            )
        }
        if let version = options.preconditionResourceVersion,
            version != old.metadata.resourceVersion
        {
            throw .conflict(
                self.groupResource,
                name,
                "the ResourceVersion in the precondition (\(version)) does not match the "
                    + "ResourceVersion in record (\(old.metadata.resourceVersion)). "
                    + "The object might have been modified"
            )
        }
    }

    // MARK: - Marking

    /// What a deletion comes to.
    private enum Fate {
        /// The object goes.
        case gone
        /// It stays, marked.
        case marked
        /// It is marked already, and nothing changes.
        case pending
    }

    /// Marks an object for deletion.
    private func mark(
        _ object: inout APIObject,
        _ options: DeleteOptions,
        _ context: WriteContext
    ) -> Fate {
        let before = object
        let isGraceful = self.markGraceful(&object, options, context)
        guard isGraceful != .pending else { return .pending }
        self.setFinalizers(&object, options)
        let stays =
            !object.metadata.finalizers.isEmpty || (self.strategy.mustStay?(object) ?? false)
        guard isGraceful == .marked || stays else { return .gone }
        if object.metadata.deletionTimestamp == nil {
            object.metadata.deletionTimestamp = MetaV1.Time(context.now)
            object.metadata.deletionGracePeriodSeconds = 0
            if object.metadata.generation > 0 { object.metadata.generation += 1 }
        } else if isGraceful == .gone {
            object.metadata.deletionGracePeriodSeconds = 0
        }
        self.strategy.markDeleted?(&object)
        return object == before ? .pending : .marked
    }

    /// Gives a grace period, or a shorter one than before.
    private func markGraceful(
        _ object: inout APIObject,
        _ options: DeleteOptions,
        _ context: WriteContext
    ) -> Fate {
        guard let gracePeriod = self.strategy.gracePeriod else { return .gone }
        if let marked = object.metadata.deletionTimestamp?.timestamp {
            let granted = object.metadata.deletionGracePeriodSeconds ?? 0
            guard granted > 0 else { return .gone }
            guard let wanted = options.gracePeriodSeconds, wanted < granted else {
                return .pending
            }
            let period = max(wanted, 0)
            if period == 0 { return .gone }
            object.metadata.deletionTimestamp = MetaV1.Time(
                Timestamp(seconds: marked.seconds - granted + period)
            )
            object.metadata.deletionGracePeriodSeconds = period
            return .marked
        }
        let period = gracePeriod(object, options.gracePeriodSeconds)
        if period == 0 { return .gone }
        object.metadata.deletionTimestamp = MetaV1.Time(
            Timestamp(seconds: context.now.seconds + period)
        )
        object.metadata.deletionGracePeriodSeconds = period
        if object.metadata.generation > 0 { object.metadata.generation += 1 }
        return .marked
    }

    /// Adds the garbage collector's finalizers as the options ask for them.
    ///
    /// Source: upstream k8s.io/apiserver `pkg/registry/generic/registry/store.go`
    /// (deletionFinalizersForGarbageCollection).
    private func setFinalizers(_ object: inout APIObject, _ options: DeleteOptions) {
        let present = object.metadata.finalizers
        let orphans: Bool
        let waits: Bool
        if let policy = options.propagationPolicy {
            orphans = policy == "Orphan"
            waits = policy == "Foreground"
        } else if let isOrphaning = options.orphanDependents {
            orphans = isOrphaning
            waits = false
        } else if present.contains(Self.orphan) || present.contains(Self.foreground) {
            return
        } else {
            orphans = self.strategy.dependents == .orphan
            waits = false
        }
        var wanted = present.filter { $0 != Self.orphan && $0 != Self.foreground }
        if orphans { wanted.append(Self.orphan) }
        if waits { wanted.append(Self.foreground) }
        if wanted.elementsEqual(present) { return }
        object.metadata.finalizers = []
        for finalizer in wanted { object.metadata.finalizers.append(finalizer) }
    }
}
