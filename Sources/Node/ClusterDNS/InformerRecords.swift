// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Informers
import KubernetesAPI
import Protobuf
import RPCInterface

/// The cluster's records as informers have them.
struct InformerRecords: ClusterRecords {
    private let services: Informer<CoreV1.Service>
    private let slices: Informer<DiscoveryV1.EndpointSlice>
    private let namespaces: Informer<CoreV1.Namespace>

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
