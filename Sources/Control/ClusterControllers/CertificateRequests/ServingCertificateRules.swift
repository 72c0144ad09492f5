// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
package import PKI
import Protobuf

/// Which requests of kubelets for serving certificates are granted without a person. Pure.
///
/// Upstream grants none and leaves it to those who know their nodes. Here the cluster's Node objects
/// are asked: a certificate names its node and the addresses that the Node has, and nothing that
/// others answer under. The authority that signs it is also the API server's: a node must not get
/// a certificate with which it could pass for that.
package enum ServingCertificateRules {
    private static let userPrefix = "system:node:"

    /// Whose request it is; nil when it is no kubelet's.
    package static func nodeName(
        _ csr: CertificatesV1.CertificateSigningRequest
    ) -> String? {
        guard csr.spec.signerName == CertificateRules.kubeletServingSigner,
            csr.spec.username.hasPrefix(self.userPrefix),
            csr.spec.groups.contains("system:nodes")
        else { return nil }
        return String(csr.spec.username.dropFirst(self.userPrefix.count))
    }

    /// Why a request is not granted; nil when it is.
    ///
    /// - Parameters:
    ///   - nodes: all of the cluster, the one that asks among them.
    ///   - reserved: ranges of the cluster's own addresses, such as those of Services.
    package static func refusal(
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ request: CertificateRequest,
        nodes: [CoreV1.Node],
        reserved: [NetworkRange]
    ) -> String? {
        guard let name = self.nodeName(csr) else { return "not asked for by a node" }
        if let refusal = CertificateRules.refusal(csr, request) { return refusal }
        guard request.subject.commonName == csr.spec.username else {
            return "it is for \(request.subject.commonName)"
        }
        guard let node = nodes.first(where: { $0.metadata.name == name }) else {
            return "there is no node \(name)"
        }
        let names = request.alternativeNames
        guard names.emailAddresses.isEmpty, names.uris.isEmpty else {
            return "it asks for more than names and addresses"
        }
        for dnsName in names.dnsNames {
            guard dnsName == name, !self.isReserved(dnsName) else {
                return "\(dnsName) is not the node's name"
            }
        }
        let own = self.addresses(node)
        let others = nodes.filter { $0.metadata.name != name }.reduce(into: Set<HostAddress>()) {
            $0.formUnion(self.addresses($1))
        }
        for address in names.addresses {
            guard own.contains(address) else { return "\(address) is not the node's" }
            guard !others.contains(address) else { return "\(address) is another node's too" }
            guard !reserved.contains(where: { $0.contains(address) }) else {
                return "\(address) is the cluster's own"
            }
        }
        return nil
    }

    /// Names by which the API server is known, or every machine knows itself.
    private static func isReserved(_ name: String) -> Bool {
        name == "localhost" || name == "kubernetes" || name.hasPrefix("kubernetes.")
    }

    private static func addresses(_ node: CoreV1.Node) -> Set<HostAddress> {
        Set(
            node.status.addresses.filter { ["InternalIP", "ExternalIP"].contains($0.type) }
                .compactMap { HostAddress($0.address) }
        )
    }
}

/// A range of addresses, as in `10.96.0.0/12`.
package struct NetworkRange: Sendable, Hashable {
    private let base: [UInt8]
    private let prefixLength: Int

    /// Nil when the text is no range.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let address = HostAddress(parts[0]), let length = Int(parts[1]),
            (0...address.bytes.count * 8).contains(length)
        else { return nil }
        self.base = address.bytes
        self.prefixLength = length
    }

    /// Of every machine for itself.
    package static let loopback = ["127.0.0.0/8", "::1/128"].compactMap { NetworkRange($0) }

    package func contains(_ address: HostAddress) -> Bool {
        guard address.bytes.count == self.base.count else { return false }
        let bytes = self.prefixLength / 8
        guard address.bytes.prefix(bytes) == self.base.prefix(bytes) else { return false }
        let rest = self.prefixLength % 8
        if rest == 0 { return true }
        let difference: UInt8 = address.bytes[bytes] ^ self.base[bytes]
        return difference >> UInt8(8 - rest) == 0
    }
}
