// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
package import KubernetesAPI
import NameRules
package import ObjectModel
import Protobuf
import RequestInfo
import ResourceTable
import Synchronization
import WatchCache

/// Gives Services their addresses and node ports.
///
/// An address is taken by creating the IPAddress object of its name, so that no two servers give it
/// away; node ports are those that no Service in the cache has.
///
/// Source: upstream `pkg/registry/core/service/storage/alloc.go`, KEP-1880.
package final class ServiceAllocator: Allocator {
    let registry: Registry
    let range: AddressRange
    private let nodePorts: ClosedRange<Int32>
    private let reserved = Mutex<Set<Int32>>([])

    /// The ports that are given away without being asked for begin after these.
    static let staticPorts: Int32 = 86
    /// How many addresses are tried before the range counts as full.
    private static let attempts = 256

    package init(
        registry: Registry,
        range: AddressRange,
        nodePorts: ClosedRange<Int32> = 30_000...32_767
    ) {
        self.registry = registry
        self.range = range
        self.nodePorts = nodePorts
    }

    package func allocate(
        _ object: inout APIObject,
        old: APIObject?,
        isDryRun: Bool
    ) async throws(StatusError) -> Allocation {
        guard var service = object.message(as: CoreV1.Service.self) else { return Allocation() }
        let before = old?.message(as: CoreV1.Service.self)
        ServiceFields.complete(&service, before)
        var taken: [String] = []
        var ports: [Int32] = []
        do throws(StatusError) {
            if let address = try await self.takeAddress(&service, before, isDryRun) {
                taken.append(address)
            }
            ports = try self.takePorts(&service, before)
        } catch {
            for address in taken { await self.giveBack(address) }
            throw error
        }
        object = APIObject(service)
        var allocation = Allocation()
        let reservedPorts = ports
        let takenAddresses = taken
        let kept = service.spec.clusterIPs
        allocation.commit = {
            self.unreserve(reservedPorts)
            guard let before else { return }
            for address in before.spec.clusterIPs
            where !kept.contains(address) && address != "None" {
                await self.giveBack(address)
            }
        }
        allocation.revert = {
            self.unreserve(reservedPorts)
            for address in takenAddresses { await self.giveBack(address) }
        }
        return allocation
    }

    package func release(_ object: APIObject) async {
        guard let service = object.message(as: CoreV1.Service.self) else { return }
        for address in service.spec.clusterIPs where address != "None" {
            await self.giveBack(address)
        }
    }

    // MARK: - Addresses

    private var addresses: ResourceStore? {
        self.registry.store(GroupResource(group: "networking.k8s.io", resource: "ipaddresses"))
    }

    private func takeAddress(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service?,
        _ isDryRun: Bool
    ) async throws(StatusError) -> String? {
        guard ServiceFields.needsAddress(service) else { return nil }
        let wanted = service.spec.clusterIP
        if !wanted.isEmpty {
            if before?.spec.clusterIPs.contains(wanted) == true { return nil }
            try await self.take(wanted, for: service, isDryRun)
            return isDryRun ? nil : wanted
        }
        for attempt in 0..<Self.attempts {
            let address = self.range.candidate(attempt: attempt, of: Self.attempts)
            guard try await self.isTaken(address, service, isDryRun) else { continue }
            service.spec.clusterIP = address
            service.spec.clusterIPs = [address]
            return isDryRun ? nil : address
        }
        throw .internalError("failed to allocate a serviceIP: range is full")
    }

    /// Takes an address unless somebody has it.
    private func isTaken(
        _ address: String,
        _ service: CoreV1.Service,
        _ isDryRun: Bool
    ) async throws(StatusError) -> Bool {
        do throws(StatusError) {
            try await self.reserve(address, for: service, isDryRun)
            return true
        } catch {
            guard error.reason == .alreadyExists else { throw error }
            return try await self.isHeld(address, by: service)
        }
    }

    /// Whether an address was taken for this very Service, by a server that has not come to store
    /// it.
    private func isHeld(
        _ address: String,
        by service: CoreV1.Service
    ) async throws(StatusError) -> Bool {
        guard let store = self.addresses else { return false }
        let held = try store.decode(try await store.get("", address))
        let parent = held.message(as: NetworkingV1.IPAddress.self)?.spec.parentRef
        return parent?.namespace == service.metadata.namespace
            && parent?.name == service.metadata.name
    }

    /// Takes the address that a Service asks for.
    private func take(
        _ address: String,
        for service: CoreV1.Service,
        _ isDryRun: Bool
    ) async throws(StatusError) {
        guard self.range.contains(address) else {
            throw self.invalid(
                service,
                "failed to allocate IP \(address): the provided IP (\(address)) is not in the "
                    + "valid range. The range of valid IPs is \(self.range.text)"
            )
        }
        guard try await self.isTaken(address, service, isDryRun) else {
            throw self.invalid(
                service,
                "failed to allocate IP \(address): provided IP is already allocated"
            )
        }
    }

    private func invalid(_ service: CoreV1.Service, _ why: String) -> StatusError {
        var errors = FieldErrors()
        errors.within("spec") { errors in
            errors.invalid(at: "clusterIPs", .init(Array(service.spec.clusterIPs)), why)
        }
        return .invalid(kind: "Service", group: "", name: service.metadata.name, errors)
    }

    /// Creates the object that stands for an address.
    package func reserve(
        _ address: String,
        for service: CoreV1.Service,
        _ isDryRun: Bool = false
    ) async throws(StatusError) {
        let object = NetworkingV1.IPAddress.with {
            $0.metadata.name = address
            $0.metadata.labels = [
                "ipaddress.kubernetes.io/ip-family": "IPv4",
                "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
            ]
            $0.spec.parentRef = NetworkingV1.ParentReference.with {
                $0.resource = "services"
                $0.namespace = service.metadata.namespace
                $0.name = service.metadata.name
            }
        }
        _ = try await self.addresses?.create(
            APIObject(object),
            WriteContext(isDryRun: isDryRun)
        )
    }

    private func giveBack(_ address: String) async {
        // An address that is gone already is free.
        _ = try? await self.addresses?.delete("", address, .init(), WriteContext())
    }

    // MARK: - Ports

    private func takePorts(
        _ service: inout CoreV1.Service,
        _ before: CoreV1.Service?
    ) throws(StatusError) -> [Int32] {
        guard ServiceFields.needsNodePorts(service) else {
            for index in service.spec.ports.indices
            where service.spec.type == "ClusterIP" || service.spec.type == "ExternalName" {
                // Ports that were given by us go with the type.
                if before?.spec.ports.contains(where: {
                    $0.nodePort == service.spec.ports[index].nodePort
                }) == true {
                    service.spec.ports[index].nodePort = 0
                }
            }
            return []
        }
        let own = Set(before.map { $0.spec.ports.map(\.nodePort) } ?? [])
        var used = self.usedPorts(except: service)
        return try self.reserved.withLock { (reserved) throws(StatusError) -> [Int32] in
            used.formUnion(reserved)
            var taken: [Int32] = []
            var byNumber: [Int32: Int32] = [:]
            for index in service.spec.ports.indices {
                let port = service.spec.ports[index]
                if port.nodePort != 0 {
                    if own.contains(port.nodePort) || taken.contains(port.nodePort) { continue }
                    try self.check(port.nodePort, used, service, index)
                    taken.append(port.nodePort)
                    byNumber[port.port] = port.nodePort
                } else if let shared = byNumber[port.port] {
                    // The same port over another protocol.
                    service.spec.ports[index].nodePort = shared
                } else {
                    guard let free = self.freePort(used.union(taken).union(own)) else {
                        throw .internalError("failed to allocate a nodePort: range is full")
                    }
                    service.spec.ports[index].nodePort = free
                    taken.append(free)
                    byNumber[port.port] = free
                }
            }
            if service.spec.type == "LoadBalancer", service.spec.externalTrafficPolicy == "Local",
                service.spec.healthCheckNodePort == 0
            {
                guard let free = self.freePort(used.union(taken).union(own)) else {
                    throw .internalError("failed to allocate a nodePort: range is full")
                }
                service.spec.healthCheckNodePort = free
                taken.append(free)
            }
            reserved.formUnion(taken)
            return taken
        }
    }

    private func check(
        _ port: Int32,
        _ used: Set<Int32>,
        _ service: CoreV1.Service,
        _ index: Int
    ) throws(StatusError) {
        let why: String
        if !self.nodePorts.contains(port) {
            why =
                "provided port is not in the valid range. The range of valid ports is "
                + "\(self.nodePorts.lowerBound)-\(self.nodePorts.upperBound)"
        } else if used.contains(port) {
            why = "provided port is already allocated"
        } else {
            return
        }
        var errors = FieldErrors()
        errors.within("spec") { errors in
            errors.within("ports", index: index) { errors in
                errors.invalid(at: "nodePort", .init(integerLiteral: Int64(port)), why)
            }
        }
        throw .invalid(kind: "Service", group: "", name: service.metadata.name, errors)
    }

    private func usedPorts(except service: CoreV1.Service) -> Set<Int32> {
        var used: Set<Int32> = []
        guard let store = self.registry.store(GroupResource(group: "", resource: "services"))
        else { return used }
        store.cache.snapshot(applied: 0).objects.forEach(within: Bytes()) { cached in
            guard let other = try? store.decode(cached).message(as: CoreV1.Service.self),
                other.metadata.name != service.metadata.name
                    || other.metadata.namespace != service.metadata.namespace
            else { return }
            for port in other.spec.ports where port.nodePort != 0 { used.insert(port.nodePort) }
            if other.spec.healthCheckNodePort != 0 { used.insert(other.spec.healthCheckNodePort) }
        }
        return used
    }

    private func freePort(_ used: Set<Int32>) -> Int32? {
        let first = self.nodePorts.lowerBound + Self.staticPorts
        for _ in 0..<64 {
            let port = Int32.random(in: first...self.nodePorts.upperBound)
            if !used.contains(port) { return port }
        }
        return (first...self.nodePorts.upperBound).first { !used.contains($0) }
            ?? (self.nodePorts.lowerBound..<first).first { !used.contains($0) }
    }

    private func unreserve(_ ports: [Int32]) {
        self.reserved.withLock { $0.subtract(ports) }
    }
}
