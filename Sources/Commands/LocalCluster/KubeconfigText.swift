// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes

/// A kubeconfig as text.
struct KubeconfigText: Sendable {
    /// How a user proves to be one.
    enum Credentials: Sendable {
        /// Nobody in particular: the cluster alone is described.
        case none
        /// Certificate and key, PEM.
        case embedded([UInt8], key: [UInt8])
        /// A file with both, which may be replaced.
        case file(String)
        case token(String)
    }

    let cluster: String
    let server: String
    /// PEM.
    let authority: [UInt8]
    let user: String
    let credentials: Credentials

    var text: String {
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: "\(self.cluster)"
          cluster:
            server: \(self.server)
            certificate-authority-data: \(Base64.encode(self.authority))
        \(self.userText)

        """
    }

    private var userText: String {
        let proof: String
        switch self.credentials {
        case .none: return "contexts: []\ncurrent-context: \"\"\nusers: []"
        case .embedded(let certificate, let key):
            proof = """
                client-certificate-data: \(Base64.encode(certificate))
                    client-key-data: \(Base64.encode(key))
                """
        case .file(let path):
            proof = "client-certificate: \(path)\n    client-key: \(path)"
        case .token(let token):
            proof = "token: \(token)"
        }
        return """
            contexts:
            - name: \(self.user)@\(self.cluster)
              context:
                cluster: \(self.cluster)
                user: \(self.user)
            current-context: \(self.user)@\(self.cluster)
            users:
            - name: \(self.user)
              user:
                \(proof)
            """
    }
}
