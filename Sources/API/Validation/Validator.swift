// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KubernetesAPI
public import NameRules
public import ObjectModel
import Protobuf
public import ResourceTable

/// Says what is wrong with an object that is to be stored: all faults at once, in upstream's words.
///
/// Objects are validated after defaulting and admission, so that an empty field that has a default
/// is a fault. Kinds without rules of their own have those of metadata. Rules behind feature gates
/// follow upstream's default of the gate.
///
/// Source: upstream `pkg/apis/*/validation/validation.go` and the strategies in `pkg/registry`.
public enum Validator {
    /// The faults of an object that is to be created.
    public static func validateCreate(
        _ object: APIObject,
        _ resource: APIResource
    ) -> FieldErrors {
        var errors = FieldErrors()
        if object.hasMetadata {
            errors.within("metadata") { errors in
                errors.validateMetadata(object.metadata, resource)
                Self.validateFinalizers(&errors, object, resource)
            }
        }
        KindRules.all[object.schema.fullName]?.create(&errors, object)
        return errors
    }

    /// The faults of an object that is to replace an older state of it.
    ///
    /// - Parameter subresource: the part that is written, such as `status`; nil for the whole.
    public static func validateUpdate(
        _ new: APIObject,
        old: APIObject,
        _ resource: APIResource,
        subresource: String?
    ) -> FieldErrors {
        var errors = FieldErrors()
        if new.hasMetadata {
            errors.within("metadata") { errors in
                errors.validateMetadataUpdate(new.metadata, old: old.metadata)
                Self.validateFinalizers(&errors, new, resource)
            }
        }
        let part = subresource.flatMap { $0.isEmpty ? nil : $0 }
        KindRules.all[new.schema.fullName]?.update(&errors, new, old, part)
        return errors
    }

    /// Groups whose objects may have finalizers of any name, as custom resources may.
    private static let groupsOfFreeFinalizers: Set<String> = [
        "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io",
    ]

    private static func validateFinalizers(
        _ errors: inout FieldErrors,
        _ object: APIObject,
        _ resource: APIResource
    ) {
        guard !self.groupsOfFreeFinalizers.contains(resource.group) else { return }
        errors.validateKubernetesFinalizers(Array(object.metadata.finalizers))
    }

    /// The faults of a Service's addresses and families alone, which are looked for before it is
    /// given the ones that it lacks.
    ///
    /// - Parameter errors: takes them; its path is that of `spec`.
    public static func validateServiceAddresses(
        _ service: CoreV1.Service,
        _ errors: inout FieldErrors
    ) {
        errors.validateClusterIPs(service)
    }
}
