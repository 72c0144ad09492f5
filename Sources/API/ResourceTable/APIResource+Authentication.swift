// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `authentication.k8s.io`.
    static let authentication: [APIResource] = [
        APIResource(
            "selfsubjectreviews",
            of: AuthenticationV1.SelfSubjectReview.self,
            group: "authentication.k8s.io",
            version: "v1",
            singular: "selfsubjectreview",
            scope: .cluster,
            verbs: .create
        ),
        APIResource(
            "tokenreviews",
            of: AuthenticationV1.TokenReview.self,
            group: "authentication.k8s.io",
            version: "v1",
            singular: "tokenreview",
            scope: .cluster,
            verbs: .create
        ),
    ]
}
