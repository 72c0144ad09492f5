// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import WorkQueues

/// Deletes tokens that nodes join with once their time is over.
///
/// Watches: token secrets in kube-system. Writes: deletes them. Promises: a token goes when it
/// expires, by one timer; one that was made anew meanwhile stays.
package final class TokenCleaner: Controller {
    package static let name = "token-cleaner-controller"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let secrets: Informer<CoreV1.Secret>
    private let client: Client<CoreV1.Secret>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.secrets = context.informers.informer(
            of: CoreV1.Secret.self,
            scope: BootstrapToken.scope
        )
        self.client = context.client()
        let queue = self.loop.queue
        self.secrets.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.objectKey)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 10) {
            await self.secrets.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let secret = self.secrets.get(key), secret.metadata.deletionTimestamp == nil else {
            return
        }
        let expiration = BootstrapToken.expiration(of: secret)
        let now = self.context.clock.now
        guard expiration.isOver(now) else {
            if case .at(let time) = expiration { self.loop.queue.add(key, after: time.since(now)) }
            return
        }
        do throws(StatusError) {
            try await self.client.delete(
                key.name,
                in: key.namespace,
                DeleteOptions(uid: secret.metadata.uid)
            )
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
