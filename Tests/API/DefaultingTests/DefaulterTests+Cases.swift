// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI

extension DefaulterTests {
    static let cases: [DefaultingCase] = Self.pods + Self.services + Self.workloads + Self.others

    private static let pods: [DefaultingCase] = [
        DefaultingCase(
            "a pod with nothing in it",
            CoreV1.Pod.schema,
            #"{"spec":{"containers":[{"name":"a","image":"nginx"}]}}"#,
            [
                "spec.restartPolicy": #""Always""#,
                "spec.dnsPolicy": #""ClusterFirst""#,
                "spec.schedulerName": #""default-scheduler""#,
                "spec.terminationGracePeriodSeconds": "30",
                "spec.securityContext": "{}",
                "spec.enableServiceLinks": "true",
                "spec.containers.0.imagePullPolicy": #""Always""#,
                "spec.containers.0.terminationMessagePath": #""/dev/termination-log""#,
                "spec.containers.0.terminationMessagePolicy": #""File""#,
                "spec.containers.0.resources": "{}",
                "spec.volumes": "absent",
            ]
        ),
        DefaultingCase(
            "what is given stays",
            CoreV1.Pod.schema,
            """
            {"spec":{"restartPolicy":"Never","terminationGracePeriodSeconds":0,
            "enableServiceLinks":false,
            "containers":[{"name":"a","image":"nginx","imagePullPolicy":"Never"}]}}
            """,
            [
                "spec.restartPolicy": #""Never""#,
                "spec.terminationGracePeriodSeconds": "0",
                "spec.enableServiceLinks": "false",
                "spec.containers.0.imagePullPolicy": #""Never""#,
            ]
        ),
        DefaultingCase(
            "pull policies by tag",
            CoreV1.Pod.schema,
            """
            {"spec":{"initContainers":[{"name":"i","image":"a/b:latest"}],
            "containers":[{"name":"a","image":"nginx:1.2"},{"name":"b","image":"h:5000/n"},
            {"name":"c","image":"n@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
            {"name":"d","image":"Not A Name"},{"name":"e"}],
            "ephemeralContainers":[{"name":"x","image":"busybox"}]}}
            """,
            [
                "spec.initContainers.0.imagePullPolicy": #""Always""#,
                "spec.containers.0.imagePullPolicy": #""IfNotPresent""#,
                "spec.containers.1.imagePullPolicy": #""Always""#,
                "spec.containers.2.imagePullPolicy": #""IfNotPresent""#,
                "spec.containers.3.imagePullPolicy": #""IfNotPresent""#,
                "spec.containers.4.imagePullPolicy": #""IfNotPresent""#,
                "spec.ephemeralContainers.0.imagePullPolicy": #""Always""#,
                "spec.ephemeralContainers.0.terminationMessagePolicy": #""File""#,
            ]
        ),
        DefaultingCase(
            "probes, hooks, ports and variables",
            CoreV1.Pod.schema,
            """
            {"spec":{"containers":[{"name":"a","image":"n","ports":[{"containerPort":80}],
            "env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],
            "livenessProbe":{"httpGet":{"port":80}},"readinessProbe":{"grpc":{"port":1}},
            "lifecycle":{"preStop":{"httpGet":{"port":80}}}}]}}
            """,
            [
                "spec.containers.0.ports.0.protocol": #""TCP""#,
                "spec.containers.0.ports.0.hostPort": "absent",
                "spec.containers.0.env.0.valueFrom.fieldRef.apiVersion": #""v1""#,
                "spec.containers.0.livenessProbe.httpGet.path": #""/""#,
                "spec.containers.0.livenessProbe.httpGet.scheme": #""HTTP""#,
                "spec.containers.0.livenessProbe.timeoutSeconds": "1",
                "spec.containers.0.livenessProbe.periodSeconds": "10",
                "spec.containers.0.livenessProbe.successThreshold": "1",
                "spec.containers.0.livenessProbe.failureThreshold": "3",
                "spec.containers.0.readinessProbe.grpc.service": #""""#,
                "spec.containers.0.lifecycle.preStop.httpGet.scheme": #""HTTP""#,
            ]
        ),
        DefaultingCase(
            "requests from limits, in pods alone",
            CoreV1.Pod.schema,
            """
            {"spec":{"containers":[{"name":"a","image":"n","resources":
            {"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"0.0001"}}}]}}
            """,
            [
                "spec.containers.0.resources.requests.cpu": #""1m""#,
                "spec.containers.0.resources.requests.memory": #""1Gi""#,
            ]
        ),
        DefaultingCase(
            "requests and huge pages of the whole pod",
            CoreV1.Pod.schema,
            """
            {"spec":{"resources":{"limits":{"memory":"4Gi"}},
            "initContainers":[{"name":"i","image":"n","resources":{"requests":{"cpu":"3"}}}],
            "containers":[{"name":"a","image":"n","resources":{"requests":{"cpu":"1"},
            "limits":{"hugepages-2Mi":"4Mi"}}},{"name":"b","image":"n",
            "resources":{"requests":{"cpu":"1"}}}]}}
            """,
            [
                "spec.resources.requests.cpu": #""3""#,
                "spec.resources.requests.memory": #""4Gi""#,
                "spec.resources.limits.hugepages-2Mi": #""4Mi""#,
                "spec.resources.requests.hugepages-2Mi": #""4Mi""#,
            ]
        ),
        DefaultingCase(
            "ports in the network of the node",
            CoreV1.Pod.schema,
            """
            {"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"n",
            "ports":[{"containerPort":80},{"containerPort":81,"hostPort":90}]}]}}
            """,
            [
                "spec.containers.0.ports.0.hostPort": "80",
                "spec.containers.0.ports.1.hostPort": "90",
            ]
        ),
        DefaultingCase(
            "volumes",
            CoreV1.Pod.schema,
            """
            {"spec":{"volumes":[{"name":"a"},{"name":"b","secret":{"secretName":"s"}},
            {"name":"c","configMap":{"name":"m"}},{"name":"d","hostPath":{"path":"/"}},
            {"name":"e","projected":{"sources":[{"serviceAccountToken":{"path":"t"}},
            {"downwardAPI":{"items":[{"path":"l","fieldRef":{"fieldPath":"metadata.labels"}}]}}]}},
            {"name":"f","downwardAPI":{}},{"name":"g","image":{"reference":"r:1"}},
            {"name":"h","ephemeral":{"volumeClaimTemplate":{"spec":{}}}},
            {"name":"i","iscsi":{"targetPortal":"p","iqn":"q","lun":1}},
            {"name":"j","rbd":{"monitors":["m"],"image":"i"}}]}}
            """,
            [
                "spec.volumes.0.emptyDir": "{}",
                "spec.volumes.1.emptyDir": "absent",
                "spec.volumes.1.secret.defaultMode": "420",
                "spec.volumes.2.configMap.defaultMode": "420",
                "spec.volumes.3.hostPath.type": #""""#,
                "spec.volumes.4.projected.defaultMode": "420",
                "spec.volumes.4.projected.sources.0.serviceAccountToken.expirationSeconds": "3600",
                "spec.volumes.4.projected.sources.1.downwardAPI.items.0.fieldRef.apiVersion":
                    #""v1""#,
                "spec.volumes.5.downwardAPI.defaultMode": "420",
                "spec.volumes.6.image.pullPolicy": #""IfNotPresent""#,
                "spec.volumes.7.ephemeral.volumeClaimTemplate.spec.volumeMode": #""Filesystem""#,
                "spec.volumes.8.iscsi.iscsiInterface": #""default""#,
                "spec.volumes.9.rbd.pool": #""rbd""#,
                "spec.volumes.9.rbd.user": #""admin""#,
                "spec.volumes.9.rbd.keyring": #""/etc/ceph/keyring""#,
            ]
        ),
    ]

