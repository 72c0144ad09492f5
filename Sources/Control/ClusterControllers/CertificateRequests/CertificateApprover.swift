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
            let request = try? CertificateRequest(pem: Array(csr.spec.request ?? .init())),
            let subresource = CertificateRules.selfApproval(csr, request)
        else { return }
        let spec = csr.spec
        let review = try await self.reviews.create(
            AuthorizationV1.SubjectAccessReview.with {
                $0.spec.user = spec.username
                $0.spec.uid = spec.uid
                $0.spec.groups = spec.groups
                $0.spec.resourceAttributes = AuthorizationV1.ResourceAttributes.with {
                    $0.group = "certificates.k8s.io"
                    $0.resource = "certificatesigningrequests"
                    $0.verb = "create"
                    $0.subresource = subresource
                    $0.version = "*"
                }
            }
        )
        guard review.status.allowed else { return }
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
        _ = try await self.client.update(csr, subresource: "approval")
    }
}
