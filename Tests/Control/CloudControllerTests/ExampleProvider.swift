// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CloudController
import KubernetesAPI
import Protobuf

/// The provider that `docs/cloud.md` shows, of a cloud named `rack`.
struct RackProvider: CloudProvider {
    static let name = "rack"

    let loadBalancers: (any CloudLoadBalancers)?
    let instances: (any CloudInstances)?
    let routes: (any CloudRoutes)?

    init(_ client: RackClient) {
        self.loadBalancers = RackLoadBalancers(client: client)
        self.instances = RackInstances(client: client)
        self.routes = RackRoutes(client: client)
    }
}

/// The cloud's own interface; a real one asks a server.
actor RackClient {
    struct Machine: Sendable {
        var id: String
        var rack: String
        var address: String
        var isOn = true
    }

    var machines: [String: Machine]
    /// By what they were asked for under.
    var balancers: [String: String] = [:]
    var routes: [String: CloudRoute] = [:]

    init(_ machines: [String: Machine]) { self.machines = machines }

    func machine(named name: String) -> Machine? { self.machines[name] }
    func remove(machine name: String) { self.machines[name] = nil }

    func balancer(_ key: String) -> String {
        let address = self.balancers[key] ?? "198.51.100.\(self.balancers.count + 1)"
        self.balancers[key] = address
        return address
    }

    func removeBalancer(_ key: String) { self.balancers[key] = nil }
    func put(_ route: CloudRoute, _ key: String) { self.routes[key] = route }
    func removeRoute(_ key: String) { self.routes[key] = nil }
}

private struct RackLoadBalancers: CloudLoadBalancers {
    let client: RackClient

    func ensureLoadBalancer(
        for service: CoreV1.Service,
        nodes: [CoreV1.Node]
    ) async throws -> CoreV1.LoadBalancerStatus {
        // Found again by the Service's uid: called twice, there is one.
        let address = await self.client.balancer(service.metadata.uid)
        return CoreV1.LoadBalancerStatus.with { status in
            status.ingress.append(CoreV1.LoadBalancerIngress.with { $0.ip = address })
        }
    }

    func ensureLoadBalancerDeleted(for service: CoreV1.Service) async throws {
        await self.client.removeBalancer(service.metadata.uid)
    }
}

private struct RackInstances: CloudInstances {
    let client: RackClient

    func exists(_ node: CoreV1.Node) async throws -> Bool {
        await self.client.machine(named: node.metadata.name) != nil
    }

    func isShutDown(_ node: CoreV1.Node) async throws -> Bool {
        await self.client.machine(named: node.metadata.name)?.isOn == false
    }

    func metadata(_ node: CoreV1.Node) async throws -> CloudInstance? {
        guard let machine = await self.client.machine(named: node.metadata.name) else { return nil }
        var instance = CloudInstance(providerID: "rack://\(machine.id)")
        instance.zone = machine.rack
        instance.addresses = [.init(type: "InternalIP", address: machine.address)]
        return instance
    }
}

private struct RackRoutes: CloudRoutes {
    let client: RackClient

    func list(cluster: String) async throws -> [CloudRoute] {
        await self.client.routes.values.sorted { $0.name < $1.name }
    }

    func create(_ route: CloudRoute, cluster: String) async throws {
        await self.client.put(route, route.name)
    }

    func delete(_ route: CloudRoute, cluster: String) async throws {
        await self.client.removeRoute(route.name)
    }
}
