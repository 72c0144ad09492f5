// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// The EndpointSlices that a Service needs, as changes to those it has. Pure.
///
/// Endpoints stay in the slice they are in, so that a change of one pod rewrites one slice.
///
/// Source: upstream `staging/src/k8s.io/endpointslice/reconciler.go`.
package struct EndpointSlicePlan: SliceChanges {
    /// Endpoints of a slice at most; `--max-endpoints-per-slice`.
    package static let defaultMaximum = 100
    package static let managedBy = "endpointslice-controller.k8s.io"
    package static let serviceLabel = "kubernetes.io/service-name"
    package static let managedByLabel = "endpointslice.kubernetes.io/managed-by"
    package static let headlessLabel = "service.kubernetes.io/headless"
    package static let triggerAnnotation = "endpoints.kubernetes.io/last-change-trigger-time"

    package var creations: [DiscoveryV1.EndpointSlice] = []
    package var updates: [DiscoveryV1.EndpointSlice] = []
    package var deletions: [DiscoveryV1.EndpointSlice] = []

    private let service: CoreV1.Service
    private let nodes: [String: CoreV1.Node]
    private let maximum: Int

    package init(
        _ service: CoreV1.Service,
        pods: [CoreV1.Pod],
        nodes: [String: CoreV1.Node],
        slices: [DiscoveryV1.EndpointSlice],
        trigger: Timestamp? = nil,
        maximum: Int = EndpointSlicePlan.defaultMaximum
    ) {
        self.service = service
        self.nodes = nodes
        self.maximum = maximum
        let types = service.addressTypes
        self.deletions = slices.filter { !types.contains($0.addressType) }
        for type in types {
            self.plan(type, pods, slices.filter { $0.addressType == type })
        }
        guard let trigger else { return }
        let text = trigger.text(as: .nanoseconds)
        for index in self.creations.indices {
            self.creations[index].metadata.annotations[Self.triggerAnnotation] = text
        }
        for index in self.updates.indices {
            self.updates[index].metadata.annotations[Self.triggerAnnotation] = text
        }
    }

    private mutating func plan(
        _ type: String,
        _ pods: [CoreV1.Pod],
        _ slices: [DiscoveryV1.EndpointSlice]
    ) {
        // Pods whose ports have the same numbers share slices.
        var wanted: [[DiscoveryV1.EndpointPort]: [DiscoveryV1.Endpoint]] = [:]
        for pod in pods where PodEndpoints.isCandidate(pod, includesTerminating: true) {
            let ports = self.ports(of: pod)
            if ports.isEmpty && !self.service.isHeadless { continue }
            if let endpoint = self.endpoint(of: pod, type) {
                wanted[ports, default: []].append(endpoint)
            }
        }
        var byPorts: [[DiscoveryV1.EndpointPort]: [DiscoveryV1.EndpointSlice]] = [:]
        for slice in slices { byPorts[Self.sorted(Array(slice.ports)), default: []].append(slice) }
        let isEmpty = wanted.isEmpty
        var freed: [DiscoveryV1.EndpointSlice] = []
        for (ports, known) in byPorts where wanted[ports] == nil { freed += known }
        for ports in wanted.keys.sorted(by: Self.precedes) {
            self.fill(ports, wanted[ports] ?? [], byPorts[ports] ?? [], type)
        }
        guard isEmpty else {
            self.deletions += freed
            return
        }
        // One slice without endpoints says that the Service has none.
        let kept = freed.first { $0.endpoints.isEmpty && $0.ports.isEmpty } ?? freed.first
        self.deletions += freed.filter { $0.metadata.uid != kept?.metadata.uid }
        if let kept {
            self.update(kept, [], [])
        } else {
            self.creations.append(self.newSlice(type, [], []))
        }
    }

    private mutating func fill(
        _ ports: [DiscoveryV1.EndpointPort],
        _ endpoints: [DiscoveryV1.Endpoint],
        _ slices: [DiscoveryV1.EndpointSlice],
        _ type: String
    ) {
        var missing: [String: DiscoveryV1.Endpoint] = [:]
        var order: [String] = []
        for endpoint in endpoints {
            let key = Self.key(endpoint)
            if missing.updateValue(endpoint, forKey: key) == nil { order.append(key) }
        }
        var contents = slices.sorted { $0.metadata.name < $1.metadata.name }.map { slice in
            (
                slice: slice,
                endpoints: slice.endpoints.compactMap { missing.removeValue(forKey: Self.key($0)) }
            )
        }
        var rest = order.compactMap { missing[$0] }
        // First into slices that are rewritten anyway, then into others that have room.
        let changed = contents.indices.sorted { left, right in
            let isChanged = { (index: Int) -> Bool in
                Array(contents[index].slice.endpoints) != contents[index].endpoints
            }
            return isChanged(left) && !isChanged(right)
        }
        for index in changed where !rest.isEmpty && !contents[index].endpoints.isEmpty {
            let room = min(max(self.maximum - contents[index].endpoints.count, 0), rest.count)
            contents[index].endpoints += rest.prefix(room)
            rest.removeFirst(room)
        }
        for content in contents {
            if !content.endpoints.isEmpty {
                self.update(content.slice, ports, content.endpoints)
            } else if !rest.isEmpty {
                let count = min(self.maximum, rest.count)
                self.update(content.slice, ports, Array(rest.prefix(count)))
                rest.removeFirst(count)
            } else {
                self.deletions.append(content.slice)
            }
        }
        while !rest.isEmpty {
            let count = min(self.maximum, rest.count)
            self.creations.append(self.newSlice(type, ports, Array(rest.prefix(count))))
            rest.removeFirst(count)
        }
    }

    // MARK: Parts

    /// What tells an endpoint from others.
    static func key(_ endpoint: DiscoveryV1.Endpoint) -> String {
        guard let target = endpoint.targetRef else {
            return endpoint.addresses.joined(separator: ",")
        }
        return "\(target.namespace)/\(target.name)/\(target.uid)"
    }

    private static func precedes(
        _ left: [DiscoveryV1.EndpointPort],
        _ right: [DiscoveryV1.EndpointPort]
    ) -> Bool {
        left.map { $0.port ?? 0 }.lexicographicallyPrecedes(right.map { $0.port ?? 0 })
    }

    private static func sorted(
        _ ports: [DiscoveryV1.EndpointPort]
    ) -> [DiscoveryV1.EndpointPort] {
        ports.sorted {
            ($0.name ?? "", $0.protocol ?? "", $0.port ?? 0)
                < ($1.name ?? "", $1.protocol ?? "", $1.port ?? 0)
        }
    }

    private func ports(of pod: CoreV1.Pod) -> [DiscoveryV1.EndpointPort] {
        let ports = self.service.spec.ports.compactMap { port -> DiscoveryV1.EndpointPort? in
            guard let number = PodEndpoints.number(of: port, at: pod) else { return nil }
            return DiscoveryV1.EndpointPort.with {
                $0.name = port.name
                $0.port = number
                $0.protocol = PodEndpoints.protocolName(port.protocol)
                $0.appProtocol = port.appProtocol
            }
        }
        return Self.sorted(ports)
    }

    private func endpoint(of pod: CoreV1.Pod, _ type: String) -> DiscoveryV1.Endpoint? {
        let isIPv6 = type == "IPv6"
        let addresses = pod.addresses.filter { $0.utf8.contains(UInt8(ascii: ":")) == isIPv6 }
        guard !addresses.isEmpty else { return nil }
        let isTerminating = pod.metadata.deletionTimestamp != nil
        let isReady =
            self.service.spec.publishNotReadyAddresses || (pod.isReady && !isTerminating)
        let node = self.nodes[pod.spec.nodeName]
        let zone = node?.metadata.labels["topology.kubernetes.io/zone"] ?? ""
        return DiscoveryV1.Endpoint.with {
            $0.addresses = RepeatedField(addresses)
            $0.conditions.ready = isReady
            $0.conditions.serving = self.service.spec.publishNotReadyAddresses || pod.isReady
            $0.conditions.terminating = isTerminating
            $0.hostname = PodEndpoints.hostname(of: pod, in: self.service)
            $0.targetRef = CoreV1.ObjectReference.with {
                $0.kind = "Pod"
                $0.namespace = pod.metadata.namespace
                $0.name = pod.metadata.name
                $0.uid = pod.metadata.uid
            }
            if !pod.spec.nodeName.isEmpty { $0.nodeName = pod.spec.nodeName }
            if !zone.isEmpty { $0.zone = zone }
            if isReady { $0.hints = self.hints(zone, pod.spec.nodeName) }
        }
    }

    /// Where traffic to an endpoint shall come from.
    private func hints(_ zone: String, _ node: String) -> DiscoveryV1.EndpointHints? {
        let distribution = self.service.spec.trafficDistribution ?? ""
        let wantsNode = distribution == "PreferSameNode"
        guard wantsNode || distribution == "PreferClose" || distribution == "PreferSameZone" else {
            return nil
        }
        return DiscoveryV1.EndpointHints.with {
            if !zone.isEmpty { $0.forZones = [DiscoveryV1.ForZone.with { $0.name = zone }] }
            if wantsNode { $0.forNodes = [DiscoveryV1.ForNode.with { $0.name = node }] }
        }
    }

    private var labels: MapField<String, String> {
        var labels = MapField<String, String>()
        let own = [Self.serviceLabel, Self.managedByLabel, Self.headlessLabel]
        for (key, value) in self.service.metadata.labels where !own.contains(key) {
            labels[key] = value
        }
        if self.service.isHeadless { labels[Self.headlessLabel] = "" }
        labels[Self.serviceLabel] = self.service.metadata.name
        labels[Self.managedByLabel] = Self.managedBy
        return labels
    }

    private func newSlice(
        _ type: String,
        _ ports: [DiscoveryV1.EndpointPort],
        _ endpoints: [DiscoveryV1.Endpoint]
    ) -> DiscoveryV1.EndpointSlice {
        DiscoveryV1.EndpointSlice.with {
            $0.metadata.generateName = "\(self.service.metadata.name)-"
            $0.metadata.namespace = self.service.metadata.namespace
            $0.metadata.ownerReferences = [.controller(self.service)]
            $0.metadata.labels = self.labels
            $0.addressType = type
            $0.ports = RepeatedField(ports)
            $0.endpoints = RepeatedField(endpoints)
        }
    }

    private mutating func update(
        _ slice: DiscoveryV1.EndpointSlice,
        _ ports: [DiscoveryV1.EndpointPort],
        _ endpoints: [DiscoveryV1.Endpoint]
    ) {
        let labels = self.labels
        guard
            Array(slice.endpoints) != endpoints || slice.metadata.labels != labels
                || Self.sorted(Array(slice.ports)) != ports
        else { return }
        var slice = slice
        slice.endpoints = RepeatedField(endpoints)
        slice.ports = RepeatedField(ports)
        slice.metadata.labels = labels
        self.updates.append(slice)
    }
}
