// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import Scalars

extension ClusterScenario {
    /// Volumes and claims come and go. In the end no claim waits while a volume is free, no volume is
    /// held by a claim that is gone, and none was ever given to two claims.
    static let volumes = ClusterScenario(
        name: "volumes",
        resources: ["persistentvolumes", "persistentvolumeclaims"],
        controllers: { harness, _ in
            [
                VolumeBinder(harness.context()), VolumeProtectionController(harness.context()),
                ClaimProtectionController(harness.context()),
            ]
        },
        disturb: { harness, storm in
            let volumes = harness.client(CoreV1.PersistentVolume.self)
            let claims = harness.client(CoreV1.PersistentVolumeClaim.self)
            let number = storm.random(below: 5)
            switch storm.random(below: 6) {
            case 0, 1: _ = try? await volumes.create(Self.volume("volume-\(number)"))
            case 2, 3: _ = try? await claims.create(Self.claim("claim-\(number)"))
            case 4: _ = try? await claims.delete("claim-\(number)", in: "default")
            default: _ = try? await volumes.delete("volume-\(number)")
            }
        },
        settle: { _ in },
        isDone: { harness in
            let volumes = try await harness.client(CoreV1.PersistentVolume.self).list().items
            let claims = try await harness.client(CoreV1.PersistentVolumeClaim.self).list().items
            let byUID = Dictionary(grouping: claims, by: \.metadata.uid)
            let isFree = volumes.contains {
                $0.status.phase == "Available" && $0.metadata.deletionTimestamp == nil
            }
            let isSettled = volumes.allSatisfy { volume in
                // One whose claim is there stays as long as the claim does.
                guard let reference = volume.spec.claimRef else {
                    return volume.metadata.deletionTimestamp == nil
                        && volume.status.phase == "Available"
                }
                guard let claim = byUID[reference.uid]?.first else {
                    return volume.status.phase == "Released"
                        && volume.metadata.deletionTimestamp == nil
                }
                return volume.status.phase == "Bound"
                    && claim.spec.volumeName == volume.metadata.name
            }
            return isSettled
                && claims.allSatisfy { claim in
                    claim.metadata.deletionTimestamp == nil
                        && (["Bound", "Lost"].contains(claim.status.phase) || !isFree)
                }
        },
        problems: { cluster in
            var problems: [String] = []
            // The claims that ever named a volume, and each claim's volume.
            var users: [String: Set<String>] = [:]
            var bound: [String: String] = [:]
            for (version, _, claim) in cluster.history(of: CoreV1.PersistentVolumeClaim.self)
            where !claim.spec.volumeName.isEmpty {
                let name = claim.spec.volumeName
                users[name, default: []].insert(claim.metadata.uid)
                let known = bound.updateValue(name, forKey: claim.metadata.uid)
                if let known, known != name {
                    problems.append("\(claim.metadata.name) changed its volume at \(version)")
                }
            }
            var owners: [String: String] = [:]
            for (version, _, volume) in cluster.history(of: CoreV1.PersistentVolume.self) {
                guard let uid = volume.spec.claimRef?.uid, !uid.isEmpty else { continue }
                // A reservation that came to nothing may be given up, a claim's data may not.
                let known = owners.updateValue(uid, forKey: volume.metadata.uid)
                let name = volume.metadata.name
                if let known, known != uid, users[name, default: []].contains(known) {
                    problems.append("\(name) changed hands at \(version)")
                }
            }
            return problems
        }
    )

    private static func quantity(_ text: String) -> Resource.Quantity {
        (try? Quantity(parsing: text)).map { Resource.Quantity($0) } ?? Resource.Quantity()
    }

    private static func volume(_ name: String) -> CoreV1.PersistentVolume {
        CoreV1.PersistentVolume.with {
            $0.metadata.name = name
            $0.status.phase = "Pending"
            $0.spec.capacity["storage"] = Self.quantity("2Gi")
            $0.spec.accessModes = ["ReadWriteOnce"]
            $0.spec.storageClassName = "plain"
            $0.spec.persistentVolumeReclaimPolicy = "Retain"
        }
    }

    private static func claim(_ name: String) -> CoreV1.PersistentVolumeClaim {
        CoreV1.PersistentVolumeClaim.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.status.phase = "Pending"
            $0.spec.accessModes = ["ReadWriteOnce"]
            $0.spec.storageClassName = "plain"
            $0.spec.resources.requests["storage"] = Self.quantity("1Gi")
        }
    }
}
