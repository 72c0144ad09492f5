// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import Informers
package import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
package import Scalars
import WorkQueues

/// Deletes certificate requests that nobody waits for any more.
///
/// Watches: CertificateSigningRequests. Writes: deletes them.
package final class CertificateCleaner: Controller {
    package static let name = "certificatesigningrequest-cleaner-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<String>
    private let requests: Informer<CertificatesV1.CertificateSigningRequest>
    private let client: Client<CertificatesV1.CertificateSigningRequest>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.requests = context.informer(of: CertificatesV1.CertificateSigningRequest.self)
        self.client = context.client()
        let queue = self.loop.queue
        self.requests.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.metadata.name)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 1) {
            await self.requests.waitForSync()
        } _: { name in
            try await self.reconcile(name)
        }
    }

    /// When a request may go: an hour after it was granted or refused, a day when nobody cared.
    /// Pure.
    ///
    /// Source: upstream `pkg/controller/certificates/cleaner/cleaner.go`.
    package static func expiry(of csr: CertificatesV1.CertificateSigningRequest) -> Timestamp {
        let created = csr.metadata.creationTimestamp.timestamp ?? .zero
        var expiry = created.advanced(by: .seconds(24 * 3600))
        let hour = Duration.seconds(3600)
        for condition in csr.status.conditions {
            let since = condition.lastUpdateTime.timestamp ?? created
            let isIssued = !(csr.status.certificate?.isEmpty ?? true)
            if condition.type == "Denied" || condition.type == "Failed"
                || (condition.type == "Approved" && isIssued)
            {
                expiry = min(expiry, since.advanced(by: hour))
            }
        }
        return expiry
    }

    private func reconcile(_ name: String) async throws(StatusError) {
        guard let csr = self.requests.get(name) else { return }
        let left = Self.expiry(of: csr).since(self.context.clock.now)
        if left > .zero { return self.loop.queue.add(name, after: left) }
        do throws(StatusError) {
            try await self.client.delete(name, DeleteOptions(uid: csr.metadata.uid))
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
