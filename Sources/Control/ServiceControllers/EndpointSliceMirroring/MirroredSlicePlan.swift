// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import NameRules
import Protobuf

/// The EndpointSlices that say what hand-made Endpoints say, as changes to those there are. Pure.
///
/// Source: upstream `pkg/controller/endpointslicemirroring/reconciler.go`, `utils.go`.
package struct MirroredSlicePlan: SliceChanges {
    /// Addresses of a subset that are mirrored; `--mirroring-max-endpoints-per-subset`.
    package static let defaultMaximum = 1000
    package static let managedBy = "endpointslicemirroring-controller.k8s.io"
    package static let skipLabel = "endpointslice.kubernetes.io/skip-mirror"
    private static let leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"
    private static let appliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"

    package var creations: [DiscoveryV1.EndpointSlice] = []
    package var updates: [DiscoveryV1.EndpointSlice] = []
    package var deletions: [DiscoveryV1.EndpointSlice] = []
    /// Addresses that are no IP addresses.
    package var invalidCount = 0
    /// Addresses that were left out, invalid ones among them.
    package var skippedCount = 0

    /// What slices are told apart by.
    private struct Group: Hashable {
        var type: String
        var ports: [DiscoveryV1.EndpointPort]
    }

    private let endpoints: CoreV1.Endpoints

    package init(
        _ endpoints: CoreV1.Endpoints,
        slices: [DiscoveryV1.EndpointSlice],
        maximum: Int = MirroredSlicePlan.defaultMaximum
    ) {
        self.endpoints = endpoints
        let (order, wanted) = self.wanted(maximum)
        var known: [Group: [DiscoveryV1.EndpointSlice]] = [:]
        for slice in slices.sorted(by: { $0.metadata.name < $1.metadata.name }) {
            known[Group(type: slice.addressType, ports: Array(slice.ports)), default: []]
                .append(slice)
        }
        var missing: [Group] = []
        for group in order {
            guard let first = known[group]?.removeFirst() else {
                missing.append(group)
                continue
            }
            self.update(first, group, wanted[group] ?? [])
        }
        // A slice that has served its turn becomes the next one rather than to go.
        var free = known.values.flatMap { $0 }.sorted { $0.metadata.name < $1.metadata.name }
        for group in missing {
            let endpoints = wanted[group] ?? []
            if let index = free.firstIndex(where: { $0.addressType == group.type }) {
                self.update(free.remove(at: index), group, endpoints)
            } else if self.endpoints.metadata.deletionTimestamp == nil {
                self.creations.append(self.slice(DiscoveryV1.EndpointSlice(), group, endpoints))
            }
        }
        self.deletions = free
    }

    /// Whether Endpoints are mirrored at all: those of a selector have slices of their own.
    package static func isMirrored(
        _ endpoints: CoreV1.Endpoints,
        of service: CoreV1.Service?
    ) -> Bool {
        guard let service, service.spec.selector.isEmpty else { return false }
        return self.mayBeMirrored(endpoints)
    }

    package static func mayBeMirrored(_ endpoints: CoreV1.Endpoints) -> Bool {
        endpoints.metadata.labels[self.skipLabel] != "true"
            && endpoints.metadata.annotations[self.leaderAnnotation] == nil
    }

    // MARK: Parts

    private mutating func wanted(
        _ maximum: Int
    ) -> ([Group], [Group: [DiscoveryV1.Endpoint]]) {
        var order: [Group] = []
        var wanted: [Group: [DiscoveryV1.Endpoint]] = [:]
        var seen: [Group: Set<String>] = [:]
        for subset in self.endpoints.subsets {
            let ports = Self.ports(of: subset)
            let all =
                subset.addresses.map { ($0, true) } + subset.notReadyAddresses.map { ($0, false) }
            var added = 0
            for (address, isReady) in all {
                if added >= maximum { break }
                guard IPAddress(parsing: address.ip) != nil else {
                    self.invalidCount += 1
                    continue
                }
                added += 1
                let type = address.ip.utf8.contains(UInt8(ascii: ":")) ? "IPv6" : "IPv4"
                let group = Group(type: type, ports: ports)
                if wanted[group] == nil { order.append(group) }
                // A ready address comes first and stays when it is named twice.
                guard seen[group, default: []].insert(address.ip).inserted else { continue }
                wanted[group, default: []].append(Self.endpoint(address, isReady))
            }
            self.skippedCount += all.count - added
        }
        return (order, wanted)
    }

    private static func ports(of subset: CoreV1.EndpointSubset) -> [DiscoveryV1.EndpointPort] {
        subset.ports.map { port in
            DiscoveryV1.EndpointPort.with {
                $0.name = port.name
                $0.port = port.port
                $0.protocol = PodEndpoints.protocolName(port.protocol)
                $0.appProtocol = port.appProtocol
            }
        }
    }

    private static func endpoint(
        _ address: CoreV1.EndpointAddress,
        _ isReady: Bool
    ) -> DiscoveryV1.Endpoint {
        DiscoveryV1.Endpoint.with {
            $0.addresses = [address.ip]
            $0.conditions.ready = isReady
            $0.targetRef = address.targetRef
            $0.nodeName = address.nodeName
            if !address.hostname.isEmpty { $0.hostname = address.hostname }
        }
    }

    private mutating func update(
        _ slice: DiscoveryV1.EndpointSlice,
        _ group: Group,
        _ endpoints: [DiscoveryV1.Endpoint]
    ) {
        let new = self.slice(slice, group, endpoints)
        if new != slice { self.updates.append(new) }
    }

    /// The slice as it shall be, made of the one that there is.
    private func slice(
        _ old: DiscoveryV1.EndpointSlice,
        _ group: Group,
        _ endpoints: [DiscoveryV1.Endpoint]
    ) -> DiscoveryV1.EndpointSlice {
        let metadata = self.endpoints.metadata
        var slice = old
        if slice.metadata.name.isEmpty {
            slice.metadata.generateName = "\(metadata.name)-"
            slice.metadata.namespace = metadata.namespace
        }
        slice.metadata.labels = metadata.labels
        slice.metadata.labels[EndpointSlicePlan.serviceLabel] = metadata.name
        slice.metadata.labels[EndpointSlicePlan.managedByLabel] = Self.managedBy
        slice.metadata.annotations = metadata.annotations
        slice.metadata.annotations[Self.appliedAnnotation] = nil
        slice.metadata.ownerReferences = [.controller(self.endpoints)]
        slice.addressType = group.type
        slice.ports = RepeatedField(group.ports)
        // The order of endpoints means nothing: as long as they are the same, they stay.
        let isSame =
            old.endpoints.count == endpoints.count && Set(old.endpoints) == Set(endpoints)
        if !isSame { slice.endpoints = RepeatedField(endpoints) }
        return slice
    }
}
