// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `scheduling.k8s.io`.
    static let scheduling: [APIResource] = [
        APIResource(
            "priorityclasses",
            of: SchedulingV1.PriorityClass.self,
            list: SchedulingV1.PriorityClassList.self,
            group: "scheduling.k8s.io",
            version: "v1",
            singular: "priorityclass",
            shortNames: ["pc"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                SchedulingV1.PriorityClass.self,
                at: "/registry/priorityclasses/",
                group: "scheduling.k8s.io",
                version: "v1",
                hash: "1QwjyaZjj3Y="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "podgroups",
            of: SchedulingV1alpha2.PodGroup.self,
            list: SchedulingV1alpha2.PodGroupList.self,
            group: "scheduling.k8s.io",
            version: "v1alpha2",
            singular: "podgroup",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            featureGate: "GenericWorkload",
            storage: Storage(
                SchedulingV1alpha2.PodGroup.self,
                at: "/registry/podgroups/",
                group: "scheduling.k8s.io",
                version: "v1alpha2",
                hash: "YYgX3v5V204="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: SchedulingV1alpha2.PodGroup.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "workloads",
            of: SchedulingV1alpha2.Workload.self,
            list: SchedulingV1alpha2.WorkloadList.self,
            group: "scheduling.k8s.io",
            version: "v1alpha2",
            singular: "workload",
            scope: .namespaced,
            verbs: .all,
            isServedByDefault: false,
            featureGate: "GenericWorkload",
            storage: Storage(
                SchedulingV1alpha2.Workload.self,
                at: "/registry/workloads/",
                group: "scheduling.k8s.io",
                version: "v1alpha2",
                hash: "vSX7gJe5Mx8="
            ),
            behaviour: [.unconditionalUpdate]
        ),
    ]
}
