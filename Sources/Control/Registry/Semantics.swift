// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import ObjectModel
import ResourceTable
import Validation

/// The one place where the registry asks what an object may say.
enum Semantics {
    /// What is wrong with a new object.
    static func validateCreate(_ object: APIObject, _ resource: APIResource) -> FieldErrors {
        Validator.validateCreate(object, resource)
    }

    /// What is wrong with a change of an object.
    static func validateUpdate(
        _ new: APIObject,
        old: APIObject,
        _ resource: APIResource,
        subresource: String?
    ) -> FieldErrors {
        var new = new
        // An update that names no version is one of the present version.
        if new.metadata.resourceVersion.isEmpty {
            new.metadata.resourceVersion = old.metadata.resourceVersion
        }
        return Validator.validateUpdate(new, old: old, resource, subresource: subresource)
    }
}
