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

/// Approves the requests of kubelets for serving certificates with the names and addresses that
/// their Node objects have.
///
/// Watches: CertificateSigningRequests, Nodes. Writes: approvals. Promises: a request that the rules
/// do not grant is left to people; it is looked at again when Nodes change. Off unless it is named:
/// upstream has no such controller.
package final class ServingCertificateApprover: Controller {
    package static let name = "kubelet-serving-approving-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<String>
    private let requests: Informer<CertificatesV1.CertificateSigningRequest>
    private let nodes: Informer<CoreV1.Node>
    private let client: Client<CertificatesV1.CertificateSigningRequest>
    private let reserved: [NetworkRange]

    package convenience init(_ context: ControllerContext) {
        self.init(context, reserved: [])
    }

    /// - Parameter reserved: ranges of Services; what is no range is left out.
    package init(_ context: ControllerContext, reserved: [String]) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.requests = context.informer(of: CertificatesV1.CertificateSigningRequest.self)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.client = context.client()
        self.reserved = reserved.compactMap { NetworkRange($0) } + NetworkRange.loopback
        let queue = self.loop.queue
        let requests = self.requests
        self.requests.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.metadata.name)
        }
        // A Node that comes, or gets an address, may be what a request waits for.
        self.nodes.addHandler { _ in
            for csr in requests.list() where Self.isOpen(csr) { queue.add(csr.metadata.name) }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 1) {
            await self.requests.waitForSync()
            await self.nodes.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    private static func isOpen(_ csr: CertificatesV1.CertificateSigningRequest) -> Bool {
        ServingCertificateRules.nodeName(csr) != nil && !csr.has("Approved")
            && !csr.has("Denied") && csr.status.certificate?.isEmpty ?? true
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        guard var csr = self.requests.get(name), Self.isOpen(csr),
            let request = try? CertificateRequest(pem: Array(csr.spec.request ?? .init()))
        else { return }
        let refusal = ServingCertificateRules.refusal(
            csr,
            request,
            nodes: self.nodes.list(),
            reserved: self.reserved
        )
        guard refusal == nil else { return }
        let now = MetaV1.Time(self.context.clock.now)
        csr.status.conditions.append(
            CertificatesV1.CertificateSigningRequestCondition.with {
                $0.type = "Approved"
                $0.status = "True"
                $0.reason = "AutoApproved"
                $0.message = "Auto approving kubelet serving certificate with its node's addresses."
                $0.lastUpdateTime = now
                $0.lastTransitionTime = now
            }
        )
        _ = try await self.client.update(csr, subresource: "approval")
    }
}
