// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Clocks
import JSON
import KubernetesAPI
package import ObjectModel
package import Protobuf
package import ResourceClient
package import Selectors

/// Takes over what a controller selects and nobody controls, and lets go of what it no longer
/// selects.
///
/// Source: upstream `pkg/controller/controller_ref_manager.go`.
package struct Ownership<Owner: Message, Object: Message>: Sendable {
    private let owners: Client<Owner>
    private let objects: Client<Object>

    package init(owners: Client<Owner>, objects: Client<Object>) {
        self.owners = owners
        self.objects = objects
    }

    /// The objects that are the owner's now.
    ///
    /// - Parameters:
    ///   - finalizer: added to what is adopted.
    ///   - canAdopt: further conditions on what is taken over.
    package func claim(
        _ owner: Owner,
        _ selector: LabelSelector,
        owned: [Object],
        orphans: [Object],
        finalizer: String? = nil,
        canAdopt: (Object) -> Bool = { _ in true }
    ) async throws(StatusError) -> [Object] {
        let metadata = owner.objectMetadata
        var claimed: [Object] = []
        for object in owned {
            if selector.matches(object.objectMetadata) || metadata.deletionTimestamp != nil {
                claimed.append(object)
            } else {
                try await self.release(object, from: metadata.uid)
            }
        }
        guard metadata.deletionTimestamp == nil, !selector.matchesNothing else { return claimed }
        var isConfirmed = false
        for object in orphans
        where object.objectMetadata.deletionTimestamp == nil
            && selector.matches(object.objectMetadata) && canAdopt(object)
        {
            // The cache may not know yet that the owner is gone or going.
            if !isConfirmed {
                let live = try await self.owners.get(metadata.name, in: metadata.namespace)
                let now = live.objectMetadata
                guard now.uid == metadata.uid, now.deletionTimestamp == nil else { return claimed }
                isConfirmed = true
            }
            if let adopted = try await self.adopt(object, owner, finalizer) {
                claimed.append(adopted)
            }
        }
        return claimed
    }

    private func adopt(
        _ object: Object,
        _ owner: Owner,
        _ finalizer: String?
    ) async throws(StatusError) -> Object? {
        let metadata = object.objectMetadata
        var references = metadata.ownerReferences.map(\.tree)
        references.append(MetaV1.OwnerReference.controller(owner).tree)
        var change: DynamicValue = ["uid": DynamicValue(metadata.uid)]
        change["ownerReferences"] = DynamicValue(references)
        change["resourceVersion"] = DynamicValue(metadata.resourceVersion)
        if let finalizer, !metadata.finalizers.contains(finalizer) {
            change["finalizers"] = DynamicValue(
                (metadata.finalizers + [finalizer]).map { DynamicValue($0) }
            )
        }
        do throws(StatusError) {
            return try await self.objects.patch(
                metadata.name,
                in: metadata.namespace,
                .merge,
                ["metadata": change]
            )
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private func release(_ object: Object, from uid: String) async throws(StatusError) {
        let metadata = object.objectMetadata
        let references = metadata.ownerReferences.filter { $0.uid != uid }.map(\.tree)
        do throws(StatusError) {
            _ = try await self.objects.patch(
                metadata.name,
                in: metadata.namespace,
                .merge,
                [
                    "metadata": [
                        "uid": DynamicValue(metadata.uid),
                        "resourceVersion": DynamicValue(metadata.resourceVersion),
                        "ownerReferences": references.isEmpty
                            ? .null : DynamicValue(references),
                    ]
                ]
            )
        } catch {
            // Gone, or another of the same name: there is nothing to let go of.
            if error.isNotFound || error.isInvalid { return }
            throw error
        }
    }
}
