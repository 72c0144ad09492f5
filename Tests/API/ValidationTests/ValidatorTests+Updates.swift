// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension ValidatorTests {
    /// Messages are compared up to the first line break, after which upstream prints a difference.
    static let updates: [ValidationCase] = [
        .init(
            "ConfigMap",
            "name and namespace",
            #"{"metadata":{"name":"b","namespace":"m"}}"#,
            #"metadata.name: Invalid value: "b": field is immutable"#,
            #"metadata.namespace: Invalid value: "m": field is immutable"#
        ),
        .init(
            "ConfigMap",
            "uid",
            #"{"metadata":{"uid":"x"}}"#,
            #"metadata.uid: Invalid value: "x": field is immutable"#
        ),
        .init("Pod", "an image", #"{"spec":{"containers":[{"name":"c","image":"j"}]}}"#),
        .init(
            "Pod",
            "a container more",
            #"{"spec":{"containers":[{"name":"c","image":"i"},{"name":"d","image":"i"}]}}"#,
            "spec.containers: Forbidden: pod updates may not add or remove containers"
        ),
        .init(
            "Pod",
            "another field",
            #"{"spec":{"hostname":"h"}}"#,
            "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        ),
        .init("Pod", "a toleration more", #"{"spec":{"tolerations":[{"operator":"Exists"}]}}"#),
        .init(
            "Deployment",
            "the selector",
            #"{"spec":{"selector":{"matchLabels":{"app":"b"}},"template":{"metadata":{"labels":{"app":"b"}}}}}"#,
            #"spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable"#
        ),
        .init(
            "StatefulSet",
            "the name of the service",
            #"{"spec":{"serviceName":"t"}}"#,
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        ),
        .init(
            "Job",
            "completions",
            #"{"spec":{"completions":3,"parallelism":1}}"#,
            "spec.completions: Invalid value: 3: field is immutable"
        ),
        .init(
            "Service",
            "its address",
            #"{"spec":{"clusterIP":"10.0.0.2","clusterIPs":["10.0.0.2"]}}"#,
            #"spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set"#
        ),
        .init(
            "Secret",
            "its type",
            #"{"type":"x/y"}"#,
            #"type: Invalid value: "x/y": field is immutable"#
        ),
        .init(
            "RoleBinding",
            "its role",
            #"{"roleRef":{"kind":"Role","name":"s"}}"#,
            #"roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"s"}: cannot change roleRef"#
        ),
        .init(
            "StorageClass",
            "its parts",
            #"{"provisioner":"x","parameters":{"a":"b"},"reclaimPolicy":"Retain"}"#,
            "parameters: Forbidden: updates to parameters are forbidden.",
            "provisioner: Forbidden: updates to provisioner are forbidden.",
            "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."
        ),
        .init(
            "PersistentVolumeClaim",
            "its size",
            #"{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}"#,
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        ),
        .init(
            "PersistentVolume",
            "its source",
            #"{"spec":{"hostPath":{"path":"/b"}}}"#,
            "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"
        ),
        .init(
            "PriorityClass",
            "its value",
            #"{"value":6}"#,
            "value: Forbidden: may not be changed in an update."
        ),
        .init(
            "EndpointSlice",
            "its type",
            #"{"addressType":"FQDN","endpoints":[]}"#,
            #"addressType: Invalid value: "FQDN": field is immutable"#
        ),
    ]
}
