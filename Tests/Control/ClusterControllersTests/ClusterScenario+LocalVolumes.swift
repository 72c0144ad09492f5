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
    private static let disks = ["node-a", "node-b", "node-c"]
    private static let inUse = "apus.dev/local/"

    /// Claims for volumes on nodes' disks, their classes and the nodes come and go; kubelets hold
    /// volumes for longer than their claims are there. In the end each claim has a volume of its own
    /// and no volume is without a claim; on the way none was deleted that its node had data of or a
    /// claim had, and none was ever given to two claims.
    static let localVolumes = ClusterScenario(
        name: "local volumes",
        resources: [
            "nodes", "persistentvolumeclaims", "persistentvolumes",
            "storageclasses.storage.k8s.io",
        ],
        controllers: { harness, _ in
            [
                LocalVolumeProvisioner(harness.context()), VolumeBinder(harness.context()),
                VolumeProtectionController(harness.context()),
                ClaimProtectionController(harness.context()),
            ]
        },
        disturb: { harness, storm in
            let claims = harness.client(CoreV1.PersistentVolumeClaim.self)
            let node = Self.disks[storm.random(below: Self.disks.count)]
            let number = storm.random(below: 5)
            switch storm.random(below: 9) {
            case 0: await Self.addClasses(harness)
            case 1:
                let name = storm.random(below: 2) == 0 ? "local" : "local-late"
                _ = try? await harness.client(StorageV1.StorageClass.self).delete(name)
            case 2: _ = try? await harness.client(CoreV1.Node.self).delete(node)
            case 3: await Self.setNode(harness, node, isReady: storm.random(below: 3) > 0)
            case 4: await Self.use(harness, storm)
            case 5: await Self.release(harness, Self.disks[storm.random(below: Self.disks.count)])
            case 6: _ = try? await claims.delete("claim-\(number)", in: "default")
            default:
                _ = try? await claims.create(
                    Self.claim(number, on: storm.random(below: 2) == 0 ? node : nil)
                )
            }
        },
        settle: { harness in
            await Self.addClasses(harness)
            for node in Self.disks { await Self.setNode(harness, node, isReady: true) }
        },
        isDone: { harness in
            for node in Self.disks { await Self.release(harness, node) }
            let client = harness.client(CoreV1.PersistentVolumeClaim.self)
            let claims = try await client.list().items
            // The scheduler chooses again for a claim whose node is gone.
            for claim in claims
            where claim.spec.storageClassName == "local-late" && claim.spec.volumeName.isEmpty
                && claim.metadata.annotations[LocalVolumePlan.selectedNode] == nil
            {
                var claim = claim
                claim.metadata.annotations[LocalVolumePlan.selectedNode] = Self.disks[0]
                _ = try? await client.update(claim)
            }
            let volumes = try await harness.client(CoreV1.PersistentVolume.self).list().items
            let served = claims.filter { $0.spec.accessModes != ["ReadWriteMany"] }
            return served.allSatisfy {
                $0.status.phase == "Bound" && $0.spec.volumeName == LocalVolumePlan.name(of: $0)
            }
                && Set(volumes.map(\.metadata.name)) == Set(served.map(LocalVolumePlan.name(of:)))
                && volumes.allSatisfy { $0.status.phase == "Bound" }
        },
        problems: { Self.problems(ofLocalVolumes: $0) }
    )

    // MARK: What there is

    private static func addClasses(_ harness: ControllerHarness) async {
        for (name, mode) in [("local", "Immediate"), ("local-late", "WaitForFirstConsumer")] {
            _ = try? await harness.client(StorageV1.StorageClass.self).create(
                StorageV1.StorageClass.with {
                    $0.metadata.name = name
                    $0.provisioner = LocalVolumePlan.provisioner
                    $0.reclaimPolicy = "Delete"
                    $0.volumeBindingMode = mode
                }
            )
        }
    }

    /// - Parameter node: of a claim that waits for its pod; nil for one that waits for nothing.
    private static func claim(_ number: Int, on node: String?) -> CoreV1.PersistentVolumeClaim {
        CoreV1.PersistentVolumeClaim.with {
            $0.metadata.name = "claim-\(number)"
            $0.metadata.namespace = "default"
            $0.status.phase = "Pending"
            // One that no disk of a node can be.
            $0.spec.accessModes = [number == 0 ? "ReadWriteMany" : "ReadWriteOnce"]
            $0.spec.storageClassName = node == nil ? "local" : "local-late"
            if let node { $0.metadata.annotations[LocalVolumePlan.selectedNode] = node }
            if let size = try? Quantity(parsing: "1Gi") {
                $0.spec.resources.requests["storage"] = Resource.Quantity(size)
            }
        }
    }

    // MARK: Nodes

    private static func setNode(_ harness: ControllerHarness, _ name: String, isReady: Bool) async {
        let nodes = harness.client(CoreV1.Node.self)
        _ = try? await nodes.create(
            CoreV1.Node.with {
                $0.metadata.name = name
                $0.metadata.labels[LocalVolumePlan.hostname] = name
            }
        )
        guard var node = try? await nodes.get(name) else { return }
        node.status.conditions = [
            CoreV1.NodeCondition.with {
                $0.type = "Ready"
                $0.status = isReady ? "True" : "False"
            }
        ]
        _ = try? await nodes.updateStatus(node)
    }

    /// A kubelet makes the folder of a volume that a claim has. Nobody but the one who calls this
    /// deletes claims.
    private static func use(_ harness: ControllerHarness, _ storm: Storm) async {
        let claims = harness.client(CoreV1.PersistentVolumeClaim.self)
        let bound = ((try? await claims.list().items) ?? [])
            .filter { $0.status.phase == "Bound" && $0.metadata.deletionTimestamp == nil }
            .sorted { $0.metadata.name < $1.metadata.name }
        guard !bound.isEmpty else { return }
        let name = bound[storm.random(below: bound.count)].spec.volumeName
        guard let volume = try? await harness.client(CoreV1.PersistentVolume.self).get(name),
            let hostname = LocalVolumePlan.hostname(of: volume),
            var node = try? await harness.client(CoreV1.Node.self).get(hostname),
            !node.status.volumesInUse.contains(Self.inUse + name)
        else { return }
        node.status.volumesInUse.append(Self.inUse + name)
        _ = try? await harness.client(CoreV1.Node.self).updateStatus(node)
    }

    /// A kubelet has removed what it had of volumes that are released.
    private static func release(_ harness: ControllerHarness, _ name: String) async {
        let volumes = harness.client(CoreV1.PersistentVolume.self)
        guard var node = try? await harness.client(CoreV1.Node.self).get(name) else { return }
        var kept: [String] = []
        for used in node.status.volumesInUse {
            let volume = try? await volumes.get(String(used.dropFirst(Self.inUse.count)))
            if volume?.status.phase == "Bound" { kept.append(used) }
        }
        guard kept.count != node.status.volumesInUse.count else { return }
        node.status.volumesInUse = RepeatedField(kept)
        _ = try? await harness.client(CoreV1.Node.self).updateStatus(node)
    }

    // MARK: What must be true

    private static func problems(ofLocalVolumes cluster: MemoryCluster) -> [String] {
        var problems: [String] = []
        let nodes = cluster.history(of: CoreV1.Node.self)
        let claims = cluster.history(of: CoreV1.PersistentVolumeClaim.self)
        var owners: [String: String] = [:]
        var gone: Set<String> = []
        for (version, isDeleted, volume) in cluster.history(of: CoreV1.PersistentVolume.self) {
            let name = volume.metadata.name
            let owner = volume.spec.claimRef?.uid ?? ""
            if "pvc-\(owner)" != name {
                problems.append("\(name) is another claim's at \(version)")
            }
            if let known = owners.updateValue(owner, forKey: volume.metadata.uid), known != owner {
                problems.append("\(name) changed hands at \(version)")
            }
            guard isDeleted || volume.metadata.deletionTimestamp != nil,
                gone.insert(volume.metadata.uid).inserted
            else { continue }
            let hostname = LocalVolumePlan.hostname(of: volume) ?? ""
            let node = nodes.last { $0.version < version && $0.object.metadata.name == hostname }
            if let node, !node.isDeleted,
                node.object.status.volumesInUse.contains(Self.inUse + name)
            {
                problems.append("\(name) was deleted at \(version) while \(hostname) had it")
            }
            let claim = claims.last { $0.version < version && $0.object.metadata.uid == owner }
            if let claim, !claim.isDeleted {
                problems.append("\(name) was deleted at \(version) under its claim")
            }
        }
        var bound: [String: String] = [:]
        for (version, _, claim) in claims where !claim.spec.volumeName.isEmpty {
            if claim.spec.accessModes == ["ReadWriteMany"] {
                problems.append("\(claim.metadata.name) got a volume at \(version)")
            }
            let name = claim.spec.volumeName
            if let known = bound.updateValue(name, forKey: claim.metadata.uid), known != name {
                problems.append("\(claim.metadata.name) changed its volume at \(version)")
            }
        }
        return problems
    }
}
