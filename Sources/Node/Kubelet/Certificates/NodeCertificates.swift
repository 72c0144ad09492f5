// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Logging
import RPCInterface

/// The certificates that a kubelet asks its cluster for.
final class NodeCertificates: Sendable {
    /// nil unless client certificates are rotated.
    let client: CertificateManager?
    /// nil when the serving certificate comes from files, or there is none.
    let serving: CertificateManager?

    init(
        _ settings: KubeletSettings,
        channel: any RPCChannel,
        addresses: NodeAddresses,
        logger: Logger
    ) {
        let name = settings.nodeName
        self.client =
            settings.rotatesCertificates
            ? CertificateManager(
                store: .client(settings),
                purpose: .client,
                channel: channel,
                logger: logger
            ) { .node(name) } : nil
        self.serving =
            settings.requestsServingCertificate && settings.certificateFile.isEmpty
            ? CertificateManager(
                store: .serving(settings),
                purpose: .serving,
                channel: channel,
                logger: logger
            ) { .node(name, hosts: [name] + addresses.all) } : nil
    }

    /// Keeps them valid until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for manager in [self.client, self.serving] {
                if let manager { group.addTask { await manager.run() } }
            }
        }
    }
}
