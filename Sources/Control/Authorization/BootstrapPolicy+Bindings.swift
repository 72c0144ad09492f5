// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension BootstrapPolicy {
    /// Who has the roles. Each controller role is bound to the service account of its name.
    static let bindingText = #"""
        clusterrolebinding cluster-admin ClusterRole:cluster-admin group:system:masters
        clusterrolebinding system:basic-user ClusterRole:system:basic-user \#
        group:system:authenticated
        clusterrolebinding system:discovery ClusterRole:system:discovery \#
        group:system:authenticated
        clusterrolebinding system:kube-controller-manager \#
        ClusterRole:system:kube-controller-manager user:system:kube-controller-manager
        clusterrolebinding system:kube-dns ClusterRole:system:kube-dns \#
        account:kube-system/kube-dns
        clusterrolebinding system:kube-scheduler ClusterRole:system:kube-scheduler \#
        user:system:kube-scheduler
        clusterrolebinding system:monitoring ClusterRole:system:monitoring \#
        group:system:monitoring
        clusterrolebinding system:node ClusterRole:system:node
        clusterrolebinding system:node-proxier ClusterRole:system:node-proxier \#
        user:system:kube-proxy
        clusterrolebinding system:public-info-viewer \#
        ClusterRole:system:public-info-viewer group:system:authenticated \#
        group:system:unauthenticated
        clusterrolebinding system:service-account-issuer-discovery \#
        ClusterRole:system:service-account-issuer-discovery group:system:serviceaccounts
        clusterrolebinding system:volume-scheduler ClusterRole:system:volume-scheduler \#
        user:system:kube-scheduler
        rolebinding kube-public/system:controller:bootstrap-signer \#
        Role:system:controller:bootstrap-signer account:kube-system/bootstrap-signer
        rolebinding kube-system/system::extension-apiserver-authentication-reader \#
        Role:extension-apiserver-authentication-reader \#
        user:system:kube-controller-manager user:system:kube-scheduler
        rolebinding kube-system/system::leader-locking-kube-controller-manager \#
        Role:system::leader-locking-kube-controller-manager \#
        user:system:kube-controller-manager account:kube-system/kube-controller-manager \#
        account:kube-system/leader-election-controller
        rolebinding kube-system/system::leader-locking-kube-scheduler \#
        Role:system::leader-locking-kube-scheduler user:system:kube-scheduler \#
        account:kube-system/kube-scheduler
        rolebinding kube-system/system:controller:bootstrap-signer \#
        Role:system:controller:bootstrap-signer account:kube-system/bootstrap-signer
        rolebinding kube-system/system:controller:cloud-provider \#
        Role:system:controller:cloud-provider account:kube-system/cloud-provider
        rolebinding kube-system/system:controller:token-cleaner \#
        Role:system:controller:token-cleaner account:kube-system/token-cleaner
        """#
}
