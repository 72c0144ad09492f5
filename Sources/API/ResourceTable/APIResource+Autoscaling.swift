// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `autoscaling`.
    static let autoscaling: [APIResource] = [
        APIResource(
            "horizontalpodautoscalers",
            of: AutoscalingV1.HorizontalPodAutoscaler.self,
            list: AutoscalingV1.HorizontalPodAutoscalerList.self,
            group: "autoscaling",
            version: "v1",
            singular: "horizontalpodautoscaler",
            shortNames: ["hpa"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                AutoscalingV2.HorizontalPodAutoscaler.self,
                at: "/registry/horizontalpodautoscalers/",
                group: "autoscaling",
                version: "v2",
                hash: "qwQve8ut294="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: AutoscalingV1.HorizontalPodAutoscaler.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "horizontalpodautoscalers",
            of: AutoscalingV2.HorizontalPodAutoscaler.self,
            list: AutoscalingV2.HorizontalPodAutoscalerList.self,
            group: "autoscaling",
            version: "v2",
            singular: "horizontalpodautoscaler",
            shortNames: ["hpa"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                AutoscalingV2.HorizontalPodAutoscaler.self,
                at: "/registry/horizontalpodautoscalers/",
                group: "autoscaling",
                version: "v2",
                hash: "qwQve8ut294="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "status",
                    of: AutoscalingV2.HorizontalPodAutoscaler.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
    ]
}
