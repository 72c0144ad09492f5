// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `policy`.
    static let policy: [APIResource] = [
        APIResource(
            "poddisruptionbudgets",
            of: PolicyV1.PodDisruptionBudget.self,
            list: PolicyV1.PodDisruptionBudgetList.self,
            group: "policy",
            version: "v1",
            singular: "poddisruptionbudget",
            shortNames: ["pdb"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                PolicyV1.PodDisruptionBudget.self,
                at: "/registry/poddisruptionbudgets/",
                group: "policy",
                version: "v1",
                hash: "EVWiDmWqyJw="
            ),
            subresources: [
                Subresource(
                    "status",
                    of: PolicyV1.PodDisruptionBudget.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        )
    ]
}
