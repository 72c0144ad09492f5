// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of `apps`.
    static let apps: [APIResource] = [
        APIResource(
            "controllerrevisions",
            of: AppsV1.ControllerRevision.self,
            list: AppsV1.ControllerRevisionList.self,
            group: "apps",
            version: "v1",
            singular: "controllerrevision",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                AppsV1.ControllerRevision.self,
                at: "/registry/controllerrevisions/",
                group: "apps",
                version: "v1",
                hash: "85nkx63pcBU="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "daemonsets",
            of: AppsV1.DaemonSet.self,
            list: AppsV1.DaemonSetList.self,
            group: "apps",
            version: "v1",
            singular: "daemonset",
            shortNames: ["ds"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                AppsV1.DaemonSet.self,
                at: "/registry/daemonsets/",
                group: "apps",
                version: "v1",
                hash: "dd7pWHUlMKQ="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource("status", of: AppsV1.DaemonSet.self, verbs: [.get, .patch, .update])
            ]
        ),
        APIResource(
            "deployments",
            of: AppsV1.Deployment.self,
            list: AppsV1.DeploymentList.self,
            group: "apps",
            version: "v1",
            singular: "deployment",
            shortNames: ["deploy"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                AppsV1.Deployment.self,
                at: "/registry/deployments/",
                group: "apps",
                version: "v1",
                hash: "8aSe+NMegvE="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "scale",
                    of: AutoscalingV1.Scale.self,
                    group: "autoscaling",
                    version: "v1",
                    verbs: [.get, .patch, .update]
                ),
                Subresource("status", of: AppsV1.Deployment.self, verbs: [.get, .patch, .update]),
            ]
        ),
        APIResource(
            "replicasets",
            of: AppsV1.ReplicaSet.self,
            list: AppsV1.ReplicaSetList.self,
            group: "apps",
            version: "v1",
            singular: "replicaset",
            shortNames: ["rs"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                AppsV1.ReplicaSet.self,
                at: "/registry/replicasets/",
                group: "apps",
                version: "v1",
                hash: "P1RzHs8/mWQ="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "scale",
                    of: AutoscalingV1.Scale.self,
                    group: "autoscaling",
                    version: "v1",
                    verbs: [.get, .patch, .update]
                ),
                Subresource("status", of: AppsV1.ReplicaSet.self, verbs: [.get, .patch, .update]),
            ]
        ),
        APIResource(
            "statefulsets",
            of: AppsV1.StatefulSet.self,
            list: AppsV1.StatefulSetList.self,
            group: "apps",
            version: "v1",
            singular: "statefulset",
            shortNames: ["sts"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                AppsV1.StatefulSet.self,
                at: "/registry/statefulsets/",
                group: "apps",
                version: "v1",
                hash: "H+vl74LkKdo="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "scale",
                    of: AutoscalingV1.Scale.self,
                    group: "autoscaling",
                    version: "v1",
                    verbs: [.get, .patch, .update]
                ),
                Subresource("status", of: AppsV1.StatefulSet.self, verbs: [.get, .patch, .update]),
            ]
        ),
    ]
}
