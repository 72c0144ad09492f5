// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import Protobuf
import RPCInterface
import Synchronization

/// The cluster's records as informers have them.
struct InformerRecords: ClusterRecords {
    private let services: Informer<CoreV1.Service>
    private let slices: Informer<DiscoveryV1.EndpointSlice>
    private let namespaces: Informer<CoreV1.Namespace>
    private let changes = Changes()

    /// Counts what happened to the cluster.
    private final class Changes: Sendable {
        let count = Atomic<UInt64>(1)

        func note() { self.count.add(1, ordering: .releasing) }
    }

    /// Another number after every change: what was found under an older one may be wrong.
    var generation: UInt64 { self.changes.count.load(ordering: .acquiring) }

    init(_ factory: InformerFactory) {
        self.services = factory.informer(of: CoreV1.Service.self)
        self.slices = factory.informer(of: DiscoveryV1.EndpointSlice.self)
        self.namespaces = factory.informer(of: CoreV1.Namespace.self)
        self.services.addIndex("address") { service in
            service.spec.clusterIPs.isEmpty
                ? [service.spec.clusterIP] : Array(service.spec.clusterIPs)
        }
        self.slices.addIndex("service") { slice in
            [slice.metadata.labels["kubernetes.io/service-name"]].compactMap { name in
                name.map { "\(slice.metadata.namespace)/\($0)" }
            }
        }
        self.slices.addIndex("address") { slice in slice.endpoints.flatMap { Array($0.addresses) } }
        let changes = self.changes
        self.services.addHandler { _ in changes.note() }
        self.slices.addHandler { _ in changes.note() }
        self.namespaces.addHandler { _ in changes.note() }
    }

    func service(_ name: String, in namespace: String) -> CoreV1.Service? {
        self.services.get(name, in: namespace)
    }

    func endpointSlices(of service: String, in namespace: String) -> [DiscoveryV1.EndpointSlice] {
        self.slices.list(index: "service", "\(namespace)/\(service)")
    }

    func hasNamespace(_ name: String) -> Bool { self.namespaces.get(name) != nil }

    func services(address: String) -> [CoreV1.Service] {
        self.services.list(index: "address", address)
    }

    func endpointSlices(address: String) -> [DiscoveryV1.EndpointSlice] {
        self.slices.list(index: "address", address)
    }
}
