// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Which controllers run, as `--controllers` says: `*` is all that are on by default, `foo` turns one
/// on, `-foo` turns it off. The first that fits counts.
package struct ControllerSelection: Sendable {
    /// Every controller that upstream's flag knows, those that are not here among them.
    ///
    /// Source: upstream `cmd/kube-controller-manager/names/controller_names.go`,
    /// `k8s.io/cloud-provider/names`.
    private static let known: Set<String> = [
        "bootstrap-signer-controller", "certificatesigningrequest-approving-controller",
        "certificatesigningrequest-cleaner-controller",
        "certificatesigningrequest-signing-controller", "cloud-node-lifecycle-controller",
        "clusterrole-aggregation-controller", "cronjob-controller", "daemonset-controller",
        "deployment-controller", "device-taint-eviction-controller", "disruption-controller",
        "endpoints-controller", "endpointslice-controller", "endpointslice-mirroring-controller",
        "ephemeral-volume-controller", "garbage-collector-controller",
        "horizontal-pod-autoscaler-controller", "job-controller",
        "kube-apiserver-serving-clustertrustbundle-publisher-controller",
        // Ours: upstream leaves these approvals to others.
        "kubelet-serving-approving-controller",
        "legacy-serviceaccount-token-cleaner-controller",
        // Ours: upstream's provisioners are programs of their own.
        "local-volume-provisioner-controller", "namespace-controller",
        "node-ipam-controller", "node-lifecycle-controller", "node-route-controller",
        "persistentvolume-attach-detach-controller", "persistentvolume-binder-controller",
        "persistentvolume-expander-controller", "persistentvolume-protection-controller",
        "persistentvolumeclaim-protection-controller", "pod-garbage-collector-controller",
        "podcertificaterequest-cleaner-controller", "replicaset-controller",
        "replicationcontroller-controller", "resourceclaim-controller",
        "resourcequota-controller", "root-ca-certificate-publisher-controller",
        "selinux-warning-controller", "service-cidr-controller", "service-lb-controller",
        "serviceaccount-controller", "serviceaccount-token-controller", "statefulset-controller",
        "storage-version-migrator-controller", "storageversion-garbage-collector-controller",
        "taint-eviction-controller", "token-cleaner-controller", "ttl-after-finished-controller",
        "ttl-controller", "validatingadmissionpolicy-status-controller",
        "volumeattributesclass-protection-controller",
    ]
    /// Names from before upstream named all of them alike.
    private static let aliases: [String: String] = [
        "deployment": "deployment-controller", "replicaset": "replicaset-controller",
        "replicationcontroller": "replicationcontroller-controller",
        "endpoint": "endpoints-controller", "endpointslice": "endpointslice-controller",
        "endpointslicemirroring": "endpointslice-mirroring-controller",
        "namespace": "namespace-controller", "serviceaccount": "serviceaccount-controller",
        "root-ca-cert-publisher": "root-ca-certificate-publisher-controller",
        "garbagecollector": "garbage-collector-controller", "job": "job-controller",
        "cronjob": "cronjob-controller", "daemonset": "daemonset-controller",
        "statefulset": "statefulset-controller", "podgc": "pod-garbage-collector-controller",
        "resourcequota": "resourcequota-controller", "disruption": "disruption-controller",
        "nodeipam": "node-ipam-controller", "nodelifecycle": "node-lifecycle-controller",
        "ttl": "ttl-controller", "ttl-after-finished": "ttl-after-finished-controller",
        "csrapproving": "certificatesigningrequest-approving-controller",
        "csrsigning": "certificatesigningrequest-signing-controller",
        "csrcleaner": "certificatesigningrequest-cleaner-controller",
        "bootstrapsigner": "bootstrap-signer-controller",
        "tokencleaner": "token-cleaner-controller",
        "clusterrole-aggregation": "clusterrole-aggregation-controller",
        "pvc-protection": "persistentvolumeclaim-protection-controller",
        "pv-protection": "persistentvolume-protection-controller",
        "persistentvolume-binder": "persistentvolume-binder-controller",
        "ephemeral-volume": "ephemeral-volume-controller",
        "attachdetach": "persistentvolume-attach-detach-controller",
        "horizontalpodautoscaling": "horizontal-pod-autoscaler-controller",
        "persistentvolume-expander": "persistentvolume-expander-controller",
        "serviceaccount-token": "serviceaccount-token-controller",
        "service": "service-lb-controller", "route": "node-route-controller",
        "cloud-node-lifecycle": "cloud-node-lifecycle-controller",
        "resource-claim-controller": "resourceclaim-controller",
        "storage-version-gc": "storageversion-garbage-collector-controller",
        "legacy-service-account-token-cleaner": "legacy-serviceaccount-token-cleaner-controller",
    ]
    /// Upstream leaves these off unless they are named, or does not have them.
    private static let offByDefault: Set<String> = [
        "bootstrap-signer-controller", "kubelet-serving-approving-controller",
        "token-cleaner-controller",
    ]

    private let entries: [String]

    package init(_ entries: [String]) { self.entries = entries }

    /// What is wrong with the entries, as upstream says it; nil when nothing is.
    package var problem: String? {
        for entry in self.entries where entry != "*" {
            let name = entry.hasPrefix("-") ? String(entry.dropFirst()) : entry
            if !Self.known.contains(Self.aliases[name] ?? name) {
                return "\"\(name)\" is not in the list of known controllers"
            }
        }
        return nil
    }

    package func includes(_ name: String) -> Bool {
        var hasStar = false
        for entry in self.entries {
            if entry == "*" {
                hasStar = true
                continue
            }
            let isOff = entry.hasPrefix("-")
            let named = isOff ? String(entry.dropFirst()) : entry
            if (Self.aliases[named] ?? named) == name { return !isOff }
        }
        return hasStar && !Self.offByDefault.contains(name)
    }
}
