// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

extension VolumeManager {
    /// Writes the volumes anew whose content the kubelet writes. Each changes all at once, and only
    /// when its content does. One that fails does not keep the others behind.
    func refresh(_ pod: CoreV1.Pod, addresses: [String]) async throws(VolumeFailure) {
        self.references?.follow(ReferencedObjects.Reference.all(of: pod), for: pod.metadata.uid)
        var failure: VolumeFailure?
        for volume in pod.spec.volumes where Self.plugin(of: volume.volumeSource) != nil {
            do {
                _ = try await self.mount(volume, pod, addresses)
            } catch {
                failure = VolumeFailure(volume: volume.name, message: "\(error)")
            }
        }
        if let failure { throw failure }
    }

    /// How long the volumes of a pod stay good if nothing changes; nil for ever.
    func nextRefresh(of pod: CoreV1.Pod) -> Duration? {
        var pause: Duration?
        if let due = self.tokens?.due(uid: pod.metadata.uid) {
            // A second more, so that the token is old when it is looked at.
            pause = max(.seconds(1), WallClock.pause(untilSecond: due + 1, now: WallClock.now))
        }
        // Trust bundles are not followed.
        let hasBundles = pod.spec.volumes.contains { volume in
            volume.volumeSource.projected?.sources.contains { $0.clusterTrustBundle != nil }
                ?? false
        }
        return hasBundles
            ? min(pause ?? self.settings.syncFrequency, self.settings.syncFrequency) : pause
    }
}
