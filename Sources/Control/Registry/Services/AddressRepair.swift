// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import NameRules
import Protobuf
package import Scalars

/// Compares the addresses of Services with the objects that stand for them: a core without a store.
///
/// Source: upstream `pkg/registry/core/service/ipallocator/controller/repairip.go`.
package struct AddressRepair {
    /// How long an address may wait for its Service to be stored: as long as a request may take.
    package static let grace: Int64 = 60

    private let services: [String: CoreV1.Service]
    private let addresses: [String: NetworkingV1.IPAddress]
    private let ranges: [AddressRange]

    private init(
        _ services: [CoreV1.Service],
        _ addresses: [NetworkingV1.IPAddress],
        _ ranges: [AddressRange]
    ) {
        self.services = Dictionary(
            services.map { (Self.key($0.metadata.namespace, $0.metadata.name), $0) }
        ) { first, _ in first }
        self.addresses = Dictionary(
            addresses.map { ($0.metadata.name, $0) }
        ) { first, _ in first }
        self.ranges = ranges
    }

    private static func key(_ namespace: String, _ name: String) -> String {
        "\(namespace)/\(name)"
    }

    /// What is wrong.
    ///
    /// - Parameter ranges: those that Services' addresses may be of.
    /// - Returns: also whether there are addresses that may become leaks as time goes on.
    package static func findings(
        _ services: [CoreV1.Service],
        _ addresses: [NetworkingV1.IPAddress],
        ranges: [AddressRange],
        now: Timestamp
    ) -> (findings: [RepairFinding], isPending: Bool) {
        let repair = Self(services, addresses, ranges)
        var findings = services.flatMap(repair.findings)
        var isPending = false
        // What is made anew is looked at again in the next round.
        var replaced: Set<String> = []
        for finding in findings {
            if case .create(let name, _, true) = finding.remedy { replaced.insert(name) }
        }
        for address in addresses
        where address.metadata.labels[ServiceAllocator.managerLabel] == ServiceAllocator.manager
            && !replaced.contains(address.metadata.name)
        {
            switch repair.check(address, now) {
            case .fine: continue
            case .young: isPending = true
            case .wrong(let finding): findings.append(finding)
            }
        }
        return (findings, isPending)
    }

    // MARK: - Services

    private func findings(_ service: CoreV1.Service) -> [RepairFinding] {
        ServiceAllocator.addresses(of: service).compactMap { self.finding($0, of: service) }
    }

    private func finding(_ text: String, of service: CoreV1.Service) -> RepairFinding? {
        guard let address = IPAddress(parsing: text, .sloppy) else {
            return .warning(
                .invalid,
                "ClusterIPNotValid",
                "Cluster IP \(text) is not a valid IP; please recreate Service",
                service
            )
        }
        let name = "\(address)"
        let shown = "[\(ServiceFields.family(of: name))]: \(name)"
        guard self.ranges.contains(where: { $0.contains(name) }) else {
            return .warning(
                .outOfRange,
                "ClusterIPOutOfRange",
                "Cluster IP \(shown) is not within any configured Service CIDR; please recreate "
                    + "service",
                service
            )
        }
        guard let holder = self.addresses[name] else {
            return .warning(
                .repair,
                "ClusterIPNotAllocated",
                "Cluster IP \(shown) is not allocated; repairing",
                service,
                .create(name, service, replacing: false)
            )
        }
        let parent = holder.spec.parentRef ?? .init()
        let owner = self.services[Self.key(parent.namespace, parent.name)]
        if !Self.isService(parent) || owner == nil {
            let place = Self.key(service.metadata.namespace, service.metadata.name)
            return .warning(
                .repair,
                "ClusterIPNotAllocated",
                "the ClusterIP \(shown) for Service \(place) has a wrong reference; repairing",
                service,
                .create(name, service, replacing: true)
            )
        }
        let isOwn =
            parent.namespace == service.metadata.namespace && parent.name == service.metadata.name
        if !isOwn, owner?.spec.clusterIPs.contains(name) == true {
            return .warning(
                .duplicate,
                "ClusterIPAlreadyAllocated",
                "Cluster IP [\(ServiceFields.family(of: name))]:\(name) was assigned to multiple "
                    + "services; please recreate service",
                service
            )
        }
        guard !isOwn || !Self.hasLabels(holder) else { return nil }
        return RepairFinding(
            .repair,
            "the IPAddress \(name) has lost its labels or its Service: recreating",
            .create(name, service, replacing: true)
        )
    }

    private static func isService(_ parent: NetworkingV1.ParentReference) -> Bool {
        parent.group.isEmpty && parent.resource == "services"
    }

    private static func hasLabels(_ address: NetworkingV1.IPAddress) -> Bool {
        let labels = address.metadata.labels
        return labels[ServiceAllocator.managerLabel] == ServiceAllocator.manager
            && labels[ServiceAllocator.familyLabel]
                == ServiceFields.family(of: address.metadata.name)
    }

    // MARK: - Addresses

    private enum Verdict {
        case fine
        /// Its Service may be about to be stored.
        case young
        case wrong(RepairFinding)
    }

    private func check(_ address: NetworkingV1.IPAddress, _ now: Timestamp) -> Verdict {
        let name = address.metadata.name
        let parent = address.spec.parentRef ?? .init()
        guard Self.isService(parent) else {
            return .wrong(
                .warning(
                    .leak,
                    "IPAddressNotAllocated",
                    "IPAddress \(name) appears to have been modified, not referencing a Service "
                        + "\(parent.resource): cleaning up",
                    address
                )
            )
        }
        let place = Self.key(parent.namespace, parent.name)
        guard let service = self.services[place] else {
            let created = address.metadata.creationTimestamp.timestamp?.seconds ?? 0
            guard now.seconds - created > Self.grace else { return .young }
            return .wrong(
                .warning(
                    .leak,
                    "IPAddressNotAllocated",
                    "IPAddress: \(name) for Service \(place) appears to have leaked: cleaning up",
                    address
                )
            )
        }
        if service.spec.clusterIPs.contains(name) { return .fine }
        return .wrong(
            .warning(
                .leak,
                "IPAddressWrongReference",
                "IPAddress: \(name) for Service \(place) has a wrong reference; cleaning up",
                address
            )
        )
    }
}
