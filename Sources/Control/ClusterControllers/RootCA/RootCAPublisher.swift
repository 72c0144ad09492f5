// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import Informers
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import WorkQueues

/// Publishes the API server's CA in every namespace, where pods find it.
///
/// Watches: namespaces, ConfigMaps of the name. Writes: the ConfigMap `kube-root-ca.crt`. Promises:
/// its content is the CA's, whoever changes it.
package final class RootCAPublisher: Controller {
    package static let name = "root-ca-certificate-publisher-controller"
    private static let mapName = "kube-root-ca.crt"
    private static let descriptionKey = "kubernetes.io/description"
    private static let description =
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal"
        + " endpoints such as the internal service IP or kubernetes.default.svc. No other usage is"
        + " guaranteed across distributions of Kubernetes clusters."

    private let context: ControllerContext
    private let loop: ReconcileLoop<String>
    private let namespaces: Informer<CoreV1.Namespace>
    private let maps: Informer<CoreV1.ConfigMap>
    private let client: Client<CoreV1.ConfigMap>
    private let authority: String

    package convenience init(_ context: ControllerContext) {
        self.init(context, authority: "")
    }

    /// - Parameter authority: the CA's certificate in PEM.
    package init(_ context: ControllerContext, authority: String) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.namespaces = context.informer(of: CoreV1.Namespace.self)
        self.maps = context.informers.informer(
            of: CoreV1.ConfigMap.self,
            scope: InformerScope(fields: .name(Self.mapName))
        )
        self.client = context.client()
        self.authority = authority
        let queue = self.loop.queue
        self.namespaces.addHandler { event in
            if case .deleted = event { return }
            queue.add(event.object.metadata.name)
        }
        self.maps.addHandler { event in
            if case .added = event { return }
            queue.add(event.object.metadata.namespace)
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 1) {
            await self.namespaces.waitForSync()
            await self.maps.waitForSync()
        } _: { namespace in
            try await self.reconcile(namespace)
        }
    }

    private func reconcile(_ namespace: String) async throws(StatusError) {
        let start = self.context.clock.uptime
        var code = "200"
        defer {
            let counts = self.context.counts?.rootCA
            counts?.syncs.with(code).increment()
            counts?.seconds.with(code).observe(self.context.clock.uptime - start)
        }
        do throws(StatusError) {
            try await self.publish(in: namespace)
        } catch {
            code = String(error.code)
            throw error
        }
    }

    private func publish(in namespace: String) async throws(StatusError) {
        guard let object = self.namespaces.get(namespace), object.isActive else { return }
        var map = self.maps.get(Self.mapName, in: namespace) ?? CoreV1.ConfigMap()
        let isNew = map.metadata.name.isEmpty
        let data: MapField<String, String> = ["ca.crt": self.authority]
        if !isNew, map.data == data,
            map.metadata.annotations[Self.descriptionKey] == Self.description
        {
            return
        }
        map.metadata.name = Self.mapName
        map.metadata.namespace = namespace
        map.metadata.annotations[Self.descriptionKey] = Self.description
        map.data = data
        do throws(StatusError) {
            _ = isNew ? try await self.client.create(map) : try await self.client.update(map)
        } catch {
            if error.isAlreadyExists || error.isNamespaceTerminating { return }
            throw error
        }
    }
}
