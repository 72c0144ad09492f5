// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BootstrapPolicy {
    /// What upstream leaves to those who install a cluster: cluster DNS and the cloud controller
    /// manager as parts that have certificates of their own, and who approves certificates of
    /// kubelets' ports.
    static let ownText = #"""
        clusterrole apus:cluster-dns
          allow list,watch - namespaces,nodes,pods,services
          allow list,watch discovery.k8s.io endpointslices
        clusterrole apus:cloud-controller-manager
          allow create,patch,update -,events.k8s.io events
          allow delete,get,list,patch,update,watch - nodes
          allow patch,update - nodes/status
          allow get,list,patch,update,watch - services
          allow patch,update - services/status
          allow create,get,list,update,watch coordination.k8s.io leases
          allow create - serviceaccounts
          allow create authentication.k8s.io tokenreviews
          allow create authorization.k8s.io subjectaccessreviews
          allow get,list,watch - endpoints,pods
          allow get,list,watch discovery.k8s.io endpointslices
        clusterrole apus:kubelet-serving-approver
          allow update certificates.k8s.io certificatesigningrequests/approval
          allow approve certificates.k8s.io signers kubernetes.io/kubelet-serving
        clusterrolebinding apus:kubelet-serving-approver \#
        ClusterRole:apus:kubelet-serving-approver \#
        account:kube-system/kubelet-serving-approver
        clusterrolebinding apus:cluster-dns ClusterRole:apus:cluster-dns \#
        user:system:cluster-dns
        clusterrolebinding apus:cloud-controller-manager \#
        ClusterRole:apus:cloud-controller-manager user:system:cloud-controller-manager
        """#
}
