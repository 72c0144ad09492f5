// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import NodeHost

extension ContainerLogLinks {
    /// Makes the link of a container. Blocks.
    static func make(
        _ pod: CoreV1.Pod,
        _ container: String,
        _ id: String,
        to log: String,
        in folder: String
    ) {
        guard !folder.isEmpty, (try? HostFiles.makeDirectory(folder)) != nil else { return }
        let name = "\(pod.metadata.name)_\(pod.metadata.namespace)_\(container)-\(id).log"
        guard PodPaths.isSafe(name) else { return }
        symlink(log, "\(folder)/\(name)")
    }

    /// Removes the link of a container. Blocks.
    static func remove(_ id: String, in folder: String) {
        for name in HostFiles.list(folder) where name.hasSuffix("-\(id).log") {
            HostFiles.remove("\(folder)/\(name)")
        }
    }
}
