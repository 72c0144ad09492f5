// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Selectors

/// Looks for volumes for claims that waited for a pod. What does not depend on the node is worked
/// out once.
///
/// Source: upstream `pkg/scheduler/framework/plugins/volumebinding/binder.go`, FindPodVolumes.
struct VolumeSearch {
    /// What the search comes to on one node.
    enum Result {
        case plan(VolumePlan)
        /// No volume that the node reaches, and none can be made there.
        case noVolume
        /// A volume could be made, but there is no space left for it.
        case noSpace
    }

    private struct Candidate {
        let volume: CoreV1.PersistentVolume
        let matcher: RequiredNodeMatcher
    }

    private struct Wanted {
        let claim: CoreV1.PersistentVolumeClaim
        /// The node that was chosen when the claim was tried before; nil when it never was.
        let selectedNode: String?
        /// The volumes that would do, the best first: one kept for the claim, then the smallest.
        let candidates: [Candidate]
        /// Nil when no volume can be made.
        let provisioning: VolumeProvisioning?
    }

    private let wanted: [Wanted]

    /// The claim that asks for most chooses last, so that small ones do not take large volumes.
    init(_ claims: [CoreV1.PersistentVolumeClaim], _ cluster: Cluster) {
        self.wanted = claims.sorted { $0.requestedBytes < $1.requestedBytes }.map { claim in
            let promise = cluster.volumes.promises[claim.catalogKey]
            var selected = claim.metadata.annotations["volume.kubernetes.io/selected-node"]
            if let promise, promise.volume == nil { selected = promise.node }
            return Wanted(
                claim: claim,
                selectedNode: selected,
                candidates: selected == nil ? Self.candidates(claim, promise, cluster) : [],
                provisioning: promise?.volume == nil
                    ? VolumeProvisioning(claim, cluster.volumes) : nil
            )
        }
    }

    private static func candidates(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ promise: VolumeCatalog.Promise?,
        _ cluster: Cluster
    ) -> [Candidate] {
        let key = claim.catalogKey
        let size = claim.requestedBytes
        let selector = claim.spec.selector.flatMap { try? LabelSelector($0) }
        var found: [(volume: CoreV1.PersistentVolume, isOwn: Bool, size: Int64)] = []
        for (name, volume) in cluster.volumes.volumes {
            let spec = volume.spec
            let owner = spec.claimRef
            let isOwn =
                owner?.namespace == claim.metadata.namespace
                && owner?.name == claim.metadata.name
                && (owner?.uid.isEmpty == true || owner?.uid == claim.metadata.uid)
            guard owner == nil || isOwn,
                promise?.volume ?? name == name,
                cluster.volumes.reserved[name] ?? key == key,
                volume.metadata.deletionTimestamp == nil,
                spec.volumeMode ?? "Filesystem" == claim.spec.volumeMode ?? "Filesystem"
            else { continue }
            let capacity = ResourceAmounts.amount(
                of: spec.capacity["storage"] ?? Resource.Quantity(),
                "storage"
            )
            guard capacity >= size else { continue }
            if !isOwn {
                guard volume.status.phase == "Available",
                    volume.storageClass == claim.storageClass ?? "",
                    spec.volumeAttributesClassName ?? ""
                        == claim.spec.volumeAttributesClassName ?? "",
                    claim.spec.accessModes.allSatisfy(spec.accessModes.contains),
                    selector?.matches(LabelSet(volume.metadata.labels)) ?? true
                else { continue }
            }
            found.append((volume, isOwn, capacity))
        }
        found.sort { left, right in
            if left.isOwn != right.isOwn { return left.isOwn }
            if left.size != right.size { return left.size < right.size }
            return left.volume.metadata.name < right.volume.metadata.name
        }
        return found.map { found in
            Candidate(
                volume: found.volume,
                matcher: RequiredNodeMatcher(found.volume.spec.nodeAffinity?.required, cluster)
            )
        }
    }

    /// How the claims would get their volumes on the node in a row.
    func result(_ row: Int, _ cluster: Cluster) -> Result {
        var plan = VolumePlan()
        var taken: Set<String> = []
        var isShort = false
        for wanted in self.wanted {
            // A volume is being made for another node already.
            if let node = wanted.selectedNode, node != cluster.names[row] { return .noVolume }
            let candidate = wanted.candidates.first { candidate in
                !taken.contains(candidate.volume.metadata.name)
                    && candidate.matcher.matches(row, cluster)
            }
            if let candidate {
                taken.insert(candidate.volume.metadata.name)
                plan.bindings.append(
                    VolumePlan.Binding(volume: candidate.volume, claim: wanted.claim)
                )
            } else if let provisioning = wanted.provisioning,
                provisioning.reaches(row, cluster)
            {
                if !provisioning.hasSpace(row, cluster) { isShort = true }
                plan.provisions.append(wanted.claim)
            } else {
                return .noVolume
            }
        }
        return isShort ? .noSpace : .plan(plan)
    }
}
