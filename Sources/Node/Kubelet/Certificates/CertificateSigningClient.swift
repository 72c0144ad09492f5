// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import KubernetesAPI
import ObjectModel
package import PKI
import Protobuf
package import RPCInterface
import ResourceClient

/// Asks the cluster for a certificate: makes a CertificateSigningRequest and waits for its answer.
///
/// Source: upstream client-go `util/certificate/csr/csr.go`.
package struct CertificateSigningClient: Sendable {
    /// What a certificate is for.
    package enum Purpose: Sendable {
        /// Of the kubelet towards the API server.
        case client
        /// Of the kubelet's own port.
        case serving

        var signer: String {
            switch self {
            case .client: "kubernetes.io/kube-apiserver-client-kubelet"
            case .serving: "kubernetes.io/kubelet-serving"
            }
        }

        /// Not `key encipherment`: keys here are of curves.
        var usages: [String] {
            switch self {
            case .client: ["digital signature", "client auth"]
            case .serving: ["digital signature", "server auth"]
            }
        }
    }

    /// How long a request may wait for its approval; upstream's.
    package static let patience = Duration.seconds(900)
    private static let shortestPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(5)

    private let client: Client<CertificatesV1.CertificateSigningRequest>
    private let purpose: Purpose

    package init(_ channel: any RPCChannel, for purpose: Purpose) {
        self.client = Client(channel)
        self.purpose = purpose
    }

    /// The name of a request by a bootstrap token: a kubelet that starts again with the same key
    /// finds its request.
    package static func name(of request: CertificateRequest) -> String {
        let digits = request.publicKey.fingerprint.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }
        return "node-csr-" + digits.joined()
    }

    /// The certificate that the cluster issues, with its chain.
    ///
    /// - Parameter name: nil for a name that the server makes.
    package func obtain(
        _ request: CertificateRequest,
        name: String? = nil
    ) async throws(CertificateFailure) -> [Certificate] {
        let made: CertificatesV1.CertificateSigningRequest
        do throws(StatusError) {
            made = try await self.create(request, name)
        } catch {
            throw .server(error)
        }
        let deadline = ContinuousClock.now + Self.patience
        var pause = Self.shortestPause
        while ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: pause)) != nil else { break }
            pause = min(pause * 2, Self.longestPause)
            let csr: CertificatesV1.CertificateSigningRequest
            do throws(StatusError) {
                csr = try await self.client.get(made.metadata.name)
            } catch {
                // Somebody deleted it: it is made again.
                if error.isNotFound { throw .server(error) }
                continue
            }
            if let chain = try Self.answer(csr) { return chain }
        }
        throw .unanswered(made.metadata.name)
    }

    private func create(
        _ request: CertificateRequest,
        _ name: String?
    ) async throws(StatusError) -> CertificatesV1.CertificateSigningRequest {
        let wanted = CertificatesV1.CertificateSigningRequest.with {
            if let name { $0.metadata.name = name } else { $0.metadata.generateName = "csr-" }
            $0.spec.request = Bytes(utf8: request.pem)
            $0.spec.signerName = self.purpose.signer
            $0.spec.usages = RepeatedField(self.purpose.usages)
        }
        do throws(StatusError) {
            return try await self.client.create(wanted)
        } catch {
            guard error.isAlreadyExists, let name else { throw error }
            return try await self.client.get(name)
        }
    }

    /// The certificates of a request; nil while there are none.
    static func answer(
        _ csr: CertificatesV1.CertificateSigningRequest
    ) throws(CertificateFailure) -> [Certificate]? {
        for condition in csr.status.conditions
        where ["Denied", "Failed"].contains(condition.type) && condition.status != "False" {
            throw .refused(
                csr.metadata.name,
                reason: condition.message.isEmpty ? condition.reason : condition.message
            )
        }
        guard let pem = csr.status.certificate, !pem.isEmpty else { return nil }
        do throws(PKIError) {
            return try Certificate.all(pem: Array(pem))
        } catch {
            throw .certificate(error)
        }
    }
}
