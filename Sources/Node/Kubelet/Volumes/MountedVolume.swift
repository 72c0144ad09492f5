// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A volume of a pod as it lies on the node.
struct MountedVolume: Sendable, Equatable {
    /// Where it lies.
    var path: String
    /// Whether containers only ever read it, whatever their mounts say.
    var isReadOnly = false
    /// Whether its files were made for the pod, so that labels may be set on them.
    var isOwned = true
}

/// A volume that cannot be made: the pod waits and the attempt is repeated.
struct VolumeFailure: Error, Sendable, CustomStringConvertible {
    /// The volume's name in the pod.
    let volume: String
    let message: String

    /// As upstream's event `FailedMount` says it.
    var description: String {
        "MountVolume.SetUp failed for volume \"\(self.volume)\" : \(self.message)"
    }
}
