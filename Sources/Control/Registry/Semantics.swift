// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import ObjectModel
import Protobuf
import ResourceTable

/// The one place where the registry asks what an object may say.
enum Semantics {
    /// What is wrong with a new object.
    static func validateCreate(_ object: APIObject, _ resource: APIResource) -> FieldErrors {
        var errors = FieldErrors()
        let metadata = object.metadata
        errors.within("metadata") { errors in
            errors.validateNames(
                metadata.name,
                generateName: metadata.generateName,
                NameRule(kind: resource.kind, group: resource.group)
            )
        }
        return errors
    }

    /// What is wrong with a change of an object.
    static func validateUpdate(
        _ new: APIObject,
        old: APIObject,
        _ resource: APIResource,
        subresource: String?
    ) -> FieldErrors {
        FieldErrors()
    }
}
