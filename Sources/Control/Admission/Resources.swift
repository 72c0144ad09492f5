// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ResourceTable

/// The resources that plugins know.
extension GroupResource {
    static let pods = GroupResource(group: "", resource: "pods")
    static let namespaces = GroupResource(group: "", resource: "namespaces")
    static let nodes = GroupResource(group: "", resource: "nodes")
    static let serviceAccounts = GroupResource(group: "", resource: "serviceaccounts")
    static let persistentVolumes = GroupResource(group: "", resource: "persistentvolumes")
    static let persistentVolumeClaims = GroupResource(
        group: "",
        resource: "persistentvolumeclaims"
    )
    static let limitRanges = GroupResource(group: "", resource: "limitranges")
    static let resourceQuotas = GroupResource(group: "", resource: "resourcequotas")
    static let priorityClasses = GroupResource(
        group: "scheduling.k8s.io",
        resource: "priorityclasses"
    )
    static let storageClasses = GroupResource(
        group: "storage.k8s.io",
        resource: "storageclasses"
    )
    static let volumeAttributesClasses = GroupResource(
        group: "storage.k8s.io",
        resource: "volumeattributesclasses"
    )
    static let csiNodes = GroupResource(group: "storage.k8s.io", resource: "csinodes")
    static let runtimeClasses = GroupResource(group: "node.k8s.io", resource: "runtimeclasses")
    static let ingresses = GroupResource(group: "networking.k8s.io", resource: "ingresses")
    static let ingressClasses = GroupResource(
        group: "networking.k8s.io",
        resource: "ingressclasses"
    )
    static let leases = GroupResource(group: "coordination.k8s.io", resource: "leases")
    static let certificateSigningRequests = GroupResource(
        group: "certificates.k8s.io",
        resource: "certificatesigningrequests"
    )
}
