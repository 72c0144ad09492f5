// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KeyValueStore
import KubernetesAPI
import NameRules
package import ObjectModel
import Protobuf
import ResourceTable

extension ResourceStore {
    /// How often a name is made up before the last conflict is told.
    private static let nameAttempts = 8

    /// Stores a new object and answers it as it was stored.
    ///
    /// - Parameter object: with its namespace set, after defaulting.
    package func create(
        _ object: APIObject,
        _ context: WriteContext
    ) async throws(StatusError) -> APIObject {
        guard object.metadata.resourceVersion.isEmpty else {
            throw StatusError(
                .unknown,
                code: 500,
                "resourceVersion should not be set on objects to be created"
            )
        }
        let isNameMadeUp = object.metadata.name.isEmpty && !object.metadata.generateName.isEmpty
        var attempt = 1
        while true {
            do throws(StatusError) {
                return try await self.createOnce(object, context)
            } catch {
                let isTaken = error.reason == .alreadyExists
                guard isNameMadeUp, isTaken, attempt < Self.nameAttempts else { throw error }
                attempt += 1
            }
        }
    }

    private func createOnce(
        _ object: APIObject,
        _ context: WriteContext
    ) async throws(StatusError) -> APIObject {
        var object = object
        if object.metadata.name.isEmpty, !object.metadata.generateName.isEmpty {
            object.metadata.name = Identifiers.name(from: object.metadata.generateName)
        }
        try await context.hooks.mutate(&object, old: nil)
        self.prepareForCreate(&object, context)
        guard let allocator = self.allocator else {
            return try await self.check(andStore: object, context)
        }
        let allocation = try await allocator.allocate(
            &object,
            old: nil,
            isDryRun: context.isDryRun
        )
        do throws(StatusError) {
            let stored = try await self.check(andStore: object, context)
            await allocation.commit()
            return stored
        } catch {
            await allocation.revert()
            throw error
        }
    }

    private func check(
        andStore object: APIObject,
        _ context: WriteContext
    ) async throws(StatusError) -> APIObject {
        let errors = Semantics.validateCreate(object, self.resource)
        if !errors.isEmpty { throw self.invalid(object, errors) }
        try await context.hooks.validate(object, old: nil)
        return try await self.store(new: object, context)
    }

    /// What the server decides of a new object.
    private func prepareForCreate(_ object: inout APIObject, _ context: WriteContext) {
        if self.hasStatus, !self.strategy.keepsStatusAtCreation { object.clearPart("status") }
        object.metadata.deletionTimestamp = nil
        object.metadata.deletionGracePeriodSeconds = nil
        object.metadata.selfLink = ""
        object.metadata.uid = Identifiers.uid()
        object.metadata.creationTimestamp = MetaV1.Time(context.now)
        switch self.strategy.generation {
        case .none: break
        case .spec, .specAndAnnotations, .content: object.metadata.generation = 1
        }
        self.strategy.prepareForCreate?(&object, context.now)
    }

    private func store(
        new object: APIObject,
        _ context: WriteContext
    ) async throws(StatusError) -> APIObject {
        let name = object.metadata.name
        let key = self.key(object.metadata.namespace, name)
        var stored = object
        if context.isDryRun {
            let existing = try await self.mapped { () throws(StoreError) in
                try await self.read(key)
            }
            guard existing == nil else { throw .alreadyExists(self.groupResource, name) }
            return stored
        }
        let value = try self.value(of: object)
        let outcome = try await self.mapped { () throws(StoreError) in
            var lease: Int64 = 0
            if let seconds = self.strategy.lifetimeSeconds {
                lease = try await self.leases.lease(seconds: seconds)
            }
            return try await self.put(key, value, expecting: 0, lease: lease)
        }
        guard case .written(let revision) = outcome else {
            throw .alreadyExists(self.groupResource, name)
        }
        stored.metadata.resourceVersion = "\(revision)"
        await self.settle(revision, context)
        return stored
    }

    func invalid(_ object: APIObject, _ errors: FieldErrors) -> StatusError {
        .invalid(
            kind: self.resource.kind,
            group: self.resource.group,
            name: object.metadata.name,
            errors
        )
    }
}
