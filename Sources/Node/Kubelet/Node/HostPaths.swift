// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NodeHost

/// Folders of the kubelet.
enum HostPaths {
    /// Makes what the kubelet writes into. Blocks.
    static func prepare(_ settings: KubeletSettings) throws(HostError) {
        try HostFiles.makeDirectory(settings.rootDirectory, mode: 0o750)
        try HostFiles.makeDirectory(settings.rootDirectory + "/pods", mode: 0o750)
        try HostFiles.makeDirectory(settings.rootDirectory + "/plugins", mode: 0o750)
        try HostFiles.makeDirectory(settings.podLogsDirectory)
        if !settings.containerLogsDirectory.isEmpty {
            try HostFiles.makeDirectory(settings.containerLogsDirectory)
        }
    }
}
