// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf

extension Bootstrap {
    /// Makes the StorageClass `local` of the controller manager's own provisioner, the default of a
    /// fresh cluster: a claim is bound without anything to be installed.
    func ensureStorageClass() async throws(StatusError) {
        let path = self.configuration.localVolumePath
        guard !path.isEmpty else { return }
        try await self.ensure(
            APIObject(
                StorageV1.StorageClass.with {
                    $0.metadata.name = "local"
                    $0.metadata.annotations["storageclass.kubernetes.io/is-default-class"] = "true"
                    $0.provisioner = "apus.dev/local"
                    $0.parameters["path"] = path
                    $0.reclaimPolicy = "Delete"
                    $0.volumeBindingMode = "WaitForFirstConsumer"
                }
            )
        )
    }
}
