// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BootstrapPolicy {
    /// Roles for users and for the parts of the cluster.
    static let clusterRoleText = #"""
        clusterrole admin
          aggregate rbac.authorization.k8s.io/aggregate-to-admin=true
        clusterrole cluster-admin
          allow * * *
          paths * *
        clusterrole edit
          label rbac.authorization.k8s.io/aggregate-to-admin=true
          aggregate rbac.authorization.k8s.io/aggregate-to-edit=true
        clusterrole system:aggregate-to-admin
          label rbac.authorization.k8s.io/aggregate-to-admin=true
          allow create authorization.k8s.io localsubjectaccessreviews
          allow create,delete,deletecollection,get,list,patch,update,watch \#
        rbac.authorization.k8s.io rolebindings,roles
        clusterrole system:aggregate-to-edit
          label rbac.authorization.k8s.io/aggregate-to-edit=true
          allow get,list,watch - pods/attach,pods/exec,pods/portforward,pods/proxy,\#
        secrets,services/proxy
          allow impersonate - serviceaccounts
          allow create,delete,deletecollection,patch,update - pods,pods/attach,pods/exec,\#
        pods/portforward,pods/proxy
          allow create - pods/eviction
          allow create,delete,deletecollection,patch,update - configmaps,\#
        persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,\#
        secrets,serviceaccounts,services,services/proxy
          allow create - serviceaccounts/token
          allow create,delete,deletecollection,patch,update -,events.k8s.io events
          allow create,delete,deletecollection,patch,update apps daemonsets,deployments,\#
        deployments/rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,\#
        statefulsets/scale
          allow create,delete,deletecollection,patch,update autoscaling \#
        horizontalpodautoscalers
          allow create,delete,deletecollection,patch,update batch cronjobs,jobs
          allow create,delete,deletecollection,patch,update extensions daemonsets,\#
        deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,\#
        replicasets,replicasets/scale,replicationcontrollers/scale
          allow create,delete,deletecollection,patch,update policy poddisruptionbudgets
          allow create,delete,deletecollection,patch,update networking.k8s.io ingresses,\#
        networkpolicies
          allow create,delete,deletecollection,get,list,patch,update,watch \#
        coordination.k8s.io leases
          allow create,delete,deletecollection,patch,update resource.k8s.io \#
        resourceclaims,resourceclaimtemplates
        clusterrole system:aggregate-to-view
          label rbac.authorization.k8s.io/aggregate-to-view=true
          allow get,list,watch - configmaps,endpoints,persistentvolumeclaims,\#
        persistentvolumeclaims/status,pods,replicationcontrollers,\#
        replicationcontrollers/scale,serviceaccounts,services,services/status
          allow get,list,watch - bindings,limitranges,namespaces/status,pods/log,\#
        pods/status,replicationcontrollers/status,resourcequotas,resourcequotas/status
          allow get,list,watch - namespaces
          allow get,list,watch -,events.k8s.io events
          allow get,list,watch discovery.k8s.io endpointslices
          allow get,list,watch apps controllerrevisions,daemonsets,daemonsets/status,\#
        deployments,deployments/scale,deployments/status,replicasets,replicasets/scale,\#
        replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
          allow get,list,watch autoscaling horizontalpodautoscalers,\#
        horizontalpodautoscalers/status
          allow get,list,watch batch cronjobs,cronjobs/status,jobs,jobs/status
          allow get,list,watch extensions daemonsets,daemonsets/status,deployments,\#
        deployments/scale,deployments/status,ingresses,ingresses/status,networkpolicies,\#
        replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
          allow get,list,watch policy poddisruptionbudgets,poddisruptionbudgets/status
          allow get,list,watch networking.k8s.io ingresses,ingresses/status,networkpolicies
          allow get,list,watch resource.k8s.io resourceclaims,resourceclaims/status,\#
        resourceclaimtemplates
        clusterrole system:auth-delegator
          allow create authentication.k8s.io tokenreviews
          allow create authorization.k8s.io subjectaccessreviews
        clusterrole system:basic-user
          allow create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
          allow create authentication.k8s.io selfsubjectreviews
        clusterrole system:certificates.k8s.io:certificatesigningrequests:nodeclient
          allow create certificates.k8s.io certificatesigningrequests/nodeclient
        clusterrole system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
          allow create certificates.k8s.io certificatesigningrequests/selfnodeclient
        clusterrole system:certificates.k8s.io:kube-apiserver-client-approver
          allow approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client
        clusterrole system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
          allow approve certificates.k8s.io signers \#
        kubernetes.io/kube-apiserver-client-kubelet
        clusterrole system:certificates.k8s.io:kubelet-serving-approver
          allow approve certificates.k8s.io signers kubernetes.io/kubelet-serving
        clusterrole system:certificates.k8s.io:legacy-unknown-approver
          allow approve certificates.k8s.io signers kubernetes.io/legacy-unknown
        clusterrole system:discovery
          paths get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,\#
        /version,/version/
        clusterrole system:heapster
          allow get,list,watch - events,namespaces,nodes,pods
          allow get,list,watch extensions deployments
        clusterrole system:kube-aggregator
          allow get,list,watch - endpoints,services
        clusterrole system:kube-controller-manager
          allow create,patch,update -,events.k8s.io events
          allow create coordination.k8s.io leases
          allow get,update coordination.k8s.io leases kube-controller-manager
          allow create - secrets,serviceaccounts
          allow delete - secrets
          allow get - configmaps,namespaces,secrets,serviceaccounts
          allow update - secrets,serviceaccounts
          allow create authentication.k8s.io tokenreviews
          allow create authorization.k8s.io subjectaccessreviews
          allow list,watch * *
          allow create - serviceaccounts/token
        clusterrole system:kube-dns
          allow list,watch - endpoints,services
        clusterrole system:kube-scheduler
          allow create,patch,update -,events.k8s.io events
          allow create coordination.k8s.io leases
          allow get,list,update,watch coordination.k8s.io leases kube-scheduler
          allow create,delete,deletecollection,get,list,patch,update,watch \#
        coordination.k8s.io leasecandidates
          allow get,list,watch - nodes
          allow delete,get,list,watch - pods
          allow create - bindings,pods/binding
          allow patch,update - pods/status
          allow get,list,watch - replicationcontrollers,services
          allow get,list,watch apps,extensions replicasets
          allow get,list,watch apps statefulsets
          allow get,list,watch policy poddisruptionbudgets
          allow get,list,watch - persistentvolumeclaims,persistentvolumes
          allow create authentication.k8s.io tokenreviews
          allow create authorization.k8s.io subjectaccessreviews
          allow get,list,watch storage.k8s.io csinodes
          allow get,list,watch storage.k8s.io volumeattachments
          allow get,list,watch - namespaces
          allow get,list,watch storage.k8s.io csidrivers
          allow get,list,watch storage.k8s.io csistoragecapacities
          allow get,list,watch resource.k8s.io deviceclasses
          allow get,list,patch,update,watch resource.k8s.io resourceclaims
          allow get,list,patch,update,watch resource.k8s.io resourceclaims/status
          allow update - pods/finalizers
          allow get,list,watch resource.k8s.io resourceslices
          allow create,delete resource.k8s.io resourceclaims
          allow patch,update resource.k8s.io resourceclaims/binding
        clusterrole system:kubelet-api-admin
          allow get,list,watch - nodes
          allow proxy - nodes
          allow * - nodes/log,nodes/metrics,nodes/proxy,nodes/stats
          allow * - nodes/configz,nodes/healthz,nodes/pods
        clusterrole system:monitoring
          paths get /flagz,/healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,\#
        /readyz,/readyz/*,/statusz
          allow get - nodes/metrics
        clusterrole system:node
          allow create authentication.k8s.io tokenreviews
          allow create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews
          allow get,list,watch - services
          allow create,get,list,watch - nodes
          allow patch,update - nodes/status
          allow patch,update - nodes
          allow create,patch,update -,events.k8s.io events
          allow get,list,watch - pods
          allow create,delete - pods
          allow patch,update - pods/status
          allow create - pods/eviction
          allow get,list,watch - configmaps,secrets
          allow get - persistentvolumeclaims,persistentvolumes
          allow get - endpoints
          allow create,get,list,watch certificates.k8s.io certificatesigningrequests
          allow create,delete,get,patch,update coordination.k8s.io leases
          allow get storage.k8s.io volumeattachments
          allow create - serviceaccounts/token
          allow get,patch,update - persistentvolumeclaims/status
          allow get,list,watch storage.k8s.io csidrivers
          allow create,delete,get,patch,update storage.k8s.io csinodes
          allow get,list,watch node.k8s.io runtimeclasses
          allow get resource.k8s.io resourceclaims
          allow deletecollection resource.k8s.io resourceslices
          allow get - serviceaccounts
        clusterrole system:node-bootstrapper
          allow create,get,list,watch certificates.k8s.io certificatesigningrequests
        clusterrole system:node-problem-detector
          allow get - nodes
          allow patch - nodes/status
          allow create,patch,update -,events.k8s.io events
        clusterrole system:node-proxier
          allow list,watch - endpoints,services
          allow get,list,watch - nodes
          allow create,patch,update -,events.k8s.io events
          allow list,watch networking.k8s.io servicecidrs
          allow list,watch discovery.k8s.io endpointslices
        clusterrole system:persistent-volume-provisioner
          allow create,delete,get,list,watch - persistentvolumes
          allow get,list,update,watch - persistentvolumeclaims
          allow get,list,watch storage.k8s.io storageclasses
          allow watch - events
          allow create,patch,update -,events.k8s.io events
        clusterrole system:public-info-viewer
          paths get /healthz,/livez,/readyz,/version,/version/
        clusterrole system:service-account-issuer-discovery
          paths get /.well-known/openid-configuration,/.well-known/openid-configuration/,\#
        /openid/v1/jwks,/openid/v1/jwks/
        clusterrole system:volume-scheduler
          allow get,list,patch,update,watch - persistentvolumes
          allow get,list,watch storage.k8s.io storageclasses
          allow get,list,patch,update,watch - persistentvolumeclaims
        clusterrole view
          label rbac.authorization.k8s.io/aggregate-to-edit=true
          aggregate rbac.authorization.k8s.io/aggregate-to-view=true
        """#
}
