// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// Refuses nodes that cannot reach the pod's volumes, or where there are none for claims that wait
/// for the pod.
///
/// Source: upstream `plugins/volumebinding`.
package struct VolumeBindingPlugin: FilterPlugin {
    package let name = PluginName.volumeBinding
    package let interest: ChangeKinds = [.node, .volumeObject]

    static let nodeConflict = Rejection.unresolvable(
        "node(s) didn't match PersistentVolume's node affinity"
    )
    static let bindConflict = Rejection.unresolvable(
        "node(s) didn't find available persistent volumes to bind"
    )
    static let noSpace = Rejection.unresolvable("node(s) did not have enough free storage")
    static let missingVolume = Rejection.unresolvable(
        "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
    )

    package init() {}

    package func prepareFilter(_ pod: PodInfo, _ cluster: Cluster) -> FilterPreparation {
        if pod.volumes.claims.isEmpty { return .skip }
        var bound: [RequiredNodeMatcher?] = []
        var waiting: [CoreV1.PersistentVolumeClaim] = []
        for item in pod.volumes.claims {
            guard let claim = cluster.volumes.claim(item.name, of: pod) else {
                let reason =
                    item.isEphemeral
                    ? "waiting for ephemeral volume controller to create the "
                        + "persistentvolumeclaim \"\(item.name)\""
                    : "persistentvolumeclaim \"\(item.name)\" not found"
                return .refuse(.unresolvable(reason))
            }
            if let problem = Self.problem(claim, item, pod) {
                return .refuse(.unresolvable(problem))
            }
            if claim.isFullyBound {
                let volume = cluster.volumes.volumes[claim.spec.volumeName]
                bound.append(
                    volume.map {
                        RequiredNodeMatcher($0.spec.nodeAffinity?.required, cluster)
                    }
                )
            } else if claim.spec.volumeName.isEmpty, cluster.volumes.isDelayed(claim) {
                waiting.append(claim)
            } else {
                return .refuse(
                    .unresolvable("pod has unbound immediate PersistentVolumeClaims")
                )
            }
        }
        let search = waiting.isEmpty ? nil : VolumeSearch(waiting, cluster)
        return .check(Check(bound: bound, search: search))
    }

    /// Why a claim is of no use to a pod; nil when it is.
    private static func problem(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ item: PodVolumes.Claim,
        _ pod: PodInfo
    ) -> String? {
        if claim.status.phase == "Lost" {
            return "persistentvolumeclaim \"\(item.name)\" bound to non-existent "
                + "persistentvolume \"\(claim.spec.volumeName)\""
        }
        if claim.metadata.deletionTimestamp != nil {
            return "persistentvolumeclaim \"\(item.name)\" is being deleted"
        }
        let isOwn = claim.metadata.ownerReferences.contains {
            $0.controller == true && $0.uid == pod.uid
        }
        if item.isEphemeral, !isOwn {
            return "PVC \(claim.catalogKey) was not created for pod \(pod.namespace)/\(pod.name) "
                + "(pod is not owner)"
        }
        return nil
    }

    package func mayHelp(_ change: ClusterChange, _ pod: PodInfo, _ cluster: Cluster) -> Bool {
        switch change {
        case .nodeAdded: true
        case .nodeUpdated(_, _, let parts): parts.contains(.labels)
        case .volumeObject(.claim(let namespace, let name)):
            namespace == pod.namespace && pod.volumes.claims.contains { $0.name == name }
        case .volumeObject: true
        case .nodeRemoved, .podPlaced, .placedPodUpdated, .placedPodRemoved, .podUpdated,
            .namespaceChanged:
            false
        }
    }

    private final class Check: NodeCheck {
        /// Where the volumes can be reached; nil for one that is gone.
        let bound: [RequiredNodeMatcher?]
        /// For the claims that wait for the pod; nil when there are none.
        let search: VolumeSearch?

        init(bound: [RequiredNodeMatcher?], search: VolumeSearch?) {
            self.bound = bound
            self.search = search
        }

        func refusal(_ row: Int, _ cluster: Cluster) -> Rejection? {
            for matcher in self.bound {
                guard let matcher else { return VolumeBindingPlugin.missingVolume }
                if !matcher.matches(row, cluster) { return VolumeBindingPlugin.nodeConflict }
            }
            switch self.search?.result(row, cluster) {
            case nil, .plan: return nil
            case .noVolume: return VolumeBindingPlugin.bindConflict
            case .noSpace: return VolumeBindingPlugin.noSpace
            }
        }
    }
}
