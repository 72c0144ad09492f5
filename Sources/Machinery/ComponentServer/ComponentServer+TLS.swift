// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Kubeconfig
import PKI
public import TLS

extension ComponentServer {
    /// Why a component cannot serve over TLS.
    public struct TLSFailure: Error, CustomStringConvertible {
        public let description: String
    }

    /// The TLS of a component's server: of files, or a certificate that it makes for itself, whose
    /// key never leaves the memory.
    ///
    /// - Parameters:
    ///   - certificatePath: empty for a certificate of its own.
    ///   - authorityPath: the authorities of client certificates; empty for none.
    ///   - hosts: names and addresses in a certificate of its own.
    public static func tls(
        certificatePath: String,
        keyPath: String,
        authorityPath: String,
        name: String,
        hosts: [String]
    ) throws(TLSFailure) -> TLSContextSource {
        do {
            var files: [MemoryFile] = []
            var identity = TLSServerConfiguration.Identity(
                certificatePath: certificatePath,
                privateKeyPath: keyPath
            )
            if certificatePath.isEmpty {
                let authority = try CertificateAuthority.root(
                    .authority("\(name)-ca"),
                    key: PrivateKey(generating: .p256),
                    at: .now()
                )
                let pair = try authority.issueKeyPair(
                    .server(name, hosts: hosts),
                    at: .now()
                )
                let chain = pair.chain.map(\.pem).joined() + authority.certificate.pem
                let certificate = try MemoryFile(Array(chain.utf8), name: "certificate")
                let key = try MemoryFile(Array(pair.key.pem.utf8), name: "key")
                files = [certificate, key]
                identity = .init(certificatePath: certificate.path, privateKeyPath: key.path)
            }
            var configuration = TLSServerConfiguration(identity: identity)
            if !authorityPath.isEmpty {
                configuration.clientAuthorityPath = authorityPath
                configuration.clientCertificates = .optional
            }
            // The source keeps what its files are, as long as it lives.
            let kept = files
            return try TLSContextSource(server: configuration) { _ in
                withExtendedLifetime(kept) {}
            }
        } catch {
            throw TLSFailure(description: "\(error)")
        }
    }
}
