// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BootstrapPolicy {
    /// Roles of the controllers, one each.
    static let controllerRoleText = #"""
        clusterrole system:controller:attachdetach-controller
          allow list,watch - persistentvolumeclaims,persistentvolumes
          allow get,list,watch - nodes
          allow patch,update - nodes/status
          allow list,watch - pods
          allow create,patch,update -,events.k8s.io events
          allow create,delete,get,list,watch storage.k8s.io volumeattachments
          allow get,list,watch storage.k8s.io csidrivers
          allow get,list,watch storage.k8s.io csinodes
        clusterrole system:controller:certificate-controller
          allow delete,get,list,watch certificates.k8s.io certificatesigningrequests
          allow update certificates.k8s.io certificatesigningrequests/approval,\#
        certificatesigningrequests/status
          allow approve certificates.k8s.io signers \#
        kubernetes.io/kube-apiserver-client-kubelet
          allow sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,\#
        kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,\#
        kubernetes.io/legacy-unknown
          allow create authorization.k8s.io subjectaccessreviews
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:clusterrole-aggregation-controller
          allow escalate,get,list,patch,update,watch rbac.authorization.k8s.io clusterroles
        clusterrole system:controller:cronjob-controller
          allow get,list,update,watch batch cronjobs
          allow create,delete,get,list,patch,update,watch batch jobs
          allow update batch cronjobs/status
          allow update batch cronjobs/finalizers
          allow delete,list,watch - pods
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:daemon-set-controller
          allow get,list,watch apps,extensions daemonsets
          allow update apps,extensions daemonsets/status
          allow update apps,extensions daemonsets/finalizers
          allow list,watch - nodes
          allow create,delete,list,patch,watch - pods
          allow create - pods/binding
          allow create,delete,get,list,patch,update,watch apps controllerrevisions
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:deployment-controller
          allow get,list,update,watch apps,extensions deployments
          allow update apps,extensions deployments/status
          allow update apps,extensions deployments/finalizers
          allow create,delete,get,list,patch,update,watch apps,extensions replicasets
          allow get,list,update,watch - pods
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:device-taint-eviction-controller
          allow delete,get,list,watch - pods
          allow patch,update - pods/status
          allow get,list,watch resource.k8s.io resourceclaims
          allow get,list,watch resource.k8s.io resourceslices
          allow get,list,watch resource.k8s.io deviceclasses
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:disruption-controller
          allow get,list,watch apps,extensions deployments
          allow get,list,watch apps,extensions replicasets
          allow get,list,watch - replicationcontrollers
          allow get,list,watch policy poddisruptionbudgets
          allow get,list,watch apps statefulsets
          allow update policy poddisruptionbudgets/status
          allow patch,update - pods/status
          allow get * */scale
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:endpoint-controller
          allow get,list,watch - pods,services
          allow create,delete,get,list,update,watch - endpoints
          allow create - endpoints/restricted
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:endpointslice-controller
          allow get,list,watch - nodes,pods,services
          allow update - services/finalizers
          allow create,delete,get,list,update,watch discovery.k8s.io endpointslices
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:endpointslicemirroring-controller
          allow get,list,watch - endpoints,services
          allow update - services/finalizers
          allow update - endpoints/finalizers
          allow create,delete,get,list,update,watch discovery.k8s.io endpointslices
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:ephemeral-volume-controller
          allow get,list,watch - pods
          allow update - pods/finalizers
          allow create,get,list,watch - persistentvolumeclaims
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:expand-controller
          allow get,list,patch,update,watch - persistentvolumes
          allow patch,update - persistentvolumeclaims/status
          allow get,list,watch - persistentvolumeclaims
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:generic-garbage-collector
          allow delete,get,list,patch,update,watch * *
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:horizontal-pod-autoscaler
          allow get,list,watch autoscaling horizontalpodautoscalers
          allow update autoscaling horizontalpodautoscalers/status
          allow get,update * */scale
          allow list,watch - pods
          allow list,watch metrics.k8s.io pods
          allow get,list,watch custom.metrics.k8s.io *
          allow get,list,watch external.metrics.k8s.io *
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:job-controller
          allow get,list,patch,update,watch batch jobs
          allow update batch jobs/status
          allow update batch jobs/finalizers
          allow create,delete,list,patch,watch - pods
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:legacy-service-account-token-cleaner
          allow get - configmaps kube-apiserver-legacy-service-account-token-tracking
          allow delete,patch - secrets
        clusterrole system:controller:namespace-controller
          allow delete,get,list,watch - namespaces
          allow update - namespaces/finalize,namespaces/status
          allow delete,deletecollection,get,list,watch * *
        clusterrole system:controller:node-controller
          allow delete,get,list,patch,update,watch - nodes
          allow patch,update - nodes/status
          allow patch,update - pods/status
          allow delete,get,list,watch - pods
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:persistent-volume-binder
          allow create,delete,get,list,update,watch - persistentvolumes
          allow update - persistentvolumes/status
          allow get,list,update,watch - persistentvolumeclaims
          allow update - persistentvolumeclaims/status
          allow create,delete,get,list,watch - pods
          allow get,list,watch storage.k8s.io storageclasses
          allow list,watch - nodes
          allow create,patch,update -,events.k8s.io events
          allow watch - events
        clusterrole system:controller:pod-garbage-collector
          allow delete,list,watch - pods
          allow get,list,watch - nodes
          allow patch - pods/status
        clusterrole system:controller:pv-protection-controller
          allow get,list,update,watch - persistentvolumes
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:pvc-protection-controller
          allow get,list,update,watch - persistentvolumeclaims
          allow update - persistentvolumeclaims/status
          allow get,list,watch - pods
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:replicaset-controller
          allow get,list,update,watch apps,extensions replicasets
          allow update apps,extensions replicasets/status
          allow update apps,extensions replicasets/finalizers
          allow create,delete,list,patch,watch - pods
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:replication-controller
          allow get,list,update,watch - replicationcontrollers
          allow update - replicationcontrollers/status
          allow update - replicationcontrollers/finalizers
          allow create,delete,list,patch,watch - pods
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:resource-claim-controller
          allow get,list,watch - pods
          allow update - pods/finalizers
          allow create,delete,get,list,watch resource.k8s.io resourceclaims
          allow patch,update resource.k8s.io resourceclaims,resourceclaims/status
          allow patch,update - pods/status
          allow create,patch,update -,events.k8s.io events
          allow patch,update resource.k8s.io resourceclaims/binding
        clusterrole system:controller:resourcequota-controller
          allow list,watch * *
          allow update - resourcequotas/status
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:root-ca-cert-publisher
          allow create,update - configmaps
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:route-controller
          allow list,watch - nodes
          allow patch - nodes/status
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:selinux-warning-controller
          allow create,patch,update -,events.k8s.io events
          allow get,list,watch - persistentvolumes
          allow get,list,watch - persistentvolumeclaims
          allow get,list,watch - pods
          allow get,list,watch storage.k8s.io csidrivers
        clusterrole system:controller:service-account-controller
          allow create - serviceaccounts
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:service-cidrs-controller
          allow get,list,patch,update,watch networking.k8s.io servicecidrs
          allow patch,update networking.k8s.io servicecidrs/finalizers
          allow patch,update networking.k8s.io servicecidrs/status
          allow get,list,watch networking.k8s.io ipaddresses
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:service-controller
          allow get,list,watch - services
          allow patch,update - services/status
          allow list,watch - nodes
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:statefulset-controller
          allow list,watch - pods
          allow get,list,watch apps statefulsets
          allow update apps statefulsets/status
          allow update apps statefulsets/finalizers
          allow create,delete,get,patch,update - pods
          allow create,delete,get,list,patch,update,watch apps controllerrevisions
          allow create,get,list,watch - persistentvolumeclaims
          allow delete,update - persistentvolumeclaims
          allow update - pods/finalizers
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:ttl-after-finished-controller
          allow delete,get,list,watch batch jobs
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:ttl-controller
          allow list,patch,update,watch - nodes
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:validatingadmissionpolicy-status-controller
          allow get,list,watch admissionregistration.k8s.io validatingadmissionpolicies
          allow get,patch,update admissionregistration.k8s.io \#
        validatingadmissionpolicies/status
          allow create,patch,update -,events.k8s.io events
        clusterrole system:controller:volumeattributesclass-protection-controller
          allow get,list,watch - persistentvolumeclaims
          allow get,list,watch - persistentvolumes
          allow get,list,update,watch storage.k8s.io volumeattributesclasses
          allow create,patch,update -,events.k8s.io events
        """#
}
