// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `authorization.k8s.io`.
    static let authorization: [APIResource] = [
        APIResource(
            "localsubjectaccessreviews",
            of: AuthorizationV1.LocalSubjectAccessReview.self,
            group: "authorization.k8s.io",
            version: "v1",
            singular: "localsubjectaccessreview",
            scope: .namespaced,
            verbs: .create
        ),
        APIResource(
            "selfsubjectaccessreviews",
            of: AuthorizationV1.SelfSubjectAccessReview.self,
            group: "authorization.k8s.io",
            version: "v1",
            singular: "selfsubjectaccessreview",
            scope: .cluster,
            verbs: .create
        ),
        APIResource(
            "selfsubjectrulesreviews",
            of: AuthorizationV1.SelfSubjectRulesReview.self,
            group: "authorization.k8s.io",
            version: "v1",
            singular: "selfsubjectrulesreview",
            scope: .cluster,
            verbs: .create
        ),
        APIResource(
            "subjectaccessreviews",
            of: AuthorizationV1.SubjectAccessReview.self,
            group: "authorization.k8s.io",
            version: "v1",
            singular: "subjectaccessreview",
            scope: .cluster,
            verbs: .create
        ),
    ]
}
