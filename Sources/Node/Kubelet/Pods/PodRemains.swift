// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NodeHost

/// What pods leave on the node's disks, and which of it is this kubelet's to remove.
///
/// The folder `ROOT/pods/UID` is made before anything else of a pod and goes after everything else:
/// it is the record of what this kubelet made, also when it is killed in between. Folders of logs
/// without such a record are left alone, because the kubelets of several clusters on one host may
/// share `/var/log/pods`. Upstream removes the logs of every pod that it does not know.
///
/// Source: upstream `pkg/kubelet/kubelet_volumes.go` (`cleanupOrphanedPodDirs`),
/// `pkg/kubelet/kuberuntime/kuberuntime_gc.go` (`evictPodLogsDirectories`). Every function blocks.
struct PodRemains: Sendable {
    let settings: KubeletSettings

    private var folder: String { "\(self.settings.rootDirectory)/pods" }

    /// UIDs of the pods that something may be left of.
    var recorded: [String] { HostFiles.list(self.folder) }

    /// Takes away volumes and all other files of a pod but its logs and its record: mounts first.
    func removeFiles(_ uid: String) throws(HostError) {
        guard PodPaths.isSafe(uid) else { return }
        try Mounts.unmountAll(below: "\(self.folder)/\(uid)")
        try HostFiles.emptyTree("\(self.folder)/\(uid)")
    }

    /// Removes the logs of a pod of which nothing but its UID is known, and the links to them.
    func removeLogs(_ uid: String) throws(HostError) {
        let logs = self.settings.podLogsDirectory
        for name in HostFiles.list(logs) where Self.isLogs(name, of: uid) {
            try HostFiles.removeTree("\(logs)/\(name)")
        }
        ContainerLogLinks.removeOrphans(in: self.settings.containerLogsDirectory)
    }

    /// Whether a folder of logs, `NAMESPACE_NAME_UID`, is that of a pod. No namespace and no name has
    /// an underscore.
    static func isLogs(_ name: String, of uid: String) -> Bool {
        guard !uid.isEmpty, name.hasSuffix("_\(uid)") else { return false }
        let rest = name.dropLast(uid.count + 1)
        return rest.split(separator: "_", omittingEmptySubsequences: false).count == 2
    }

    /// Removes the record of a pod of which nothing else is left.
    func forget(_ uid: String) throws(HostError) {
        guard PodPaths.isSafe(uid) else { return }
        try self.removeFiles(uid)
        try HostFiles.removeTree("\(self.folder)/\(uid)")
    }

    /// Removes all that is left of a pod.
    func remove(_ uid: String) throws(HostError) {
        try self.removeFiles(uid)
        try self.removeLogs(uid)
        try self.forget(uid)
    }
}
