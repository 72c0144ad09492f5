// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `coordination.k8s.io`.
    static let coordination: [APIResource] = [
        APIResource(
            "leases",
            of: CoordinationV1.Lease.self,
            list: CoordinationV1.LeaseList.self,
            group: "coordination.k8s.io",
            version: "v1",
            singular: "lease",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoordinationV1.Lease.self,
                at: "/registry/leases/",
                group: "coordination.k8s.io",
                version: "v1",
                hash: "gqkMMb/YqFM="
            ),
            behaviour: [.createOnUpdate]
        ),
        APIResource(
            "leasecandidates",
            of: CoordinationV1alpha2.LeaseCandidate.self,
            list: CoordinationV1alpha2.LeaseCandidateList.self,
            group: "coordination.k8s.io",
            version: "v1alpha2",
            singular: "leasecandidate",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                CoordinationV1beta1.LeaseCandidate.self,
                at: "/registry/leasecandidates/",
                group: "coordination.k8s.io",
                version: "v1beta1",
                hash: "lvME0iHWE20="
            ),
            behaviour: [.createOnUpdate]
        ),
        APIResource(
            "leasecandidates",
            of: CoordinationV1beta1.LeaseCandidate.self,
            list: CoordinationV1beta1.LeaseCandidateList.self,
            group: "coordination.k8s.io",
            version: "v1beta1",
            singular: "leasecandidate",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            storage: Storage(
                CoordinationV1beta1.LeaseCandidate.self,
                at: "/registry/leasecandidates/",
                group: "coordination.k8s.io",
                version: "v1beta1",
                hash: "lvME0iHWE20="
            ),
            behaviour: [.createOnUpdate]
        ),
    ]
}
