// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import NodeHost
import PodLifecycle
import Protobuf
import Scalars
import Synchronization

/// Makes the volumes of pods, keeps their content up to date, and takes them away.
///
/// Source: upstream `pkg/volume/*`, `pkg/kubelet/volumemanager`.
final class VolumeManager: Sendable {
    let settings: KubeletSettings
    let cluster: (any ClusterAccess)?
    let tokens: TokenCache?
    /// What volumes are made from; nil without an API server.
    let references: ReferencedObjects?
    /// Nil without an API server.
    let localVolumes: LocalVolumes?
    let context: @Sendable () -> FieldReferences.Context

    init(
        settings: KubeletSettings,
        cluster: (any ClusterAccess)?,
        tokens: TokenCache?,
        references: ReferencedObjects?,
        localVolumes: LocalVolumes?,
        context: @escaping @Sendable () -> FieldReferences.Context
    ) {
        self.settings = settings
        self.cluster = cluster
        self.tokens = tokens
        self.references = references
        self.localVolumes = localVolumes
        self.context = context
    }

    /// Makes or updates every volume of a pod.
    ///
    /// - Returns: the volumes by name.
    func mount(
        _ pod: CoreV1.Pod,
        addresses: [String]
    ) async throws(VolumeFailure) -> [String: MountedVolume] {
        var result: [String: MountedVolume] = [:]
        self.references?.follow(ReferencedObjects.Reference.all(of: pod), for: pod.metadata.uid)
        for volume in pod.spec.volumes {
            guard PodPaths.isSafe(volume.name) else {
                throw VolumeFailure(volume: volume.name, message: "invalid volume name")
            }
            do {
                result[volume.name] = try await self.mount(volume, pod, addresses)
            } catch {
                throw VolumeFailure(volume: volume.name, message: "\(error)")
            }
        }
        return result
    }

    func mount(
        _ volume: CoreV1.Volume,
        _ pod: CoreV1.Pod,
        _ addresses: [String]
    ) async throws -> MountedVolume {
        let source = volume.volumeSource
        let paths = PodPaths(pod, self.settings)
        let group = pod.spec.securityContext?.fsGroup.flatMap { UInt32(exactly: $0) }
        if let empty = source.emptyDir {
            let path = paths.volume("empty-dir", volume.name)
            return try await HostThreads.run { () throws(HostError) in
                try EmptyDirectory.ensure(path, empty, pod: pod, group: group)
            }
        }
        if let host = source.hostPath {
            return try await HostThreads.run { () throws(HostPathVolume.Mismatch) in
                try HostPathVolume.check(host)
            }
        }
        if let claim = source.persistentVolumeClaim {
            return try await self.mountClaim(claim, volume.name, pod)
        }
        if let plugin = Self.plugin(of: source) {
            let files = try await self.files(of: source, pod, addresses)
            return try await self.project(files, paths.volume(plugin, volume.name), group)
        }
        throw NotInCluster("no volume plugin matched name: \(volume.name)")
    }

    /// The folder of the volumes whose content the kubelet writes; nil for others.
    static func plugin(of source: CoreV1.VolumeSource) -> String? {
        if source.configMap != nil { return "configmap" }
        if source.secret != nil { return "secret" }
        if source.downwardAPI != nil { return "downward-api" }
        if source.projected != nil { return "projected" }
        return nil
    }

    /// Writes files into a volume in memory.
    private func project(
        _ files: [String: AtomicDirectory.File],
        _ path: String,
        _ group: UInt32?
    ) async throws -> MountedVolume {
        let version = VersionName.next()
        return try await HostThreads.run { () throws(HostError) in
            try HostFiles.makeDirectory(path)
            if !Mounts.isMounted(path) { try Mounts.tmpfs(on: path) }
            if let group {
                chown(path, .max, group)
                chmod(path, 0o2775 | 0o777)
            }
            try AtomicDirectory(path: path).update(files, version: version, group: group)
            return MountedVolume(path: path, isReadOnly: true)
        }
    }

    private func mountClaim(
        _ source: CoreV1.PersistentVolumeClaimVolumeSource,
        _ name: String,
        _ pod: CoreV1.Pod
    ) async throws -> MountedVolume {
        guard let cluster = self.cluster else {
            throw NotInCluster(kind: "persistentvolumeclaim", name: source.claimName)
        }
        let claim = try await cluster.persistentVolumeClaim(
            pod.metadata.namespace,
            source.claimName
        )
        guard claim.status.phase == "Bound", !claim.spec.volumeName.isEmpty else {
            throw NotInCluster("PVC is not bound")
        }
        let volume = try await cluster.persistentVolume(claim.spec.volumeName)
        guard volume.spec.claimRef?.uid == claim.metadata.uid else {
            throw NotInCluster("volume \(claim.spec.volumeName) is bound to another claim")
        }
        let origin = volume.spec.persistentVolumeSource
        let group = pod.spec.securityContext?.fsGroup.flatMap { UInt32(exactly: $0) }
        let isReadOnly = source.readOnly
        if let host = origin.hostPath {
            var mounted = try await HostThreads.run { () throws(HostPathVolume.Mismatch) in
                try HostPathVolume.check(host)
            }
            mounted.isReadOnly = isReadOnly
            return mounted
        }
        if let local = origin.local {
            let path = local.path
            if LocalVolumes.isOurs(volume) { try await self.localVolumes?.ensure(volume) }
            return try await HostThreads.run { () throws(HostError) in
                guard HostFiles.exists(path) else {
                    throw HostError(code: ENOENT, operation: "stat", path: path)
                }
                if let group, !isReadOnly { Ownership.set(group: group, below: path) }
                return MountedVolume(path: path, isReadOnly: isReadOnly, isOwned: false)
            }
        }
        throw NotInCluster("no volume plugin matched name: \(name)")
    }
}

/// Names for versions of a folder.
enum VersionName {
    private static let counter = Atomic<UInt64>(0)

    /// A name that was not used before.
    static func next() -> String {
        let count = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(WallClock.now / 1_000_000)_\(count)"
    }
}
