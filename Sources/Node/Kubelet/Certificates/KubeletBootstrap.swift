// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import HTTP2Transport
import Kubeconfig
package import Logging
import NIOPosix
import NodeHost
import PKI
import RPC

/// How a kubelet gets into a cluster: with a token that may do nothing but ask for a certificate
/// it makes itself a kubeconfig of its own.
///
/// Source: upstream `pkg/kubelet/certificate/bootstrap/bootstrap.go`.
package struct KubeletBootstrap: Sendable {
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(30)

    private let nodeName: String
    /// Says how to reach the API server, and the token.
    private let bootstrapPath: String
    /// What is written.
    private let kubeconfigPath: String
    private let store: CertificateStore
    private let logger: Logger

    package init(
        settings: KubeletSettings,
        bootstrapKubeconfig: String,
        kubeconfig: String,
        logger: Logger
    ) {
        self.nodeName = settings.nodeName
        self.bootstrapPath = bootstrapKubeconfig
        self.kubeconfigPath = kubeconfig
        self.store = .client(settings)
        self.logger = logger
    }

    /// Makes the kubeconfig unless there is one that can be used. Returns when it is there, or the
    /// task is cancelled.
    package func run() async throws(CertificateFailure) {
        if self.isDone(at: .now()) { return }
        var pause = Self.firstPause
        while !Task.isCancelled {
            do throws(CertificateFailure) {
                try await self.join()
                return
            } catch {
                // Without that file nothing can be done, however often.
                if case .kubeconfig = error { throw error }
                self.logger.warning(
                    "the node is not in the cluster yet",
                    metadata: ["error": "\(error)"]
                )
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Whether the kubeconfig and the certificate that it names can be used.
    private func isDone(at now: CertificateTime) -> Bool {
        guard let connection = try? Kubeconfig(path: self.kubeconfigPath).connection(),
            case .file(let path) = connection.user.certificate,
            let pem = try? HostFiles.read(path), let certificate = try? Certificate(pem: pem)
        else { return false }
        return now <= certificate.notAfter
    }

    private func join() async throws(CertificateFailure) {
        let connection: ClusterConnection
        let channel: RPCClient
        do throws(KubeconfigError) {
            connection = try Kubeconfig(path: self.bootstrapPath).connection()
            channel = try connection.makeClient(
                group: MultiThreadedEventLoopGroup.singleton,
                userAgent: "kubelet"
            )
        } catch {
            throw .kubeconfig("\(error)")
        }
        defer { channel.close(gracefully: false) }
        // A certificate may be there already: then the file alone is missing.
        if self.store.current().map({ .now() <= $0.certificate.notAfter }) != true {
            let key = try self.store.pendingKey()
            let request: CertificateRequest
            do throws(PKIError) {
                request = try CertificateRequest(.node(self.nodeName), key: key)
            } catch {
                throw .certificate(error)
            }
            do throws(CertificateFailure) {
                let chain = try await CertificateSigningClient(channel, for: .client)
                    .obtain(request, name: CertificateSigningClient.name(of: request))
                _ = try await self.store.keep(chain, of: key)
            } catch {
                if case .refused = error { self.store.forgetPendingKey() }
                throw error
            }
        }
        try self.writeKubeconfig(connection.cluster)
    }

    private func writeKubeconfig(
        _ cluster: Kubeconfig.Cluster
    ) throws(CertificateFailure) {
        let authority =
            switch cluster.authority {
            case .embedded(let bytes): "certificate-authority-data: \(Base64.encode(bytes))"
            case .file(let path): "certificate-authority: \(path)"
            case nil: "insecure-skip-tls-verify: \(!cluster.verifiesServer)"
            }
        let text = """
            apiVersion: v1
            kind: Config
            clusters:
            - name: default-cluster
              cluster:
                server: \(cluster.server)
                \(authority)
            contexts:
            - name: default-context
              context:
                cluster: default-cluster
                namespace: default
                user: default-auth
            current-context: default-context
            users:
            - name: default-auth
              user:
                client-certificate: \(self.store.currentPath)
                client-key: \(self.store.currentPath)

            """
        do throws(HostError) {
            try HostFiles.replace(self.kubeconfigPath, with: Array(text.utf8), mode: 0o600)
        } catch {
            throw .file(error)
        }
    }
}

extension CertificateStore {
    /// Of the kubelet towards the API server.
    static func client(_ settings: KubeletSettings) -> CertificateStore {
        CertificateStore(folder: settings.certificateDirectory, prefix: "kubelet-client")
    }

    /// Of the kubelet's own port.
    static func serving(_ settings: KubeletSettings) -> CertificateStore {
        CertificateStore(folder: settings.certificateDirectory, prefix: "kubelet-server")
    }
}

extension CertificateTemplate {
    /// What a node's certificates say: who it is, and for serving its names.
    static func node(_ name: String, hosts: [String] = []) -> CertificateTemplate {
        CertificateTemplate(
            subject: Subject(
                commonName: "system:node:\(name)",
                organizations: ["system:nodes"]
            ),
            alternativeNames: AlternativeNames(hosts: hosts),
            keyUsage: [.digitalSignature],
            extendedKeyUsages: [hosts.isEmpty ? .clientAuthentication : .serverAuthentication]
        )
    }
}
