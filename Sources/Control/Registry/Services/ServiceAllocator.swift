// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
package import KubernetesAPI
import NameRules
package import ObjectModel
package import Protobuf
package import ResourceTable
import WatchCache

/// Gives Services their addresses and node ports.
///
/// An address is taken by creating the IPAddress object of its name, a port by writing the register
/// of all ports, so that no two servers give the same away.
///
/// Source: upstream `pkg/registry/core/service/storage/alloc.go`, KEP-1880.
package final class ServiceAllocator: Allocator {
    let registry: Registry
    /// The ranges of the cluster, one for each family; the first is that of the default family.
    package let ranges: [AddressRange]
    package let nodePorts: PortRegister

    package init(
        registry: Registry,
        ranges: [AddressRange],
        nodePorts: ClosedRange<Int32> = 30_000...32_767
    ) {
        self.registry = registry
        self.ranges = ranges
        self.nodePorts = PortRegister(store: registry.shared.store, range: nodePorts) {
            Set(registry.services.flatMap(ServiceFields.nodePorts))
        }
    }

    package func allocate(
        _ object: inout APIObject,
        old: APIObject?,
        isDryRun: Bool
    ) async throws(StatusError) -> Allocation {
        guard var service = object.message(as: CoreV1.Service.self) else { return Allocation() }
        let before = old?.message(as: CoreV1.Service.self)
        let faults = ServiceFields.complete(
            &service,
            before,
            families: self.ranges.map(\.family)
        )
        if !faults.isEmpty { throw Self.invalid(service, faults) }
        var addresses: [String] = []
        let ports: [Int32]
        do throws(StatusError) {
            try await self.takeAddresses(&service, before, &addresses, isDryRun)
            ports = try await self.takePorts(&service, before, isDryRun)
        } catch {
            for address in addresses { await self.giveBack(address) }
            throw error
        }
        object = APIObject(service)
        var allocation = Allocation()
        if isDryRun { return allocation }
        let taken = addresses
        allocation.revert = {
            for address in taken { await self.giveBack(address) }
            await self.nodePorts.release(ports)
        }
        guard let before else { return allocation }
        let keptAddresses = service.spec.clusterIPs
        let keptPorts = Set(ServiceFields.nodePorts(of: service))
        allocation.commit = {
            for address in Self.addresses(of: before) where !keptAddresses.contains(address) {
                await self.giveBack(address)
            }
            await self.nodePorts.release(
                ServiceFields.nodePorts(of: before).filter { !keptPorts.contains($0) }
            )
        }
        return allocation
    }

    package func release(_ object: APIObject) async {
        guard let service = object.message(as: CoreV1.Service.self) else { return }
        for address in Self.addresses(of: service) { await self.giveBack(address) }
        await self.nodePorts.release(ServiceFields.nodePorts(of: service))
    }

    /// The addresses that a Service has.
    package static func addresses(of service: CoreV1.Service) -> [String] {
        guard ServiceFields.needsAddresses(service) else { return [] }
        return service.spec.clusterIPs.filter { !$0.isEmpty }
    }

    static func invalid(_ service: CoreV1.Service, _ faults: FieldErrors) -> StatusError {
        .invalid(kind: "Service", group: "", name: service.metadata.name, faults)
    }
}

extension Registry {
    /// The Services that there are.
    package var services: [CoreV1.Service] {
        self.objects(of: GroupResource(group: "", resource: "services"))
    }

    /// The objects of a resource, from the cache.
    package func objects<M: Message>(
        _ type: M.Type = M.self,
        of resource: GroupResource
    ) -> [M] {
        guard let store = self.store(resource) else { return [] }
        var objects: [M] = []
        store.cache.snapshot(applied: 0).objects.forEach(within: Bytes()) { cached in
            if let object = try? store.decode(cached).message(as: M.self) { objects.append(object) }
        }
        return objects
    }
}
