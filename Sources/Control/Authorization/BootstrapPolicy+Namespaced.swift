// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BootstrapPolicy {
    /// Roles in namespaces.
    static let roleText = #"""
        role kube-public/system:controller:bootstrap-signer
          allow get,list,watch - configmaps
          allow update - configmaps cluster-info
          allow create,patch,update -,events.k8s.io events
        role kube-system/extension-apiserver-authentication-reader
          allow get,list,watch - configmaps extension-apiserver-authentication
        role kube-system/system::leader-locking-kube-controller-manager
          allow create,get,list,update,watch coordination.k8s.io leases
          allow create,get,list,update,watch coordination.k8s.io leasecandidates
        role kube-system/system::leader-locking-kube-scheduler
          allow create,get,list,update,watch coordination.k8s.io leases
          allow create,get,list,update,watch coordination.k8s.io leasecandidates
        role kube-system/system:controller:bootstrap-signer
          allow get,list,watch - secrets
        role kube-system/system:controller:cloud-provider
          allow create,get,list,watch - configmaps
        role kube-system/system:controller:token-cleaner
          allow delete,get,list,watch - secrets
          allow create,patch,update -,events.k8s.io events
        """#
}
