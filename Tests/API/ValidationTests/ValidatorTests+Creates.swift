// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension ValidatorTests {
    static let creates: [ValidationCase] =
        Self.metadata + Self.pods + Self.services + Self.workloads + Self.others

    private static let metadata: [ValidationCase] = [
        .init(
            "ConfigMap",
            "no name",
            #"{"metadata":{"name":null}}"#,
            "metadata.name: Required value: name or generateName is required"
        ),
        .init(
            "ConfigMap",
            "a bad name",
            #"{"metadata":{"name":"A"}}"#,
            #"metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#
        ),
        .init(
            "Namespace",
            "a namespace in a namespace",
            #"{"metadata":{"namespace":"n"}}"#,
            "metadata.namespace: Forbidden: not allowed on this type"
        ),
        .init(
            "ConfigMap",
            "no namespace",
            #"{"metadata":{"namespace":null}}"#,
            "metadata.namespace: Required value"
        ),
        .init(
            "ConfigMap",
            "two controllers",
            #"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"K","name":"x","uid":"1","controller":true},{"apiVersion":"v1","kind":"K","name":"y","uid":"2","controller":true}]}}"#,
            #"metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"K","name":"x","uid":"1","controller":true},{"apiVersion":"v1","kind":"K","name":"y","uid":"2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for x and y"#
        ),
    ]

    private static let pods: [ValidationCase] = [
        .init(
            "Pod",
            "no containers",
            #"{"spec":{"containers":[]}}"#,
            "spec.containers: Required value"
        ),
        .init(
            "Pod",
            "no image",
            #"{"spec":{"containers":[{"name":"c"}]}}"#,
            "spec.containers[0].image: Required value"
        ),
        .init(
            "Pod",
            "white space",
            #"{"spec":{"containers":[{"name":"c","image":" i"}]}}"#,
            #"spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace"#
        ),
        .init(
            "Pod",
            "one name twice",
            #"{"spec":{"containers":[{"name":"c","image":"i"},{"name":"c","image":"i"}]}}"#,
            #"spec.containers[1].name: Duplicate value: "c""#
        ),
        .init(
            "Pod",
            "a mount without volume",
            #"{"spec":{"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/v"}]}]}}"#,
            #"spec.containers[0].volumeMounts[0].name: Not found: "v""#
        ),
        .init(
            "Pod",
            "one path twice",
            #"{"spec":{"volumes":[{"name":"v"}],"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/v"},{"name":"v","mountPath":"/v"}]}]}}"#,
            #"spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique"#
        ),
        .init(
            "Pod",
            "requests over limits",
            #"{"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}]}}"#,
            #"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#
        ),
        .init(
            "Pod",
            "a negative limit",
            #"{"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"-1"},"requests":{"cpu":"-1"}}}]}}"#,
            #"spec.containers[0].resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0"#,
            #"spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0"#
        ),
        .init(
            "Pod",
            "an unknown resource",
            #"{"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"foo":"1"}}}]}}"#,
            #"spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified"#,
            #"spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers"#
        ),
        .init(
            "Pod",
            "ports",
            #"{"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":0},{"containerPort":70000},{"containerPort":80,"hostPort":80},{"containerPort":81,"hostPort":80,"name":"UP"},{"containerPort":1,"protocol":"X"}]}]}}"#,
            "spec.containers[0].ports[0].containerPort: Required value",
            "spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            #"spec.containers[0].ports[3].name: Invalid value: "UP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"#,
            #"spec.containers[0].ports[3].name: Invalid value: "UP": must contain at least one letter (a-z)"#,
            #"spec.containers[0].ports[4].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP""#,
            #"spec.containers[0].ports[3].hostPort: Duplicate value: "TCP//80""#
        ),
        .init(
            "Pod",
            "variables",
            #"{"spec":{"containers":[{"name":"c","image":"i","env":[{"name":"","value":"x"},{"name":"A","value":"x","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"spec.foo"}}},{"name":"C","valueFrom":{}}]}]}}"#,
            "spec.containers[0].env[0].name: Required value",
            #"spec.containers[0].env[1].valueFrom: Invalid value: "": may not be specified when `value` is not empty"#,
            #"spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo"#,
            #"spec.containers[0].env[3].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"#
        ),
        .init(
            "Pod",
            "probes",
            #"{"spec":{"containers":[{"name":"c","image":"i","livenessProbe":{"successThreshold":2,"tcpSocket":{"port":0}},"readinessProbe":{"exec":{"command":[]},"httpGet":{"port":80}}}]}}"#,
            "spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
            "spec.containers[0].readinessProbe.exec.command: Required value",
            "spec.containers[0].readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type"
        ),
        .init(
            "Pod",
            "two sources of a volume",
            #"{"spec":{"volumes":[{"name":"v","emptyDir":{},"hostPath":{"path":"/a"}},{"name":"v","emptyDir":{}}]}}"#,
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
            #"spec.volumes[1].name: Duplicate value: "v""#
        ),
        .init(
            "Pod",
            "restart policy",
            #"{"spec":{"restartPolicy":"Sometimes","dnsPolicy":"X"}}"#,
            #"spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never""#,
            #"spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None""#
        ),
        .init(
            "Pod",
            "privileged without escalation",
            #"{"spec":{"containers":[{"name":"c","image":"i","securityContext":{"privileged":true,"allowPrivilegeEscalation":false}}]}}"#,
            #"spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true"#
        ),
        .init(
            "Pod",
            "the network of the node",
            #"{"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":81}]}]}}"#,
            "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork` is true"
        ),
        .init(
            "Pod",
            "tolerations",
            #"{"spec":{"tolerations":[{"key":"a","operator":"Exists","value":"b"},{"operator":"Equal"},{"key":"c","operator":"Exists","tolerationSeconds":1}]}}"#,
            #"spec.tolerations[0].operator: Invalid value: {"key":"a","operator":"Exists","value":"b"}: value must be empty when `operator` is 'Exists'"#,
            #"spec.tolerations[1].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys""#,
            #"spec.tolerations[2].effect: Invalid value: "": effect must be 'NoExecute' when `tolerationSeconds` is set"#
        ),
        .init(
            "Pod",
            "affinity",
            #"{"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[]}},"podAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":0,"podAffinityTerm":{"topologyKey":""}}]}}}}"#,
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term",
            "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100",
            "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required value: can not be empty"
        ),
        .init(
            "Pod",
            "topology",
            #"{"spec":{"topologySpreadConstraints":[{"maxSkew":0,"topologyKey":"z","whenUnsatisfiable":"X"},{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway","minDomains":1}]}}"#,
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
            #"spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway""#,
            "spec.topologySpreadConstraints[1].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"
        ),
        .init(
            "Pod",
            "init containers",
            #"{"spec":{"initContainers":[{"name":"c","image":"i","livenessProbe":{"exec":{"command":["a"]}}}]}}"#,
            #"spec.initContainers[0].name: Duplicate value: "c""#,
            "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"
        ),
        .init(
            "Pod",
            "ephemeral containers",
            #"{"spec":{"ephemeralContainers":[{"name":"e","image":"i"}]}}"#,
            "spec.ephemeralContainers: Forbidden: cannot be set on create"
        ),
        .init(
            "Pod",
            "a node with gates",
            #"{"spec":{"nodeName":"n","schedulingGates":[{"name":"g"}]}}"#,
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"
        ),
    ]

    private static let services: [ValidationCase] = [
        .init("Service", "no ports", #"{"spec":{"ports":[]}}"#, "spec.ports: Required value"),
        .init(
            "Service",
            "ports without names",
            #"{"spec":{"ports":[{"port":80},{"port":81}]}}"#,
            "spec.ports[0].name: Required value",
            "spec.ports[1].name: Required value"
        ),
        .init(
            "Service",
            "bad ports",
            #"{"spec":{"ports":[{"port":0,"nodePort":30000}]}}"#,
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"
        ),
        .init(
            "Service",
            "one port twice",
            #"{"spec":{"ports":[{"name":"a","port":80},{"name":"b","port":80}]}}"#,
            #"spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80,"targetPort":0}"#
        ),
        .init(
            "Service",
            "an external name",
            #"{"spec":{"type":"ExternalName","clusterIP":null,"clusterIPs":null}}"#,
            "spec.externalName: Required value"
        ),
        .init(
            "Service",
            "a type",
            #"{"spec":{"type":"X"}}"#,
            #"spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#
        ),
        .init(
            "Service",
            "a traffic policy inside",
            #"{"spec":{"externalTrafficPolicy":"Local"}}"#,
            #"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#
        ),
        .init(
            "Service",
            "headless load balancer",
            #"{"spec":{"type":"LoadBalancer","clusterIP":"None","clusterIPs":["None"]}}"#,
            #"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for LoadBalancer services"#
        ),
    ]

    private static let workloads: [ValidationCase] = [
        .init(
            "Deployment",
            "no selector",
            #"{"spec":{"selector":null}}"#,
            "spec.selector: Required value"
        ),
        .init(
            "Deployment",
            "an empty selector",
            #"{"spec":{"selector":{"matchLabels":null}}}"#,
            "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
        ),
        .init(
            "Deployment",
            "another selector",
            #"{"spec":{"selector":{"matchLabels":{"app":"b"}}}}"#,
            #"spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`"#
        ),
        .init(
            "Deployment",
            "replicas",
            #"{"spec":{"replicas":-1,"minReadySeconds":700}}"#,
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"
        ),
        .init(
            "Deployment",
            "a strategy",
            #"{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":0,"maxSurge":"0%"}}}}"#,
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"
        ),
        .init(
            "Deployment",
            "Recreate with rollingUpdate",
            #"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":{}}}}"#,
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
        ),
        .init(
            "Deployment",
            "a pod that ends",
            #"{"spec":{"template":{"spec":{"restartPolicy":"Never","activeDeadlineSeconds":5}}}}"#,
            #"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#,
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"
        ),
        .init(
            "DaemonSet",
            "surge and unavailable",
            #"{"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":1}}}}"#,
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"
        ),
        .init(
            "StatefulSet",
            "policies",
            #"{"spec":{"podManagementPolicy":"X"}}"#,
            #"spec.podManagementPolicy: Invalid value: "X": must be 'OrderedReady' or 'Parallel'"#
        ),
        .init(
            "StatefulSet",
            "mounts of claims that it makes, and of nothing",
            """
            {"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i","volumeMounts":[
            {"name":"data","mountPath":"/a"},{"name":"none","mountPath":"/b"}]}]}},
            "volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":
            ["ReadWriteOnce"],"resources":{"requests":{"storage":"1Mi"}}}}]}}
            """,
            #"spec.template.spec.containers[0].volumeMounts[1].name: Not found: "none""#
        ),
        .init(
            "Job",
            "restarts always",
            #"{"spec":{"template":{"spec":{"restartPolicy":"Always"}}}}"#,
            #"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#
        ),
        .init(
            "Job",
            "an indexed job without completions",
            #"{"spec":{"completionMode":"Indexed","parallelism":2}}"#,
            "spec.completions: Required value: when completion mode is Indexed"
        ),
        .init(
            "CronJob",
            "no schedule",
            #"{"spec":{"schedule":"","concurrencyPolicy":"X"}}"#,
            "spec.schedule: Required value",
            #"spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace""#
        ),
        .init(
            "CronJob",
            "a bad schedule",
            #"{"spec":{"schedule":"x"}}"#,
            #"spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]"#
        ),
        .init(
            "CronJob",
            "a time zone",
            #"{"spec":{"timeZone":"Moon/Base"}}"#,
            #"spec.timeZone: Invalid value: "Moon/Base": unknown time zone Moon/Base"#
        ),
        .init(
            "HorizontalPodAutoscaler",
            "bounds",
            #"{"spec":{"minReplicas":4}}"#,
            "spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"
        ),
        .init(
            "PodDisruptionBudget",
            "both",
            #"{"spec":{"maxUnavailable":"120%","minAvailable":null}}"#,
            #"spec.maxUnavailable: Invalid value: "120%": must not be greater than 100%"#
        ),
    ]

    private static let others: [ValidationCase] = [
        .init(
            "ConfigMap",
            "a bad key",
            #"{"data":{"a b":"c"}}"#,
            #"data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"#
        ),
        .init(
            "ConfigMap",
            "a key in both",
            #"{"binaryData":{"a":""}}"#,
            #"data[a]: Invalid value: "a": duplicate of key present in binaryData"#
        ),
        .init(
            "Secret",
            "a certificate without its parts",
            #"{"type":"kubernetes.io/tls"}"#,
            "data[tls.crt]: Required value",
            "data[tls.key]: Required value"
        ),
        .init(
            "Secret",
            "a token without account",
            #"{"type":"kubernetes.io/service-account-token"}"#,
            "metadata.annotations[kubernetes.io/service-account.name]: Required value"
        ),
        .init(
            "PersistentVolumeClaim",
            "nothing asked for",
            #"{"spec":{"accessModes":[],"resources":null}}"#,
            "spec.accessModes: Required value: at least 1 access mode is required",
            "spec.resources[storage]: Required value"
        ),
        .init(
            "PersistentVolume",
            "no source",
            #"{"spec":{"hostPath":null}}"#,
            "spec: Required value: must specify a volume type"
        ),
        .init(
            "PersistentVolume",
            "local without affinity",
            #"{"spec":{"hostPath":null,"local":{"path":"/a"}}}"#,
            "spec.nodeAffinity: Required value: Local volume requires node affinity"
        ),
        .init(
            "Role",
            "a rule",
            #"{"rules":[{"verbs":[]}]}"#,
            "rules[0].verbs: Required value: verbs must contain at least one value",
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
            "rules[0].resources: Required value: resource rules must supply at least one resource"
        ),
        .init(
            "Role",
            "URLs",
            #"{"rules":[{"verbs":["get"],"nonResourceURLs":["/x"]}]}"#,
            #"rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs"#
        ),
        .init(
            "RoleBinding",
            "a role",
            #"{"roleRef":{"kind":"X","name":""},"subjects":[{"kind":"Y","name":"a"}]}"#,
            #"roleRef.kind: Unsupported value: "X": supported values: "Role", "ClusterRole""#,
            "roleRef.name: Required value",
            #"subjects[0].kind: Unsupported value: "Y": supported values: "ServiceAccount", "User", "Group""#
        ),
        .init(
            "Ingress",
            "nothing",
            #"{"spec":{"rules":null}}"#,
            "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"
        ),
        .init(
            "Ingress",
            "paths",
            #"{"spec":{"rules":[{"host":"1.2.3.4","http":{"paths":[{"path":"a//b","pathType":"Exact","backend":{}},{"path":"/","backend":{"service":{"name":"s"}}}]}}]}}"#,
            #"spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address"#,
            #"spec.rules[0].http.paths[0].path: Invalid value: "a//b": must be an absolute path"#,
            #"spec.rules[0].http.paths[0].path: Invalid value: "a//b": must not contain '//'"#,
            "spec.rules[0].http.paths[0].backend: Required value: resource or service backend is required",
            "spec.rules[0].http.paths[1].pathType: Required value: pathType must be specified",
            "spec.rules[0].http.paths[1].backend: Required value: port name or number is required"
        ),
        .init(
            "NetworkPolicy",
            "peers",
            #"{"spec":{"ingress":[{"from":[{}],"ports":[{"port":80,"endPort":79}]}]}}"#,
            "spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`",
            "spec.ingress[0].from[0]: Required value: must specify a peer"
        ),
        .init(
            "EndpointSlice",
            "addresses",
            #"{"endpoints":[{"addresses":[]},{"addresses":["::1"]}]}"#,
            "endpoints[0].addresses: Required value: must contain at least 1 address",
            #"endpoints[1].addresses[0]: Invalid value: "::1": must be an IPv4 address"#,
            #"endpoints[1].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#
        ),
        .init(
            "PriorityClass",
            "reserved",
            #"{"metadata":{"name":"system-x"}}"#,
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-x is not a known system priority class"
        ),
        .init(
            "PriorityClass",
            "too high",
            #"{"value":1000000001}"#,
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
        ),
        .init(
            "LimitRange",
            "least over most",
            #"{"spec":{"limits":[{"type":"Pod","max":{"cpu":"1"},"min":{"cpu":"2"}}]}}"#,
            #"spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1"#
        ),
        .init(
            "ResourceQuota",
            "amounts",
            #"{"spec":{"hard":{"pods":"-1","foo":"1"}}}"#,
            #"spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota"#,
            #"spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0"#
        ),
        .init(
            "Node",
            "taints",
            #"{"spec":{"taints":[{"key":"a","effect":"X"}]}}"#,
            #"spec.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#
        ),
        .init(
            "Lease",
            "a duration",
            #"{"spec":{"leaseDurationSeconds":0}}"#,
            "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"
        ),
    ]
}
