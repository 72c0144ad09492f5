// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient

extension VolumeBinder {
    /// Gives a claim that names no class the default one.
    ///
    /// - Returns: whether there is one.
    func setDefaultClass(_ claim: CoreV1.PersistentVolumeClaim) async throws(StatusError) -> Bool {
        guard DefaultClass.name(of: claim) == nil,
            let storageClass = DefaultClass.choose(self.classes.list())
        else { return false }
        var claim = claim
        claim.spec.storageClassName = storageClass.metadata.name
        _ = try await self.claimClient.update(claim)
        return true
    }

    /// Writes the phase of a volume, unless it has it.
    ///
    /// - Parameter message: why it has failed.
    func set(
        _ volume: CoreV1.PersistentVolume,
        phase: String,
        message: String = ""
    ) async throws(StatusError) -> CoreV1.PersistentVolume {
        guard volume.status.phase != phase else { return volume }
        var volume = volume
        volume.status.phase = phase
        volume.status.message = message
        volume.status.lastPhaseTransitionTime = MetaV1.Time(self.context.clock.now)
        return try await self.volumeClient.updateStatus(volume)
    }

    /// Says what becomes of a volume.
    func reconcileVolume(_ name: String) async throws(StatusError) {
        guard let volume = self.volumes.get(name) else { return }
        guard let reference = volume.spec.claimRef else {
            _ = try await self.set(volume, phase: "Available")
            return
        }
        // Reserved, but for nobody in particular yet.
        if reference.uid.isEmpty {
            _ = try await self.set(volume, phase: "Available")
            return
        }
        let claim = self.claims.get(reference.name, in: reference.namespace)
        if let claim, claim.metadata.uid == reference.uid {
            // What a claim names stays as it is: the answer is good however old the claim.
            switch claim.spec.volumeName {
            case "": return
            case name: _ = try await self.set(volume, phase: "Bound")
            default: try await self.unbind(volume)
            }
            return
        }
        do throws(StatusError) {
            let live = try await self.claimClient.get(reference.name, in: reference.namespace)
            if live.metadata.uid == reference.uid { return }
        } catch {
            guard error.isNotFound else { throw error }
        }
        try await self.release(volume)
    }

    /// Says that a volume's claim is gone, and when nobody can do what is to be done then.
    private func release(_ volume: CoreV1.PersistentVolume) async throws(StatusError) {
        guard volume.status.phase != "Failed" else { return }
        let released = try await self.set(volume, phase: "Released")
        guard let failure = VolumeReclaim.failure(of: released) else { return }
        let failed = try await self.set(released, phase: "Failed", message: failure.message)
        self.context.recorder.record(.warning, failure.reason, failure.message, about: failed)
    }

    /// Gives up a volume whose claim took another one: a reservation that was made while the cache
    /// did not show the one before.
    private func unbind(_ volume: CoreV1.PersistentVolume) async throws(StatusError) {
        var volume = volume
        if volume.metadata.annotations[Self.provisionedBy] != nil,
            volume.spec.persistentVolumeReclaimPolicy == "Delete"
        {
            // Made for that claim, and of no use to any other: its provisioner deletes it.
            return try await self.release(volume)
        }
        if volume.metadata.annotations[Self.boundByController] != nil {
            volume.metadata.annotations[Self.boundByController] = nil
            volume.spec.claimRef = nil
        } else {
            volume.spec.claimRef?.uid = ""
        }
        volume = try await self.volumeClient.update(volume)
        _ = try await self.set(volume, phase: "Available")
    }
}
