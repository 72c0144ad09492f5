// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import ResourceClient
import Scheduler

/// Gives claims the volumes that were chosen for them, and waits until they have them.
struct VolumeWriter: Sendable {
    /// Where the node is written for which a volume shall be made.
    private static let selectedNode = "volume.kubernetes.io/selected-node"

    private let claims: Client<CoreV1.PersistentVolumeClaim>
    private let volumes: Client<CoreV1.PersistentVolume>
    private let clock: any ComponentClock

    init(_ channel: any RPCChannel, _ clock: any ComponentClock) {
        self.claims = Client(channel, fieldManager: "kube-scheduler")
        self.volumes = Client(channel, fieldManager: "kube-scheduler")
        self.clock = clock
    }

    /// Does what a plan says and returns when all claims are bound.
    ///
    /// - Parameter timeout: how long that may take.
    func carryOut(
        _ plan: VolumePlan,
        _ node: String,
        timeout: Duration
    ) async throws(StatusError) {
        let deadline = self.clock.uptime + timeout
        for binding in plan.bindings { try await self.bind(binding) }
        for claim in plan.provisions { try await self.select(node, for: claim) }
        for binding in plan.bindings {
            try await self.waitUntilBound(binding.claim, node: nil, deadline)
        }
        for claim in plan.provisions {
            try await self.waitUntilBound(claim, node: node, deadline)
        }
    }

    private func bind(_ binding: VolumePlan.Binding) async throws(StatusError) {
        var volume = binding.volume
        let claim = binding.claim.metadata
        volume.metadata.annotations["pv.kubernetes.io/bound-by-controller"] = "yes"
        volume.spec.claimRef = .with {
            $0.kind = "PersistentVolumeClaim"
            $0.apiVersion = "v1"
            $0.namespace = claim.namespace
            $0.name = claim.name
            $0.uid = claim.uid
            $0.resourceVersion = claim.resourceVersion
        }
        _ = try await self.volumes.update(volume)
    }

    private func select(
        _ node: String,
        for claim: CoreV1.PersistentVolumeClaim
    ) async throws(StatusError) {
        var claim = claim
        claim.metadata.annotations[Self.selectedNode] = node
        _ = try await self.claims.update(claim)
    }

    /// - Parameter node: where a volume is being made for the claim; nil when it is given one.
    private func waitUntilBound(
        _ claim: CoreV1.PersistentVolumeClaim,
        node: String?,
        _ deadline: Duration
    ) async throws(StatusError) {
        let (namespace, name) = (claim.metadata.namespace, claim.metadata.name)
        while self.clock.uptime < deadline {
            let now = try await self.claims.get(name, in: namespace)
            if try Self.isDone(now, node) { return }
            var options = WatchOptions()
            options.timeoutSeconds = max((deadline - self.clock.uptime).components.seconds, 1)
            let watch = try await self.claims.watch(
                in: namespace,
                name: name,
                from: now.metadata.resourceVersion,
                options: options
            )
            while let batch = try await watch.next() {
                for event in batch.events {
                    switch event {
                    case .modified(let claim), .added(let claim):
                        if try Self.isDone(claim, node) { return }
                    case .deleted:
                        throw .internalError("persistentvolumeclaim \"\(name)\" not found")
                    case .bookmark: break
                    }
                }
            }
        }
        throw .timeout("timed out waiting for the condition")
    }

    /// Whether the claim is bound; throws when it never will be.
    private static func isDone(
        _ claim: CoreV1.PersistentVolumeClaim,
        _ node: String?
    ) throws(StatusError) -> Bool {
        if claim.isFullyBound { return true }
        guard let node else { return false }
        // Whoever makes volumes takes the node away when it cannot make one there.
        let selected = claim.metadata.annotations[Self.selectedNode] ?? ""
        guard selected != node else { return false }
        throw .internalError(
            "selectedNode annotation value \"\(selected)\" not set to scheduled node "
                + "\"\(node)\""
        )
    }
}
