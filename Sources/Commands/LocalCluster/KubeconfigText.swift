// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes

/// A kubeconfig with everything in it, as text.
struct KubeconfigText: Sendable {
    let cluster: String
    let server: String
    let user: String
    /// PEM.
    let authority: [UInt8]
    let certificate: [UInt8]
    let key: [UInt8]

    var text: String {
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: \(self.cluster)
          cluster:
            server: \(self.server)
            certificate-authority-data: \(Base64.encode(self.authority))
        contexts:
        - name: \(self.user)@\(self.cluster)
          context:
            cluster: \(self.cluster)
            user: \(self.user)
        current-context: \(self.user)@\(self.cluster)
        users:
        - name: \(self.user)
          user:
            client-certificate-data: \(Base64.encode(self.certificate))
            client-key-data: \(Base64.encode(self.key))

        """
    }
}
