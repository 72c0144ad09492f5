// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NodeHost
package import ObjectModel
package import PKI

/// Why the kubelet has no certificate from its cluster.
package enum CertificateFailure: Error, Sendable, CustomStringConvertible {
    case file(HostError)
    case certificate(PKIError)
    /// The API server did not do what it was asked.
    case server(StatusError)
    /// Somebody denied the request, or its signer did.
    case refused(String, reason: String)
    /// Nobody approved the request in time.
    case unanswered(String)
    /// The file that says how to reach the API server cannot be used.
    case kubeconfig(String)

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .certificate(let error): "\(error)"
        case .server(let error): error.message
        case .refused(let name, let reason):
            "certificate signing request \(name) was refused: \(reason)"
        case .unanswered(let name):
            "certificate signing request \(name) is not approved"
        case .kubeconfig(let reason): reason
        }
    }
}
