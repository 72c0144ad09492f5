// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle

extension PodWorker {
    /// Writes volumes anew when it is time.
    ///
    /// - Returns: when to look again; nil to wait until something changes.
    func refreshVolumes(_ runtime: PodRuntimeState) async -> Duration? {
        guard !runtime.running.isEmpty else { return nil }
        guard self.refresh.isDue else { return self.refresh.pause }
        self.refresh.isStale = false
        let volumes = self.services.volumes
        do throws(VolumeFailure) {
            try await volumes.refresh(self.pod, addresses: runtime.addresses)
            self.refresh.succeeded(next: volumes.nextRefresh(of: self.pod))
        } catch {
            self.services.events.warning(self.pod, "", "FailedMount", error.description)
            self.refresh.failed()
        }
        return self.refresh.isStale ? .zero : self.refresh.pause
    }
}
