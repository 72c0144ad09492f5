// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Clocks
package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import PKI
import Protobuf
import ResourceClient
import WorkQueues

/// Approves the requests of kubelets for their own client certificates.
///
/// Watches: CertificateSigningRequests. Writes: their approval. Promises: only what the requester is
/// authorized to have.
package final class CertificateApprover: Controller {
    package static let name = "certificatesigningrequest-approving-controller"

    private static let retryWait: Duration = .seconds(60)

    private let context: ControllerContext
    private let loop: ReconcileLoop<String>
    private let requests: Informer<CertificatesV1.CertificateSigningRequest>
    private let client: Client<CertificatesV1.CertificateSigningRequest>
    private let reviews: Client<AuthorizationV1.SubjectAccessReview>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.requests = context.informer(of: CertificatesV1.CertificateSigningRequest.self)
        self.client = context.client()
        self.reviews = context.client()
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
        guard var csr = self.requests.get(name), csr.status.certificate?.isEmpty ?? true,
            !csr.has("Approved"), !csr.has("Denied"),
            let request = try? CertificateRequest(pem: Array(csr.spec.request ?? .init()))
        else { return }
        let approvals = CertificateRules.approvals(csr, request)
        for subresource in approvals {
            guard try await self.isAllowed(csr.spec, subresource) else { continue }
            self.approve(&csr, subresource)
            _ = try await self.client.update(csr, subresource: "approval")
            return
        }
        // Who asks may be allowed to later.
        if !approvals.isEmpty { self.loop.queue.add(name, after: Self.retryWait) }
    }

    /// Whether the one who asks may have such a certificate.
    private func isAllowed(
        _ spec: CertificatesV1.CertificateSigningRequestSpec,
        _ subresource: String
    ) async throws(StatusError) -> Bool {
        let review = try await self.reviews.create(
            AuthorizationV1.SubjectAccessReview.with {
                $0.spec.user = spec.username
                $0.spec.uid = spec.uid
                $0.spec.groups = spec.groups
                for (key, values) in spec.extra {
                    $0.spec.extra[key] = AuthorizationV1.ExtraValue.with {
                        $0.items = values.items
                    }
                }
                $0.spec.resourceAttributes = AuthorizationV1.ResourceAttributes.with {
                    $0.group = "certificates.k8s.io"
                    $0.resource = "certificatesigningrequests"
                    $0.verb = "create"
                    $0.subresource = subresource
                    $0.version = "*"
                }
            }
        )
        return review.status.allowed
    }

    private func approve(
        _ csr: inout CertificatesV1.CertificateSigningRequest,
        _ subresource: String
    ) {
        let now = MetaV1.Time(self.context.clock.now)
        csr.status.conditions.append(
            CertificatesV1.CertificateSigningRequestCondition.with {
                $0.type = "Approved"
                $0.status = "True"
                $0.reason = "AutoApproved"
                $0.message =
                    subresource == "selfnodeclient"
                    ? "Auto approving self kubelet client certificate after SubjectAccessReview."
                    : "Auto approving kubelet client certificate after SubjectAccessReview."
                $0.lastUpdateTime = now
                $0.lastTransitionTime = now
            }
        )
    }
}
