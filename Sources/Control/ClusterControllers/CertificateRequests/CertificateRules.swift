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
        self.clientRefusal(csr, request) == nil
    }

    /// Why a signer refuses a request; nil when it does not.
    package static func refusal(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ request: CertificateRequest
    ) -> String? {
        switch csr.spec.signerName {
        case self.clientSigner:
            let allowed: Set<String> = ["digital signature", "key encipherment", "client auth"]
            if let usage = csr.spec.usages.first(where: { !allowed.contains($0) }) {
                return "invalid usage for client certificate: \(usage)"
            }
            return csr.spec.usages.contains("client auth")
                ? nil : "missing required usage for client certificate: client auth"
        case self.kubeletClientSigner: return self.clientRefusal(csr, request)
        case self.kubeletServingSigner: return self.servingRefusal(csr, request)
        default: return "unknown signer"
        }
    }

    /// Why a request is none for a certificate with which a kubelet logs in.
    private static func clientRefusal(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ request: CertificateRequest
    ) -> String? {
        let names = request.alternativeNames
        if request.subject.organizations != [self.nodes] { return self.noNode }
        if !names.dnsNames.isEmpty { return "DNS subjectAltNames are not allowed" }
        if !names.emailAddresses.isEmpty { return self.noEmail }
        if !names.addresses.isEmpty { return "IP subjectAltNames are not allowed" }
        if !names.uris.isEmpty { return self.noURI }
        if !request.subject.commonName.hasPrefix(self.nodePrefix) { return self.noNodeName }
        return self.mismatch(csr, "client auth")
    }

    /// Why a request is none for a certificate with which a kubelet serves.
    private static func servingRefusal(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ request: CertificateRequest
    ) -> String? {
        let names = request.alternativeNames
        if request.subject.organizations != [self.nodes] { return self.noNode }
        if names.dnsNames.isEmpty, names.addresses.isEmpty {
            return "DNS or IP subjectAltName is required"
        }
        if !names.emailAddresses.isEmpty { return self.noEmail }
        if !names.uris.isEmpty { return self.noURI }
        if let mismatch = self.mismatch(csr, "server auth") { return mismatch }
        return request.subject.commonName.hasPrefix(self.nodePrefix) ? nil : self.noNodeName
    }

    private static let nodes = "system:nodes"
    private static let nodePrefix = "system:node:"
    private static let noNode = "subject organization is not system:nodes"
    private static let noNodeName = "subject common name does not begin with system:node:"
    private static let noEmail = "Email subjectAltNames are not allowed"
    private static let noURI = "URI subjectAltNames are not allowed"

    /// A kubelet's certificate is for exactly one purpose; keys that are not RSA's encipher nothing.
    private static func mismatch(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ purpose: String
    ) -> String? {
        let wanted = ["digital signature", "key encipherment", purpose]
        let usages = Set(csr.spec.usages)
        if usages == Set(wanted) || usages == ["digital signature", purpose] { return nil }
        return "usages did not match [\(wanted.sorted().joined(separator: " "))]"
    }

    /// What the certificate of a request that no signer refuses may be used for.
    package static func uses(
        _ csr: CertificatesV1.CertificateSigningRequest
    ) -> (key: KeyUsage, extended: [ExtendedKeyUsage]) {
        var key: KeyUsage = []
        var extended: [ExtendedKeyUsage] = []
        for usage in Set(csr.spec.usages).sorted() {
            switch usage {
            case "digital signature": key.insert(.digitalSignature)
            case "key encipherment": key.insert(.keyEncipherment)
            case "client auth": extended.append(.clientAuthentication)
            case "server auth": extended.append(.serverAuthentication)
            default: break
            }
        }
        return (key, extended)
    }
}

extension CertificatesV1.CertificateSigningRequest {
    package func has(_ condition: String) -> Bool {
        self.status.conditions.contains { $0.type == condition && $0.status == "True" }
    }
}
