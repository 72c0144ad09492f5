// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import NameRules
import Protobuf
import ResourceTable

// Source: apimachinery `pkg/api/validation/objectmeta.go`.

extension FieldErrors {
    mutating func validateMetadata(_ metadata: MetaV1.ObjectMeta, _ resource: APIResource) {
        self.validateMetadata(
            metadata,
            isNamespaced: resource.isNamespaced,
            NameRule(kind: resource.kind, group: resource.group)
        )
    }

    mutating func validateMetadata(
        _ metadata: MetaV1.ObjectMeta,
        isNamespaced: Bool,
        _ rule: NameRule
    ) {
        self.validateNames(metadata.name, generateName: metadata.generateName, rule)
        self.validateNamespace(metadata.namespace, isNamespaced: isNamespaced)
        self.validateNonnegative(at: "generation", metadata.generation)
        self.validateLabels(metadata.labels)
        self.validateAnnotations(metadata.annotations)
        self.validateOwners(metadata.ownerReferences)
        self.validateFinalizers(Array(metadata.finalizers))
        self.validateManagedFields(metadata.managedFields)
    }

    mutating func validateMetadataUpdate(
        _ new: MetaV1.ObjectMeta,
        old: MetaV1.ObjectMeta
    ) {
        if old.deletionTimestamp != nil {
            self.validateNoNewFinalizers(Array(new.finalizers), old: Array(old.finalizers))
        }
        if new.resourceVersion.isEmpty {
            self.invalid(at: "resourceVersion", "", "must be specified for an update")
        }
        if new.generation < old.generation {
            self.invalid(at: "generation", .integer(new.generation), "must not be decremented")
        }
        self.immutable(at: "name", new.name, old.name)
        self.immutable(at: "namespace", new.namespace, old.namespace)
        self.immutable(at: "uid", new.uid, old.uid)
        if new.creationTimestamp != old.creationTimestamp {
            self.immutable(at: "creationTimestamp", .message(new.creationTimestamp))
        }
        if new.deletionTimestamp != old.deletionTimestamp {
            self.immutable(at: "deletionTimestamp", .message(new.deletionTimestamp))
        }
        if new.deletionGracePeriodSeconds != old.deletionGracePeriodSeconds {
            self.immutable(
                at: "deletionGracePeriodSeconds",
                .optional(new.deletionGracePeriodSeconds)
            )
        }
        self.validateLabels(new.labels)
        self.validateAnnotations(new.annotations)
        self.validateOwners(new.ownerReferences)
        self.validateManagedFields(new.managedFields)
    }

    private mutating func validateOwners(_ owners: RepeatedField<MetaV1.OwnerReference>) {
        var controller: String?
        for owner in owners {
            self.validateOwnerReference(
                apiVersion: owner.apiVersion,
                kind: owner.kind,
                name: owner.name,
                uid: owner.uid,
                json: owner.jsonForMessage
            )
            guard owner.controller == true else { continue }
            if let first = controller {
                self.invalid(
                    at: "ownerReferences",
                    .list(owners),
                    "Only one reference can have Controller set to true. Found \"true\" in "
                        + "references for \(first) and \(owner.name)"
                )
            } else {
                controller = owner.name
            }
        }
    }

    private mutating func validateManagedFields(
        _ entries: RepeatedField<MetaV1.ManagedFieldsEntry>
    ) {
        for (index, entry) in entries.enumerated() {
            self.within("managedFields", index: index) { errors in
                if entry.operation != "Apply" && entry.operation != "Update" {
                    errors.invalid(
                        at: "operation",
                        .string(entry.operation),
                        "must be `Apply` or `Update`"
                    )
                }
                if !entry.fieldsType.isEmpty && entry.fieldsType != "FieldsV1" {
                    errors.invalid(
                        at: "fieldsType",
                        .string(entry.fieldsType),
                        "must be `FieldsV1`"
                    )
                }
                errors.validateFieldManager(at: "manager", entry.manager)
                if entry.subresource.utf8.count > APILimits.managedFieldsSubresourceMaxLength {
                    errors.tooLong(
                        at: "subresource",
                        limit: APILimits.managedFieldsSubresourceMaxLength
                    )
                }
            }
        }
    }
}
