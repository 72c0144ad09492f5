// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import Logging
import NodeHost
import Protobuf
import Synchronization

/// Volumes of the provisioner `apus.dev/local` that lie on this node: makes their folders when they
/// are mounted first, and removes what is in them once their claims are gone and they are to be
/// deleted.
///
/// A volume is noted in a file and listed in the node's status, in `volumesInUse`, before its folder
/// is made and until it is removed. The provisioner deletes no volume that a node lists, so data and
/// what tells of it go in this order. A volume that somebody deletes by hand keeps its data.
final class LocalVolumes: Sendable {
    static let provisioner = "apus.dev/local"
    private static let provisionedBy = "pv.kubernetes.io/provisioned-by"
    /// Between looks at whether volumes are to be removed.
    private static let interval: Duration = .seconds(10)
    /// How long a mount waits for the node's status.
    private static let announceLimit: Duration = .seconds(10)

    private struct State {
        /// By name of the volume: where it lies.
        var paths: [String: String] = [:]
        /// Names that the node's status lists.
        var announced: Set<String> = []
        var onChange: @Sendable () -> Void = {}
        /// Volumes that the API server does not know, of which the log has told.
        var told: Set<String> = []
    }

    private let folder: String
    private let cluster: any ClusterAccess
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads which volumes there are. Blocks.
    init(settings: KubeletSettings, cluster: any ClusterAccess, logger: Logger) {
        self.folder = settings.rootDirectory + "/local-volumes"
        self.cluster = cluster
        self.logger = logger
        var state = State()
        for name in HostFiles.list(self.folder) where !name.hasSuffix(".new") {
            state.paths[name] = HostFiles.text("\(self.folder)/\(name)")
        }
        self.state = Mutex(state)
    }

    /// - Parameter onChange: called when the node's status is to list other volumes.
    func connect(onChange: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.onChange = onChange }
    }

    /// What the node's status lists.
    var inUse: [String] {
        self.state.withLock { $0.paths.keys.sorted() }.map { "\(Self.provisioner)/\($0)" }
    }

    /// The API server has the node's status with this list.
    func announced(_ list: RepeatedField<String>) {
        let prefix = "\(Self.provisioner)/"
        let names = Set(
            list.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        )
        self.state.withLock { $0.announced = names }
    }

    /// Whether a volume is one of the provisioner's.
    static func isOurs(_ volume: CoreV1.PersistentVolume) -> Bool {
        volume.metadata.annotations[Self.provisionedBy] == Self.provisioner
    }

    /// Makes the folder of a volume when it is not there.
    func ensure(_ volume: CoreV1.PersistentVolume) async throws {
        let name = volume.metadata.name
        let path = volume.spec.persistentVolumeSource.local?.path ?? ""
        guard PodPaths.isSafe(name), path.hasPrefix("/"), path.hasSuffix("/\(name)"),
            !path.split(separator: "/").contains("..")
        else { throw NotInCluster("the path of volume \(name) is not its own: \(path)") }
        let isNew = self.state.withLock { $0.paths[name] != path }
        if isNew {
            let folder = self.folder
            try await HostThreads.run { () throws(HostError) in
                try HostFiles.makeDirectory(folder, mode: 0o750)
                try HostFiles.replace("\(folder)/\(name)", with: Array(path.utf8))
            }
            let onChange = self.state.withLock { state in
                state.paths[name] = path
                return state.onChange
            }
            onChange()
        }
        let limit = ContinuousClock.now + Self.announceLimit
        while !self.state.withLock({ $0.announced.contains(name) }) {
            guard .now < limit else {
                throw NotInCluster("the node's status does not list volume \(name) yet")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        try await HostThreads.run { () throws(HostError) in
            guard !HostFiles.exists(path) else { return }
            try HostFiles.makeDirectory(path)
            // Whoever the containers run as may write; the folder above is the kubelet's.
            guard chmod(path, 0o777) == 0 else { throw HostError("chmod", path) }
        }
    }

    /// Removes what is to be removed until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            for (name, path) in self.state.withLock({ $0.paths }) {
                await self.look(name, path)
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func look(_ name: String, _ path: String) async {
        do {
            let volume = try await self.cluster.persistentVolume(name)
            guard Self.isOurs(volume), volume.status.phase == "Released",
                volume.spec.persistentVolumeReclaimPolicy == "Delete",
                volume.spec.persistentVolumeSource.local?.path == path
            else { return }
            let note = "\(self.folder)/\(name)"
            try await HostThreads.run { () throws(HostError) in
                try HostFiles.removeTree(path)
                HostFiles.remove(note)
            }
            self.logger.info("removed a volume's data", metadata: ["volume": "\(name)"])
            let onChange = self.state.withLock { state in
                state.paths[name] = nil
                return state.onChange
            }
            onChange()
        } catch is NotInCluster {
            guard self.state.withLock({ $0.told.insert(name).inserted }) else { return }
            self.logger.warning(
                "a volume is gone from the cluster; its data stays",
                metadata: ["volume": "\(name)", "path": "\(path)"]
            )
        } catch {
            self.logger.warning(
                "a volume cannot be looked at",
                metadata: ["volume": "\(name)", "error": "\(error)"]
            )
        }
    }
}
