// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Which controllers run, as `--controllers` says: `*` is all that are on by default, `foo` turns one
/// on, `-foo` turns it off. The first that fits counts.
package struct ControllerSelection: Sendable {
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
    ]
    /// Upstream leaves these off unless they are named.
    private static let offByDefault: Set<String> = [
        "bootstrap-signer-controller", "token-cleaner-controller",
    ]

    private let entries: [String]

    package init(_ entries: [String]) { self.entries = entries }

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
