// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Clocks
package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
package import PKI
import Protobuf
import ResourceClient
import Scalars
import WorkQueues

/// Signs approved certificate requests with the cluster's CA.
///
/// Watches: CertificateSigningRequests. Writes: their certificate, or why there is none. Promises: a
/// certificate says no more than its signer grants and is no longer valid than its CA.
package final class CertificateSigner: Controller {
    package static let name = "certificatesigningrequest-signing-controller"
    /// The shortest validity; upstream's.
    private static let minimumSeconds: Int64 = 600
    /// Certificates that are valid for less are valid for all of it from now on; upstream's.
    private static let short: Duration = .seconds(8 * 3600)

    private let context: ControllerContext
    private let loop: ReconcileLoop<String>
    private let requests: Informer<CertificatesV1.CertificateSigningRequest>
    private let client: Client<CertificatesV1.CertificateSigningRequest>
    private let authority: CertificateAuthority?
    private let duration: Duration

    package convenience init(_ context: ControllerContext) {
        self.init(context, authority: nil, duration: .zero)
    }

    /// - Parameters:
    ///   - authority: nil signs nothing.
    ///   - duration: the longest validity.
    package init(
        _ context: ControllerContext,
        authority: CertificateAuthority?,
        duration: Duration
    ) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.requests = context.informer(of: CertificatesV1.CertificateSigningRequest.self)
        self.client = context.client()
        self.authority = authority
        self.duration = duration
        let queue = self.loop.queue
        self.requests.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.metadata.name)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.requests.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        guard let authority = self.authority, var csr = self.requests.get(name),
            csr.has("Approved"), !csr.has("Denied"), !csr.has("Failed"),
            csr.status.certificate?.isEmpty ?? true
        else { return }
        let known = [
            CertificateRules.clientSigner, CertificateRules.kubeletClientSigner,
            CertificateRules.kubeletServingSigner,
        ]
        guard known.contains(csr.spec.signerName) else { return }
        do throws(PKIError) {
            let request = try CertificateRequest(pem: Array(csr.spec.request ?? Bytes()))
            if let refusal = CertificateRules.refusal(csr, request) {
                self.fail(&csr, "SignerValidationFailure", refusal)
            } else {
                let certificate = try self.sign(request, csr, authority)
                csr.status.certificate = Bytes(utf8: certificate.pem)
            }
        } catch {
            // The CA may be valid again later: only what is refused has failed for good.
            throw .internalError("error auto signing csr: \(error)")
        }
        _ = try await self.client.updateStatus(csr)
    }

    private func sign(
        _ request: CertificateRequest,
        _ csr: CertificatesV1.CertificateSigningRequest,
        _ authority: CertificateAuthority
    ) throws(PKIError) -> Certificate {
        let uses = CertificateRules.uses(csr)
        let validity = Self.validity(csr.spec.expirationSeconds, longest: self.duration)
        let now = CertificateTime(secondsSinceEpoch: self.context.clock.now.seconds)
        return try authority.sign(request, at: now) { template in
            template.extendedKeyUsages = uses.extended
            template.keyUsage = uses.key
            template.validity = validity
        }
    }

    /// How long a certificate is valid from now on.
    ///
    /// A certificate is valid a few minutes before now, for clocks that are behind; one that is valid
    /// for long pays for them at its end.
    package static func validity(_ wanted: Int32?, longest: Duration) -> Duration {
        let asked = wanted.map { Duration.seconds(max(Int64($0), Self.minimumSeconds)) }
        let validity = min(asked ?? longest, longest)
        return validity < Self.short ? validity : validity - CertificateTemplate.clockSkew
    }

    private func fail(
        _ csr: inout CertificatesV1.CertificateSigningRequest,
        _ reason: String,
        _ message: String
    ) {
        let now = MetaV1.Time(self.context.clock.now)
        csr.status.conditions.append(
            CertificatesV1.CertificateSigningRequestCondition.with {
                $0.type = "Failed"
                $0.status = "True"
                $0.reason = reason
                $0.message = message
                $0.lastUpdateTime = now
                $0.lastTransitionTime = now
            }
        )
    }
}
