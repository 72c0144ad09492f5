// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import EventRecording
import KeyValueStore
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import Registry
import ResourceTable
import Scalars
import WatchCache

/// Puts right what is not as it should be between Services and the addresses and ports on nodes that
/// were given to them: after a server's end in the middle of a write, or a hand in the store.
///
/// A round is cheap, and left out as long as nothing has changed.
///
/// Source: upstream `pkg/registry/core/service/{ipallocator,portallocator}/controller`.
actor ServiceRepair {
    private let registry: Registry
    private let allocator: ServiceAllocator
    private let metrics: RepairMetrics
    private let addressEvents: EventRecorder
    private let portEvents: EventRecorder
    private let log: @Sendable (String) -> Void
    private var ports = PortRepair()
    /// The states of the objects that the last round has found in order; nil for another round.
    private var seen: [UInt64]?

    /// How long it waits between two rounds.
    private static let interval: Duration = .seconds(180)
    /// How often the register is tried to be written in one round.
    private static let attempts = 8

    private static let services = GroupResource(group: "", resource: "services")
    private static let ranges = GroupResource(group: "networking.k8s.io", resource: "servicecidrs")

    init(
        _ registry: Registry,
        _ allocator: ServiceAllocator,
        _ metrics: RepairMetrics,
        addressEvents: EventRecorder,
        portEvents: EventRecorder,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.registry = registry
        self.allocator = allocator
        self.metrics = metrics
        self.addressEvents = addressEvents
        self.portEvents = portEvents
        self.log = log
    }

    /// Repairs until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.addressEvents.run() }
            tasks.addTask { await self.portEvents.run() }
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                if !Task.isCancelled { await self.step(now: .current()) }
            }
            tasks.cancelAll()
        }
    }

    /// One round.
    func step(now: Timestamp) async {
        let present = [Self.services, ServiceAllocator.resource, Self.ranges].map {
            self.registry.store($0)?.cache.changeCount ?? 0
        }
        if self.seen == present { return }
        do throws(StoreError) {
            let isPending = try await self.repairAddresses(now)
            self.seen = isPending ? nil : present
        } catch {
            self.seen = nil
            self.metrics.addressFailures.increment()
            self.log("repair of cluster IPs: \(error)")
        }
        do throws(StoreError) {
            try await self.repairPorts()
            if self.ports.isPending { self.seen = nil }
        } catch {
            self.seen = nil
            self.metrics.portFailures.increment()
            self.log("repair of node ports: \(error)")
        }
    }

    /// Waits until the cache has everything that there is.
    private func refresh(_ revision: Int64) async throws(StoreError) {
        let shared = self.registry.shared
        guard await shared.waitUntilApplied(revision, timeout: .seconds(10)) else {
            throw StoreError(.unavailable, "the cache is behind")
        }
    }

    // MARK: - Addresses

    private func repairAddresses(_ now: Timestamp) async throws(StoreError) -> Bool {
        try await self.refresh(try await self.registry.shared.currentRevision())
        let more = self.registry.objects(NetworkingV1.ServiceCIDR.self, of: Self.ranges)
        let (findings, isPending) = AddressRepair.findings(
            self.registry.services,
            self.registry.objects(of: ServiceAllocator.resource),
            ranges: self.allocator.ranges
                + more.flatMap(\.spec.cidrs).compactMap { AddressRange($0) },
            now: now
        )
        for finding in findings {
            self.report(finding, self.metrics.addresses, self.addressEvents)
            await self.apply(finding.remedy)
        }
        return isPending || !findings.isEmpty
    }

    private func apply(_ remedy: RepairFinding.Remedy) async {
        switch remedy {
        case .none: return
        case .remove(let address): await self.allocator.giveBack(address)
        case .create(let address, let service, let isReplacing):
            // It may have been deleted since it was looked at.
            guard let store = self.registry.store(Self.services),
                store.cache.object(
                    store.key(service.metadata.namespace, service.metadata.name)
                ) != nil
            else { return }
            if isReplacing { await self.allocator.giveBack(address) }
            do throws(StatusError) {
                try await self.allocator.reserve(address, for: service)
            } catch {
                self.metrics.addressFailures.increment()
                self.log("repair of cluster IPs: \(address): \(error.message)")
            }
        }
    }

    // MARK: - Ports

    private func repairPorts() async throws(StoreError) {
        for _ in 0..<Self.attempts {
            let entry = try await self.allocator.nodePorts.read()
            try await self.refresh(entry.revision)
            var ports = self.ports
            let (allocations, findings) = ports.step(entry.allocations, self.registry.services)
            let isChanged = allocations != entry.allocations || entry.modified == 0
            if isChanged {
                guard try await self.allocator.nodePorts.replace(entry, with: allocations) else {
                    continue
                }
            }
            self.ports = ports
            for finding in findings { self.report(finding, self.metrics.ports, self.portEvents) }
            return
        }
        throw StoreError(.aborted, "others keep changing the register")
    }

    private func report(
        _ finding: RepairFinding,
        _ counters: RepairMetrics.Counters,
        _ events: EventRecorder
    ) {
        counters.with(finding.kind.rawValue).increment()
        self.log(finding.message)
        guard !finding.reason.isEmpty else { return }
        switch finding.subject {
        case nil: return
        case .service(let service):
            events.record(.warning, finding.reason, finding.message, about: service)
        case .address(let address):
            events.record(.warning, finding.reason, finding.message, about: address)
        }
    }
}
