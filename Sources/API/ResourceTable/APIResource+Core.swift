// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension APIResource {
    /// The resources of the core group.
    static let core: [APIResource] = [
        APIResource(
            "bindings",
            of: CoreV1.Binding.self,
            group: "",
            version: "v1",
            singular: "binding",
            scope: .namespaced,
            verbs: .create
        ),
        APIResource(
            "componentstatuses",
            of: CoreV1.ComponentStatus.self,
            list: CoreV1.ComponentStatusList.self,
            group: "",
            version: "v1",
            singular: "componentstatus",
            shortNames: ["cs"],
            scope: .cluster,
            verbs: [.get, .list]
        ),
        APIResource(
            "configmaps",
            of: CoreV1.ConfigMap.self,
            list: CoreV1.ConfigMapList.self,
            group: "",
            version: "v1",
            singular: "configmap",
            shortNames: ["cm"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.ConfigMap.self,
                at: "/registry/configmaps/",
                group: "",
                version: "v1",
                hash: "qFsyl6wFWjQ="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "endpoints",
            of: CoreV1.Endpoints.self,
            list: CoreV1.EndpointsList.self,
            group: "",
            version: "v1",
            singular: "endpoints",
            shortNames: ["ep"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.Endpoints.self,
                at: "/registry/services/endpoints/",
                group: "",
                version: "v1",
                hash: "fWeeMqaN/OA="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        ),
        APIResource(
            "events",
            of: CoreV1.Event.self,
            list: CoreV1.EventList.self,
            group: "",
            version: "v1",
            singular: "event",
            shortNames: ["ev"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.Event.self,
                at: "/registry/events/",
                group: "",
                version: "v1",
                hash: "r2yiGXH7wu8="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        ),
        APIResource(
            "limitranges",
            of: CoreV1.LimitRange.self,
            list: CoreV1.LimitRangeList.self,
            group: "",
            version: "v1",
            singular: "limitrange",
            shortNames: ["limits"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.LimitRange.self,
                at: "/registry/limitranges/",
                group: "",
                version: "v1",
                hash: "EBKMFVe6cwo="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate]
        ),
        APIResource(
            "namespaces",
            of: CoreV1.Namespace.self,
            list: CoreV1.NamespaceList.self,
            group: "",
            version: "v1",
            singular: "namespace",
            shortNames: ["ns"],
            scope: .cluster,
            verbs: [.create, .delete, .get, .list, .patch, .update, .watch],
            storage: Storage(
                CoreV1.Namespace.self,
                at: "/registry/namespaces/",
                group: "",
                version: "v1",
                hash: "Q3oi5N2YM8M="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource("finalize", of: CoreV1.Namespace.self, verbs: .update),
                Subresource("status", of: CoreV1.Namespace.self, verbs: [.get, .patch, .update]),
            ]
        ),
        APIResource(
            "nodes",
            of: CoreV1.Node.self,
            list: CoreV1.NodeList.self,
            group: "",
            version: "v1",
            singular: "node",
            shortNames: ["no"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                CoreV1.Node.self,
                at: "/registry/minions/",
                group: "",
                version: "v1",
                hash: "XwShjMxG9Fs="
            ),
            behaviour: [.unconditionalUpdate],
            subresources: [
                Subresource(
                    "proxy",
                    of: CoreV1.NodeProxyOptions.self,
                    verbs: [.create, .delete, .get, .patch, .update]
                ),
                Subresource("status", of: CoreV1.Node.self, verbs: [.get, .patch, .update]),
            ]
        ),
        APIResource(
            "persistentvolumeclaims",
            of: CoreV1.PersistentVolumeClaim.self,
            list: CoreV1.PersistentVolumeClaimList.self,
            group: "",
            version: "v1",
            singular: "persistentvolumeclaim",
            shortNames: ["pvc"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.PersistentVolumeClaim.self,
                at: "/registry/persistentvolumeclaims/",
                group: "",
                version: "v1",
                hash: "QWTyNDq0dC4="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: CoreV1.PersistentVolumeClaim.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "persistentvolumes",
            of: CoreV1.PersistentVolume.self,
            list: CoreV1.PersistentVolumeList.self,
            group: "",
            version: "v1",
            singular: "persistentvolume",
            shortNames: ["pv"],
            scope: .cluster,
            verbs: .all,
            storage: Storage(
                CoreV1.PersistentVolume.self,
                at: "/registry/persistentvolumes/",
                group: "",
                version: "v1",
                hash: "HN/zwEC+JgM="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: CoreV1.PersistentVolume.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "pods",
            of: CoreV1.Pod.self,
            list: CoreV1.PodList.self,
            group: "",
            version: "v1",
            singular: "pod",
            shortNames: ["po"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.Pod.self,
                at: "/registry/pods/",
                group: "",
                version: "v1",
                hash: "xPOwRZ+Yhw8="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource("attach", of: CoreV1.PodAttachOptions.self, verbs: [.create, .get]),
                Subresource("binding", of: CoreV1.Binding.self, verbs: .create),
                Subresource(
                    "ephemeralcontainers",
                    of: CoreV1.Pod.self,
                    verbs: [.get, .patch, .update]
                ),
                Subresource(
                    "eviction",
                    of: PolicyV1.Eviction.self,
                    group: "policy",
                    version: "v1",
                    verbs: .create
                ),
                Subresource("exec", of: CoreV1.PodExecOptions.self, verbs: [.create, .get]),
                Subresource("log", of: CoreV1.Pod.self, verbs: .get),
                Subresource(
                    "portforward",
                    of: CoreV1.PodPortForwardOptions.self,
                    verbs: [.create, .get]
                ),
                Subresource(
                    "proxy",
                    of: CoreV1.PodProxyOptions.self,
                    verbs: [.create, .delete, .get, .patch, .update]
                ),
                Subresource("resize", of: CoreV1.Pod.self, verbs: [.get, .patch, .update]),
                Subresource("status", of: CoreV1.Pod.self, verbs: [.get, .patch, .update]),
            ]
        ),
        APIResource(
            "podtemplates",
            of: CoreV1.PodTemplate.self,
            list: CoreV1.PodTemplateList.self,
            group: "",
            version: "v1",
            singular: "podtemplate",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.PodTemplate.self,
                at: "/registry/podtemplates/",
                group: "",
                version: "v1",
                hash: "LIXB2x4IFpk="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject]
        ),
        APIResource(
            "replicationcontrollers",
            of: CoreV1.ReplicationController.self,
            list: CoreV1.ReplicationControllerList.self,
            group: "",
            version: "v1",
            singular: "replicationcontroller",
            shortNames: ["rc"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.ReplicationController.self,
                at: "/registry/controllers/",
                group: "",
                version: "v1",
                hash: "Jond2If31h0="
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
                Subresource(
                    "status",
                    of: CoreV1.ReplicationController.self,
                    verbs: [.get, .patch, .update]
                ),
            ]
        ),
        APIResource(
            "resourcequotas",
            of: CoreV1.ResourceQuota.self,
            list: CoreV1.ResourceQuotaList.self,
            group: "",
            version: "v1",
            singular: "resourcequota",
            shortNames: ["quota"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.ResourceQuota.self,
                at: "/registry/resourcequotas/",
                group: "",
                version: "v1",
                hash: "8uhSgffRX6w="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "status",
                    of: CoreV1.ResourceQuota.self,
                    verbs: [.get, .patch, .update]
                )
            ]
        ),
        APIResource(
            "secrets",
            of: CoreV1.Secret.self,
            list: CoreV1.SecretList.self,
            group: "",
            version: "v1",
            singular: "secret",
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.Secret.self,
                at: "/registry/secrets/",
                group: "",
                version: "v1",
                hash: "S6u1pOWzb84="
            ),
            behaviour: [.unconditionalUpdate]
        ),
        APIResource(
            "serviceaccounts",
            of: CoreV1.ServiceAccount.self,
            list: CoreV1.ServiceAccountList.self,
            group: "",
            version: "v1",
            singular: "serviceaccount",
            shortNames: ["sa"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.ServiceAccount.self,
                at: "/registry/serviceaccounts/",
                group: "",
                version: "v1",
                hash: "pbx9ZvyFpBE="
            ),
            behaviour: [.unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "token",
                    of: AuthenticationV1.TokenRequest.self,
                    group: "authentication.k8s.io",
                    version: "v1",
                    verbs: .create
                )
            ]
        ),
        APIResource(
            "services",
            of: CoreV1.Service.self,
            list: CoreV1.ServiceList.self,
            group: "",
            version: "v1",
            singular: "service",
            shortNames: ["svc"],
            categories: ["all"],
            scope: .namespaced,
            verbs: .all,
            storage: Storage(
                CoreV1.Service.self,
                at: "/registry/services/specs/",
                group: "",
                version: "v1",
                hash: "0/CO1lhkEBI="
            ),
            behaviour: [.createOnUpdate, .unconditionalUpdate, .deleteReturnsObject],
            subresources: [
                Subresource(
                    "proxy",
                    of: CoreV1.ServiceProxyOptions.self,
                    verbs: [.create, .delete, .get, .patch, .update]
                ),
                Subresource("status", of: CoreV1.Service.self, verbs: [.get, .patch, .update]),
            ]
        ),
    ]
}
