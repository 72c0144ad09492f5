// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
package import PKI
import Protobuf

/// Which certificate requests are granted without a person, and what a signer grants. Pure.
///
/// Source: upstream `pkg/controller/certificates/approver/sarapprove.go`, `signer/signer.go`,
/// `pkg/apis/certificates/helpers.go`.
package enum CertificateRules {
    package static let clientSigner = "kubernetes.io/kube-apiserver-client"
    package static let kubeletClientSigner = "kubernetes.io/kube-apiserver-client-kubelet"
    package static let kubeletServingSigner = "kubernetes.io/kubelet-serving"

    /// Whether a request is one of a kubelet for itself.
    ///
    /// - Returns: which permissions make it granted, in the order in which they are tried.
    package static func approvals(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ request: CertificateRequest
    ) -> [String] {
        guard csr.spec.signerName == self.kubeletClientSigner, self.isKubeletClient(csr, request)
        else { return [] }
        return csr.spec.username == request.subject.commonName
            ? ["selfnodeclient", "nodeclient"] : ["nodeclient"]
    }

    package static func isKubeletClient(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ request: CertificateRequest
    ) -> Bool {
        let usages = Set(csr.spec.usages)
        let allowed: [Set<String>] = [
            ["digital signature", "client auth"],
            ["key encipherment", "digital signature", "client auth"],
        ]
        return request.subject.organizations == ["system:nodes"]
            && request.subject.commonName.hasPrefix("system:node:")
            && request.alternativeNames == AlternativeNames() && allowed.contains(usages)
    }

    /// Why a signer refuses a request; nil when it does not.
    package static func refusal(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ request: CertificateRequest
    ) -> String? {
        let usages = Set(csr.spec.usages)
        switch csr.spec.signerName {
        case self.clientSigner:
            let allowed: Set<String> = ["digital signature", "key encipherment", "client auth"]
            guard usages.contains("client auth"), usages.isSubset(of: allowed) else {
                return "invalid usages for client certificate: \(usages.sorted())"
            }
            return nil
        case self.kubeletClientSigner:
            return self.isKubeletClient(csr, request)
                ? nil : "invalid kubelet client certificate request"
        case self.kubeletServingSigner:
            let allowed: Set<String> = ["digital signature", "key encipherment", "server auth"]
            guard request.subject.organizations == ["system:nodes"],
                request.subject.commonName == csr.spec.username,
                csr.spec.username.hasPrefix("system:node:"), usages.contains("server auth"),
                usages.isSubset(of: allowed), request.alternativeNames != AlternativeNames()
            else { return "invalid kubelet serving certificate request" }
            return nil
        default: return "unknown signer"
        }
    }
}

extension CertificatesV1.CertificateSigningRequest {
    package func has(_ condition: String) -> Bool {
        self.status.conditions.contains { $0.type == condition && $0.status == "True" }
    }
}
