// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf

/// What pods have on the node's disk: every file that a pod can make grow is counted.
struct PodStorage: Sendable {
    /// What one pod has.
    struct Use: Sendable {
        var bytes = LocalStorageLimits.Use()
        var inodes: Int64 = 0
    }

    private let settings: KubeletSettings
    private let observer: RuntimeObserver
    /// Writable layers, by id of the container.
    private let layers: [String: (bytes: Int64, inodes: Int64)]

    /// Asks the runtime for the writable layers of all containers.
    static func read(_ services: PodServices) async -> PodStorage {
        let answer = try? await services.client.runtime.listContainerStats(.init())
        var layers: [String: (bytes: Int64, inodes: Int64)] = [:]
        for stats in answer?.stats ?? [] {
            guard let id = stats.attributes?.id, let layer = stats.writableLayer else { continue }
            layers[id] = (
                Int64(clamping: layer.usedBytes?.value ?? 0),
                Int64(clamping: layer.inodesUsed?.value ?? 0)
            )
        }
        return PodStorage(settings: services.settings, observer: services.observer, layers: layers)
    }

    /// What a pod has.
    func use(of pod: CoreV1.Pod) async -> Use {
        let paths = PodPaths(pod, self.settings)
        let records = self.observer.known(pod.metadata.uid).containers
        let layers = self.layers
        return await HostThreads.run {
            var use = Use()
            // Volumes, last words, `/etc/hosts`: other file systems, such as memory, are left out.
            let own = FolderUse(of: paths.pod)
            use.bytes.total = Int64(clamping: own.bytes)
            use.inodes = Int64(clamping: own.inodes)
            for volume in pod.spec.volumes where volume.volumeSource.emptyDir != nil {
                let path = paths.volume("empty-dir", volume.name)
                use.bytes.emptyDirectories[volume.name] = Int64(clamping: FolderUse(of: path).bytes)
            }
            let logs = FolderUse(of: paths.logs)
            use.bytes.total += Int64(clamping: logs.bytes)
            use.inodes += Int64(clamping: logs.inodes)
            for name in HostFiles.list(paths.logs) {
                let folder = FolderUse(of: "\(paths.logs)/\(name)")
                use.bytes.containers[name, default: 0] += Int64(clamping: folder.bytes)
            }
            for record in records {
                guard let layer = layers[record.id] else { continue }
                use.bytes.total += layer.bytes
                use.inodes += layer.inodes
                use.bytes.containers[record.name, default: 0] += layer.bytes
            }
            return use
        }
    }
}
