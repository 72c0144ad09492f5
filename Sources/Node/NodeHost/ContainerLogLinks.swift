// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The links in one folder to the logs of all containers of a node, for collectors.
package enum ContainerLogLinks {
    /// Removes the links to logs of pods whose folder of logs is gone, whoever removed it. Blocks.
    ///
    /// A link leads to `POD'S FOLDER/CONTAINER/RESTART.log`. That the file alone is missing says
    /// nothing: it does for a moment while logs are rotated.
    package static func removeOrphans(in folder: String) {
        for name in HostFiles.list(folder) {
            let path = "\(folder)/\(name)"
            guard let target = HostFiles.linkTarget(path) else { continue }
            let parts = target.split(separator: "/", omittingEmptySubsequences: false)
            let logs = parts.dropLast(2).joined(separator: "/")
            if !logs.isEmpty, !HostFiles.exists(logs) { HostFiles.remove(path) }
        }
    }
}