    private static let services: [DefaultingCase] = [
        DefaultingCase(
            "a service",
            CoreV1.Service.schema,
            #"{"spec":{"ports":[{"port":80},{"port":81,"targetPort":"web","protocol":"UDP"}]}}"#,
            [
                "spec.type": #""ClusterIP""#,
                "spec.sessionAffinity": #""None""#,
                "spec.ports.0.protocol": #""TCP""#,
                "spec.ports.0.targetPort": "80",
                "spec.ports.1.targetPort": #""web""#,
                "spec.ports.1.protocol": #""UDP""#,
                "spec.internalTrafficPolicy": #""Cluster""#,
                "spec.externalTrafficPolicy": "absent",
                "spec.allocateLoadBalancerNodePorts": "absent",
            ]
        ),
        DefaultingCase(
            "a load balancer",
            CoreV1.Service.schema,
            """
            {"spec":{"type":"LoadBalancer","sessionAffinity":"ClientIP"},
            "status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"},{"hostname":"h"}]}}}
            """,
            [
                "spec.externalTrafficPolicy": #""Cluster""#,
                "spec.allocateLoadBalancerNodePorts": "true",
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds": "10800",
                "status.loadBalancer.ingress.0.ipMode": #""VIP""#,
                "status.loadBalancer.ingress.1.ipMode": "absent",
            ]
        ),
        DefaultingCase(
            "a name outside of the cluster",
            CoreV1.Service.schema,
            """
            {"spec":{"type":"ExternalName","externalName":"a.b","sessionAffinity":"None",
            "sessionAffinityConfig":{"clientIP":{"timeoutSeconds":1}}}}
            """,
            [
                "spec.internalTrafficPolicy": "absent",
                "spec.externalTrafficPolicy": "absent",
                "spec.sessionAffinityConfig": "absent",
            ]
        ),
        DefaultingCase(
            "external addresses",
            CoreV1.Service.schema,
            #"{"spec":{"externalIPs":["1.2.3.4"]}}"#,
            ["spec.externalTrafficPolicy": #""Cluster""#]
        ),
        DefaultingCase(
            "endpoints",
            CoreV1.Endpoints.schema,
            #"{"subsets":[{"ports":[{"port":1}]}]}"#,
            ["subsets.0.ports.0.protocol": #""TCP""#]
        ),
        DefaultingCase(
            "an endpoint slice",
            DiscoveryV1.EndpointSlice.schema,
            #"{"addressType":"IPv4","ports":[{"port":1}]}"#,
            ["ports.0.protocol": #""TCP""#, "ports.0.name": #""""#]
        ),
    ]

    private static let workloads: [DefaultingCase] = [
        DefaultingCase(
            "a deployment",
            AppsV1.Deployment.schema,
            #"{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"n","resources":{"limits":{"cpu":"1"}}}]}}}}"#,
            [
                "spec.replicas": "1",
                "spec.strategy.type": #""RollingUpdate""#,
                "spec.strategy.rollingUpdate.maxUnavailable": #""25%""#,
                "spec.strategy.rollingUpdate.maxSurge": #""25%""#,
                "spec.revisionHistoryLimit": "10",
                "spec.progressDeadlineSeconds": "600",
                "spec.template.spec.restartPolicy": #""Always""#,
                "spec.template.spec.containers.0.imagePullPolicy": #""Always""#,
                "spec.template.spec.containers.0.resources.requests": "absent",
                "spec.template.spec.enableServiceLinks": "absent",
            ]
        ),
        DefaultingCase(
            "a deployment that recreates",
            AppsV1.Deployment.schema,
            #"{"spec":{"replicas":0,"strategy":{"type":"Recreate"}}}"#,
            ["spec.replicas": "0", "spec.strategy": #"{"type":"Recreate"}"#]
        ),
        DefaultingCase(
            "a daemon set",
            AppsV1.DaemonSet.schema,
            "{}",
            [
                "spec.updateStrategy.type": #""RollingUpdate""#,
                "spec.updateStrategy.rollingUpdate.maxUnavailable": "1",
                "spec.updateStrategy.rollingUpdate.maxSurge": "0",
                "spec.revisionHistoryLimit": "10",
                "spec.template.spec.dnsPolicy": #""ClusterFirst""#,
            ]
        ),
        DefaultingCase(
            "a stateful set",
            AppsV1.StatefulSet.schema,
            #"{"spec":{"volumeClaimTemplates":[{"spec":{}}]}}"#,
            [
                "spec.podManagementPolicy": #""OrderedReady""#,
                "spec.updateStrategy.type": #""RollingUpdate""#,
                "spec.updateStrategy.rollingUpdate": #"{"partition":0}"#,
                "spec.persistentVolumeClaimRetentionPolicy.whenDeleted": #""Retain""#,
                "spec.persistentVolumeClaimRetentionPolicy.whenScaled": #""Retain""#,
                "spec.replicas": "1",
                "spec.volumeClaimTemplates.0.spec.volumeMode": #""Filesystem""#,
                "spec.volumeClaimTemplates.0.status.phase": #""Pending""#,
            ]
        ),
        DefaultingCase(
            "a stateful set with a strategy",
            AppsV1.StatefulSet.schema,
            #"{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}"#,
            ["spec.updateStrategy": #"{"type":"RollingUpdate"}"#]
        ),
        DefaultingCase(
            "a replica set",
            AppsV1.ReplicaSet.schema,
            "{}",
            ["spec.replicas": "1"]
        ),
        DefaultingCase(
            "a replication controller",
            CoreV1.ReplicationController.schema,
            #"{"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{}}}}"#,
            [
                "spec.replicas": "1",
                "spec.selector.a": #""b""#,
                "metadata.labels.a": #""b""#,
                "spec.template.spec.dnsPolicy": #""ClusterFirst""#,
            ]
        ),
        DefaultingCase(
            "a job",
            BatchV1.Job.schema,
            #"{"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}}"#,
            [
                "spec.completions": "1",
                "spec.parallelism": "1",
                "spec.backoffLimit": "6",
                "spec.completionMode": #""NonIndexed""#,
                "spec.suspend": "false",
                "spec.podReplacementPolicy": #""TerminatingOrFailed""#,
                "spec.manualSelector": "false",
                "metadata.labels.a": #""b""#,
            ]
        ),
        DefaultingCase(
            "a work queue job with failure rules",
            BatchV1.Job.schema,
            """
            {"spec":{"parallelism":2,"backoffLimitPerIndex":1,"podFailurePolicy":{"rules":[
            {"action":"Count","onPodConditions":[{"type":"T"}]}]}}}
            """,
            [
                "spec.completions": "absent",
                "spec.parallelism": "2",
                "spec.backoffLimit": "2147483647",
                "spec.podReplacementPolicy": #""Failed""#,
                "spec.podFailurePolicy.rules.0.onPodConditions.0.status": #""True""#,
            ]
        ),
        DefaultingCase(
            "a cron job",
            BatchV1.CronJob.schema,
            "{}",
            [
                "spec.concurrencyPolicy": #""Allow""#,
                "spec.suspend": "false",
                "spec.successfulJobsHistoryLimit": "3",
                "spec.failedJobsHistoryLimit": "1",
                "spec.jobTemplate.spec.completions": "absent",
                "spec.jobTemplate.spec.template.spec.restartPolicy": #""Always""#,
            ]
        ),
        DefaultingCase(
            "an autoscaler",
            AutoscalingV2.HorizontalPodAutoscaler.schema,
            #"{"spec":{"behavior":{"scaleDown":{"selectPolicy":"Min"}}}}"#,
            [
                "spec.minReplicas": "1",
                "spec.metrics.0.resource.target.averageUtilization": "80",
                "spec.behavior.scaleUp.stabilizationWindowSeconds": "0",
                "spec.behavior.scaleUp.policies.0.value": "4",
                "spec.behavior.scaleUp.policies.1.type": #""Percent""#,
                "spec.behavior.scaleDown.selectPolicy": #""Min""#,
                "spec.behavior.scaleDown.policies.0.value": "100",
                "spec.behavior.scaleDown.stabilizationWindowSeconds": "absent",
            ]
        ),
    ]

    private static let others: [DefaultingCase] = [
        DefaultingCase(
            "a namespace",
            CoreV1.Namespace.schema,
            #"{"metadata":{"name":"a","labels":{"kubernetes.io/metadata.name":"other"}}}"#,
            [
                "metadata.labels.kubernetes~io/metadata~name": #""a""#,
                "status.phase": #""Active""#,
            ]
        ),
        DefaultingCase(
            "a namespace without a name",
            CoreV1.Namespace.schema,
            #"{"metadata":{"generateName":"a-"}}"#,
            ["metadata.labels": "absent"]
        ),
        DefaultingCase(
            "a node",
            CoreV1.Node.schema,
            #"{"status":{"capacity":{"cpu":"2","memory":"1.5"}}}"#,
            ["status.allocatable": #"{"cpu":"2","memory":"1500m"}"#]
        ),
        DefaultingCase(
            "a secret",
            CoreV1.Secret.schema,
            "{}",
            ["type": #""Opaque""#]
        ),
        DefaultingCase(
            "a volume and a claim",
            CoreV1.PersistentVolume.schema,
            #"{"spec":{"azureDisk":{"diskName":"d","diskURI":"u"}}}"#,
            [
                "spec.persistentVolumeReclaimPolicy": #""Retain""#,
                "spec.volumeMode": #""Filesystem""#,
                "status.phase": #""Pending""#,
                "spec.azureDisk.cachingMode": #""ReadWrite""#,
                "spec.azureDisk.fsType": #""ext4""#,
                "spec.azureDisk.readOnly": "false",
                "spec.azureDisk.kind": #""Shared""#,
            ]
        ),
        DefaultingCase(
            "a limit range",
            CoreV1.LimitRange.schema,
            """
            {"spec":{"limits":[{"type":"Container","max":{"cpu":"2","memory":"2Gi"},
            "default":{"cpu":"1"},"min":{"pods":"1"}},{"type":"Pod","max":{"cpu":"2"}}]}}
            """,
            [
                "spec.limits.0.default": #"{"cpu":"1","memory":"2Gi"}"#,
                "spec.limits.0.defaultRequest": #"{"cpu":"1","memory":"2Gi","pods":"1"}"#,
                "spec.limits.1.default": "absent",
            ]
        ),
        DefaultingCase(
            "a network policy",
            NetworkingV1.NetworkPolicy.schema,
            #"{"spec":{"podSelector":{},"ingress":[{"ports":[{"port":1}]}],"egress":[{}]}}"#,
            [
                "spec.policyTypes": #"["Ingress","Egress"]"#,
                "spec.ingress.0.ports.0.protocol": #""TCP""#,
            ]
        ),
        DefaultingCase(
            "an ingress class",
            NetworkingV1.IngressClass.schema,
            #"{"spec":{"parameters":{"kind":"K","name":"n"}}}"#,
            ["spec.parameters.scope": #""Cluster""#]
        ),
        DefaultingCase(
            "a role binding",
            RbacV1.RoleBinding.schema,
            #"{"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User"},{"kind":"ServiceAccount"}]}"#,
            [
                "roleRef.apiGroup": #""rbac.authorization.k8s.io""#,
                "subjects.0.apiGroup": #""rbac.authorization.k8s.io""#,
                "subjects.1.apiGroup": "absent",
            ]
        ),
        DefaultingCase(
            "storage classes and drivers",
            StorageV1.CSIDriver.schema,
            "{}",
            [
                "spec.attachRequired": "true",
                "spec.podInfoOnMount": "false",
                "spec.storageCapacity": "false",
                "spec.fsGroupPolicy": #""ReadWriteOnceWithFSType""#,
                "spec.volumeLifecycleModes": #"["Persistent"]"#,
                "spec.requiresRepublish": "false",
                "spec.seLinuxMount": "false",
                "spec.preventPodSchedulingIfMissing": "absent",
            ]
        ),
        DefaultingCase(
            "a storage class",
            StorageV1.StorageClass.schema,
            "{}",
            ["reclaimPolicy": #""Delete""#, "volumeBindingMode": #""Immediate""#]
        ),
        DefaultingCase(
            "a priority class",
            SchedulingV1.PriorityClass.schema,
            "{}",
            ["preemptionPolicy": #""PreemptLowerPriority""#]
        ),
        DefaultingCase(
            "a webhook",
            AdmissionregistrationV1.MutatingWebhookConfiguration.schema,
            #"{"webhooks":[{"name":"w","clientConfig":{"service":{"name":"s"}},"rules":[{}]}]}"#,
            [
                "webhooks.0.failurePolicy": #""Fail""#,
                "webhooks.0.matchPolicy": #""Equivalent""#,
                "webhooks.0.namespaceSelector": "{}",
                "webhooks.0.objectSelector": "{}",
                "webhooks.0.timeoutSeconds": "10",
                "webhooks.0.reinvocationPolicy": #""Never""#,
                "webhooks.0.clientConfig.service.port": "443",
                "webhooks.0.rules.0.scope": #""*""#,
            ]
        ),
        DefaultingCase(
            "an old webhook",
            AdmissionregistrationV1beta1.ValidatingWebhookConfiguration.schema,
            #"{"webhooks":[{"name":"w"}]}"#,
            [
                "webhooks.0.failurePolicy": #""Ignore""#,
                "webhooks.0.timeoutSeconds": "30",
                "webhooks.0.admissionReviewVersions": #"["v1beta1"]"#,
            ]
        ),
        DefaultingCase(
            "a definition",
            ApiextensionsV1.CustomResourceDefinition.schema,
            """
            {"spec":{"names":{"kind":"Widget","plural":"widgets"},
            "versions":[{"name":"v1"},{"name":"v2","storage":true}]}}
            """,
            [
                "spec.names.singular": #""widget""#,
                "spec.names.listKind": #""WidgetList""#,
                "spec.conversion": #"{"strategy":"None"}"#,
                "status.storedVersions": #"["v2"]"#,
            ]
        ),
        DefaultingCase(
            "a flow schema",
            FlowcontrolV1.FlowSchema.schema,
            "{}",
            ["spec.matchingPrecedence": "1000"]
        ),
        DefaultingCase(
            "a priority level",
            FlowcontrolV1.PriorityLevelConfiguration.schema,
            #"{"spec":{"limited":{"limitResponse":{"queuing":{}}}}}"#,
            [
                "spec.limited.nominalConcurrencyShares": "30",
                "spec.limited.lendablePercent": "0",
                "spec.limited.limitResponse.queuing.queues": "64",
                "spec.limited.limitResponse.queuing.handSize": "8",
                "spec.limited.limitResponse.queuing.queueLengthLimit": "50",
            ]
        ),
        DefaultingCase(
            "a device claim",
            ResourceV1.ResourceClaim.schema,
            #"{"spec":{"devices":{"requests":[{"name":"a","exactly":{"deviceClassName":"c"}}]}}}"#,
            [
                "spec.devices.requests.0.exactly.allocationMode": #""ExactCount""#,
                "spec.devices.requests.0.exactly.count": "1",
            ]
        ),
        DefaultingCase(
            "an old device claim",
            ResourceV1beta1.ResourceClaim.schema,
            """
            {"spec":{"devices":{"requests":[{"name":"a","deviceClassName":"c"},
            {"name":"b","firstAvailable":[{"name":"s","allocationMode":"All"}]}]}}}
            """,
            [
                "spec.devices.requests.0.allocationMode": #""ExactCount""#,
                "spec.devices.requests.0.count": "1",
                "spec.devices.requests.1.allocationMode": "absent",
                "spec.devices.requests.1.firstAvailable.0.count": "absent",
            ]
        ),
        DefaultingCase(
            "a token request",
            AuthenticationV1.TokenRequest.schema,
            #"{"spec":{}}"#,
            ["spec.expirationSeconds": "3600"]
        ),
    ]
}
