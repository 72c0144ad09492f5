// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import Informers
package import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import WorkQueues

/// Signs what nodes read before they know whom to trust, with the tokens that they join with.
///
/// Watches: token secrets in kube-system, the ConfigMap `kube-public/cluster-info`. Writes: that
/// ConfigMap's `jws-kubeconfig-*`. Promises: one signature for each token that may sign, none of
/// others.
///
/// Source: upstream `pkg/controller/bootstrap/bootstrapsigner.go`.
package final class BootstrapSigner: Controller {
    package static let name = "bootstrap-signer-controller"
    private static let key = ObjectKey(namespace: "kube-public", name: "cluster-info")
    private static let signaturePrefix = "jws-kubeconfig-"

    private let context: ControllerContext
    private let loop: ReconcileLoop<ObjectKey>
    private let secrets: Informer<CoreV1.Secret>
    private let maps: Informer<CoreV1.ConfigMap>
    private let client: Client<CoreV1.ConfigMap>

    package init(_ context: ControllerContext) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.secrets = context.informers.informer(
            of: CoreV1.Secret.self,
            scope: BootstrapToken.scope
        )
        self.maps = context.informers.informer(
            of: CoreV1.ConfigMap.self,
            scope: InformerScope(namespace: Self.key.namespace, fields: .name(Self.key.name))
        )
        self.client = context.client()
        let queue = self.loop.queue
        self.secrets.addHandler { _ in queue.add(Self.key) }
        self.maps.addHandler { _ in queue.add(Self.key) }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 1) {
            await self.secrets.waitForSync()
            await self.maps.waitForSync()
        } _: { key in
            try await self.reconcile(key)
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let map = self.maps.get(key) else { return }
        let now = self.context.clock.now
        let tokens = self.secrets.list().compactMap { BootstrapToken(signing: $0, now: now) }
        // A signature ends with its token, be it that nobody cleans up.
        let ends = tokens.compactMap { token in
            if case .at(let time) = token.expiration { time.since(now) } else { nil }
        }
        if let next = ends.min() { self.loop.queue.add(key, after: next) }
        guard let signed = Self.signed(map, tokens) else { return }
        do throws(StatusError) {
            _ = try await self.client.update(signed)
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// The map with the signatures of these tokens and no others; nil when it has them, or there is
    /// nothing to sign.
    package static func signed(
        _ map: CoreV1.ConfigMap,
        _ tokens: [BootstrapToken]
    ) -> CoreV1.ConfigMap? {
        guard let content = map.data["kubeconfig"] else { return nil }
        var data = map.data
        for key in map.data.keys where key.hasPrefix(self.signaturePrefix) { data[key] = nil }
        for token in tokens {
            data["\(self.signaturePrefix)\(token.id)"] = token.signature(of: content)
        }
        guard data != map.data else { return nil }
        var map = map
        map.data = data
        return map
    }
}
