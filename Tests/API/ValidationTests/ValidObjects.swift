// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Defaulting
import JSON
import KubernetesAPI
import ObjectModel
import Patches
import ResourceTable

/// One valid object of each kind that tests change.
enum ValidObjects {
    struct Failure: Error {}

    static func object(
        _ kind: String,
        patch: String
    ) throws -> (object: APIObject, resource: APIResource) {
        guard let (plural, group, text) = self.all[kind],
            let resource = ResourceTable.builtin.resources.first(where: {
                $0.plural == plural && $0.group == group && $0.isServedByDefault
            })
        else { throw Failure() }
        let tree = try DynamicValue(json: Array(text.utf8))
        let changed = try MergePatch.apply(DynamicValue(json: Array(patch.utf8)), to: tree)
        var object = try APIObject(changed, as: resource.schema)
        Defaulter.setDefaults(&object)
        return (object, resource)
    }

    private static let template =
        #"{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"c","image":"i"}]}}"#

    private static let namespaced = #""metadata":{"name":"a","namespace":"n"}"#
    private static let cluster = #""metadata":{"name":"a"}"#
    private static let selector = #""selector":{"matchLabels":{"app":"a"}}"#

    static let all: [String: (plural: String, group: String, text: String)] = [
        "Pod": (
            "pods", "",
            #"{\#(namespaced),"spec":{"containers":[{"name":"c","image":"i"}]}}"#
        ),
        "Deployment": (
            "deployments", "apps",
            #"{\#(namespaced),"spec":{\#(selector),"template":\#(template)}}"#
        ),
        "ReplicaSet": (
            "replicasets", "apps",
            #"{\#(namespaced),"spec":{\#(selector),"template":\#(template)}}"#
        ),
        "DaemonSet": (
            "daemonsets", "apps",
            #"{\#(namespaced),"spec":{\#(selector),"template":\#(template)}}"#
        ),
        "StatefulSet": (
            "statefulsets", "apps",
            #"{\#(namespaced),"spec":{"serviceName":"s",\#(selector),"template":\#(template)}}"#
        ),
        "Job": (
            "jobs", "batch",
            """
            {\(namespaced),"spec":{\(selector),"template":{"metadata":{"labels":{"app":"a"}},
            "spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}
            """
        ),
        "CronJob": (
            "cronjobs", "batch",
            """
            {\(namespaced),"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{"template":
            {"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}}}
            """
        ),
        "Service": (
            "services", "",
            #"{\#(namespaced),"spec":{"selector":{"app":"a"},"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ports":[{"port":80}]}}"#
        ),
        "ConfigMap": ("configmaps", "", #"{\#(namespaced),"data":{"a":"b"}}"#),
        "Secret": ("secrets", "", #"{\#(namespaced),"data":{"a":"Yg=="}}"#),
        "Namespace": ("namespaces", "", #"{\#(cluster)}"#),
        "Node": ("nodes", "", #"{\#(cluster)}"#),
        "PersistentVolumeClaim": (
            "persistentvolumeclaims", "",
            """
            {\(namespaced),"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"s",
            "resources":{"requests":{"storage":"1Gi"}}}}
            """
        ),
        "PersistentVolume": (
            "persistentvolumes", "",
            """
            {\(cluster),"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},
            "hostPath":{"path":"/a"}}}
            """
        ),
        "Role": (
            "roles", "rbac.authorization.k8s.io",
            #"{\#(namespaced),"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}"#
        ),
        "RoleBinding": (
            "rolebindings", "rbac.authorization.k8s.io",
            #"{\#(namespaced),"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"}]}"#
        ),
        "Ingress": (
            "ingresses", "networking.k8s.io",
            """
            {\(namespaced),"spec":{"rules":[{"host":"a.b","http":{"paths":[{"path":"/",
            "pathType":"Prefix","backend":{"service":{"name":"s","port":{"number":80}}}}]}}]}}
            """
        ),
        "NetworkPolicy": (
            "networkpolicies", "networking.k8s.io",
            #"{\#(namespaced),"spec":{"podSelector":{},"ingress":[{"from":[{"podSelector":{}}]}]}}"#
        ),
        "EndpointSlice": (
            "endpointslices", "discovery.k8s.io",
            #"{\#(namespaced),"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}]}"#
        ),
        "HorizontalPodAutoscaler": (
            "horizontalpodautoscalers", "autoscaling",
            #"{\#(namespaced),"spec":{"maxReplicas":3,"scaleTargetRef":{"kind":"Deployment","name":"d"}}}"#
        ),
        "PodDisruptionBudget": (
            "poddisruptionbudgets", "policy",
            #"{\#(namespaced),"spec":{"minAvailable":1,\#(selector)}}"#
        ),
        "PriorityClass": ("priorityclasses", "scheduling.k8s.io", #"{\#(cluster),"value":5}"#),
        "StorageClass": (
            "storageclasses", "storage.k8s.io", #"{\#(cluster),"provisioner":"p.q/r"}"#
        ),
        "LimitRange": (
            "limitranges", "",
            #"{\#(namespaced),"spec":{"limits":[{"type":"Container","max":{"cpu":"2"}}]}}"#
        ),
        "ResourceQuota": ("resourcequotas", "", #"{\#(namespaced),"spec":{"hard":{"pods":"2"}}}"#),
        "Lease": (
            "leases", "coordination.k8s.io", #"{\#(namespaced),"spec":{"leaseDurationSeconds":4}}"#
        ),
        "ServiceAccount": ("serviceaccounts", "", #"{\#(namespaced)}"#),
    ]
}
