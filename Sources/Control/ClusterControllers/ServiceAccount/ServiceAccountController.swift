// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import WorkQueues

/// Gives every namespace its `default` ServiceAccount.
///
/// Watches: namespaces, ServiceAccounts. Writes: ServiceAccounts. Promises: an active namespace has
/// one again as soon as it is deleted.
package final class ServiceAccountController: Controller {
    package static let name = "serviceaccount-controller"

    private let loop: ReconcileLoop<String>
    private let namespaces: Informer<CoreV1.Namespace>
    private let accounts: Informer<CoreV1.ServiceAccount>
    private let client: Client<CoreV1.ServiceAccount>

    package init(_ context: ControllerContext) {
        self.loop = ReconcileLoop(Self.name, context)
        self.namespaces = context.informer(of: CoreV1.Namespace.self)
        self.accounts = context.informer(of: CoreV1.ServiceAccount.self)
        self.client = context.client()
        let queue = self.loop.queue
        self.namespaces.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.metadata.name)
        }
        self.accounts.addHandler { event in
            guard case .deleted(let account, _) = event, account.metadata.name == "default" else {
                return
            }
            queue.add(account.metadata.namespace)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 1) {
            await self.namespaces.waitForSync()
            await self.accounts.waitForSync()
        } _: { namespace in
            try await self.reconcile(namespace)
        }
    }

    private func reconcile(_ namespace: String) async throws(StatusError) {
        guard let object = self.namespaces.get(namespace), object.isActive,
            self.accounts.get("default", in: namespace) == nil
        else { return }
        do throws(StatusError) {
            _ = try await self.client.create(
                CoreV1.ServiceAccount.with {
                    $0.metadata.name = "default"
                    $0.metadata.namespace = namespace
                }
            )
        } catch {
            if error.isAlreadyExists || error.isNamespaceTerminating { return }
            throw error
        }
    }
}

extension CoreV1.Namespace {
    /// Things can be made in the namespace.
    var isActive: Bool {
        self.metadata.deletionTimestamp == nil && self.status.phase != "Terminating"
    }
}
