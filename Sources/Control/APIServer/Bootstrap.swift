// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import ResourceTable
import Scalars
import WatchCache

/// Makes what exists in every cluster: namespaces, the `kubernetes` Service with its endpoints,
/// priority classes, flow schemas.
///
/// Source: fact table `bootstrap_rbac.json`; upstream `pkg/controlplane`.
struct Bootstrap: Sendable {
    let registry: Registry
    let configuration: APIServer.Configuration
    let port: Int?

    /// How long it waits after a failure before it tries again.
    private static let pause: Duration = .milliseconds(200)

    /// Makes what is missing; tries until it is there or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(StatusError) {
                try await self.ensureAll()
                return
            } catch {
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func ensureAll() async throws(StatusError) {
        for name in ["kube-system", "default", "kube-public", "kube-node-lease"] {
            try await self.ensure(
                APIObject(CoreV1.Namespace.with { $0.metadata.name = name })
            )
        }
        for (name, value) in [
            ("system-node-critical", Int32(2_000_001_000)),
            ("system-cluster-critical", Int32(2_000_000_000)),
        ] {
            try await self.ensure(
                APIObject(
                    SchedulingV1.PriorityClass.with {
                        $0.metadata.name = name
                        $0.value = value
                        $0.description_ = Self.priorityTexts[name] ?? ""
                        $0.preemptionPolicy = "PreemptLowerPriority"
                    }
                )
            )
        }
        try await self.ensureService()
        try await self.ensureEndpoints()
        try await self.ensureFlowControl()
    }

    private static let priorityTexts = [
        "system-node-critical":
            "Used for system critical pods that must not be moved from their current node.",
        "system-cluster-critical":
            "Used for system critical pods that must run in the cluster, but can be moved to "
            + "another node if necessary.",
    ]

    /// Creates an object unless there is one of its name.
    func ensure(_ object: APIObject) async throws(StatusError) {
        let typeMeta = object.typeMeta
        guard
            let resource = self.registry.table.resource(
                GroupVersionKind(apiVersion: typeMeta.apiVersion, kind: typeMeta.kind)
            ), let store = self.registry.store(resource.groupResource)
        else { return }
        var object = object
        ObjectRules.setDefaults(&object)
        do throws(StatusError) {
            _ = try await store.create(object, WriteContext())
        } catch {
            if error.reason != .alreadyExists { throw error }
        }
    }

    // MARK: - The Service

    private var serviceAddress: String {
        ServiceRange(self.configuration.serviceRange)?.first ?? "10.96.0.1"
    }

    private func ensureService() async throws(StatusError) {
        let address = self.serviceAddress
        try await self.ensure(
            APIObject(
                CoreV1.Service.with {
                    $0.metadata.name = "kubernetes"
                    $0.metadata.namespace = "default"
                    $0.metadata.labels = ["component": "apiserver", "provider": "kubernetes"]
                    $0.spec.clusterIP = address
                    $0.spec.clusterIPs.append(address)
                    $0.spec.type = "ClusterIP"
                    $0.spec.sessionAffinity = "None"
                    $0.spec.ipFamilies.append("IPv4")
                    $0.spec.ipFamilyPolicy = "SingleStack"
                    $0.spec.internalTrafficPolicy = "Cluster"
                    $0.spec.ports.append(
                        CoreV1.ServicePort.with {
                            $0.name = "https"
                            $0.protocol = "TCP"
                            $0.port = 443
                            $0.targetPort = .init(.int(Int32(self.advertisedPort)))
                        }
                    )
                }
            )
        )
    }

    private var advertisedPort: Int {
        self.configuration.advertisePort ?? self.port ?? 6443
    }

    /// The endpoints say where this server is now, whatever they said before.
    private func ensureEndpoints() async throws(StatusError) {
        let address = self.configuration.advertiseAddress
        let port = Int32(self.advertisedPort)
        let endpoints = CoreV1.Endpoints.with {
            $0.metadata.name = "kubernetes"
            $0.metadata.namespace = "default"
            $0.metadata.labels = ["endpointslice.kubernetes.io/skip-mirror": "true"]
            $0.subsets.append(
                CoreV1.EndpointSubset.with {
                    $0.addresses.append(CoreV1.EndpointAddress.with { $0.ip = address })
                    $0.ports.append(
                        CoreV1.EndpointPort.with {
                            $0.name = "https"
                            $0.port = port
                            $0.protocol = "TCP"
                        }
                    )
                }
            )
        }
        let slice = DiscoveryV1.EndpointSlice.with {
            $0.metadata.name = "kubernetes"
            $0.metadata.namespace = "default"
            $0.metadata.labels = ["kubernetes.io/service-name": "kubernetes"]
            $0.addressType = "IPv4"
            $0.endpoints.append(
                DiscoveryV1.Endpoint.with {
                    $0.addresses.append(address)
                    $0.conditions.ready = true
                }
            )
            $0.ports.append(
                DiscoveryV1.EndpointPort.with {
                    $0.name = "https"
                    $0.port = port
                    $0.protocol = "TCP"
                }
            )
        }
        try await self.write(APIObject(endpoints)) { (old: inout CoreV1.Endpoints) in
            old.subsets = endpoints.subsets
        }
        try await self.write(APIObject(slice)) { (old: inout DiscoveryV1.EndpointSlice) in
            old.endpoints = slice.endpoints
            old.ports = slice.ports
        }
    }

    /// Creates an object, or changes the one that is there.
    private func write<M: Message>(
        _ object: APIObject,
        _ change: @Sendable (inout M) -> Void
    ) async throws(StatusError) {
        try await self.ensure(object)
        let kind = GroupVersionKind(
            apiVersion: object.typeMeta.apiVersion,
            kind: object.typeMeta.kind
        )
        guard let resource = self.registry.table.resource(kind),
            let store = self.registry.store(resource.groupResource)
        else { return }
        _ = try await store.update(
            object.metadata.namespace,
            object.metadata.name,
            scope: .object,
            WriteContext()
        ) { (old) throws(StatusError) -> APIObject in
            var new = old ?? object
            new.change(M.self) { change(&$0) }
            return new
        }
    }
}

/// A range of IPv4 Service addresses.
struct ServiceRange: Sendable {
    /// The first address, as a number.
    let base: UInt32
    /// How many addresses there are.
    let count: UInt32

    /// Reads `10.96.0.0/12`.
    init?(_ text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let bits = Int(parts[1]), (8...30).contains(bits) else {
            return nil
        }
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false)
            .compactMap { UInt8($0) }
        guard bytes.count == 4 else { return nil }
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        self.count = UInt32(1) << UInt32(32 - bits)
        self.base = address & ~(self.count - 1)
    }

    /// The first address that a Service can have.
    var first: String { Self.text(self.base + 1) }

    static func text(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }
}
