// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KeyValueStore
import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import ResourceTable
import Scalars
import Tasks
import WatchCache

/// Makes what exists in every cluster: namespaces, the `kubernetes` Service with its endpoints,
/// priority classes, flow schemas.
///
/// Source: fact table `bootstrap_rbac.json`; upstream `pkg/controlplane`.
struct Bootstrap: Sendable {
    let registry: Registry
    let configuration: APIServer.Configuration
    let port: Int?
    let access: AccessParts
    let gate: StartGate

    /// How long it waits after a failure before it tries again.
    private static let pause: Duration = .milliseconds(200)

    /// Makes what is missing; tries until it is there or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(StatusError) {
                try await self.ensureAll()
                return
            } catch {
                self.configuration.log("bootstrap: \(error.message)")
                // What the store has of roles is known all the same.
                if self.registry.shared.isReady { self.gate.open() }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func ensureAll() async throws(StatusError) {
        try await self.ensure(
            ["kube-system", "default", "kube-public", "kube-node-lease"].map { name in
                APIObject(CoreV1.Namespace.with { $0.metadata.name = name })
            }
        )
        try await Self.forEach(Part.allCases) { (part) throws(StatusError) in
            try await self.ensure(part)
        }
    }

    /// What is made once the namespaces are there.
    private enum Part: CaseIterable {
        case access, service, priorityClasses, flowControl, storageClass, apiServices
        case clientAuthority
    }

    private func ensure(_ part: Part) async throws(StatusError) {
        switch part {
        case .access:
            if let prepare = self.access.prepare, let failure = await prepare() { throw failure }
            try await self.openGate()
        case .service:
            try await self.ensureServiceRange()
            try await self.ensureService()
            try await self.ensureEndpoints()
        case .priorityClasses: try await self.ensure(Self.priorityClasses)
        case .flowControl: try await self.ensureFlowControl()
        case .storageClass: try await self.ensureStorageClass()
        case .apiServices: try await self.ensureAPIServices()
        case .clientAuthority: try await self.ensureClientAuthority()
        }
    }

    /// Does something with each of several things at once, so that the store commits together what
    /// comes of it.
    static func forEach<Item: Sendable>(
        _ items: [Item],
        _ body: @escaping @Sendable (Item) async throws(StatusError) -> Void
    ) async throws(StatusError) {
        if let failure = await items.failuresOfEach(body).first { throw failure }
    }

    private static var priorityClasses: [APIObject] {
        [
            ("system-node-critical", Int32(2_000_001_000)),
            ("system-cluster-critical", Int32(2_000_000_000)),
        ].map { name, value in
            APIObject(
                SchedulingV1.PriorityClass.with {
                    $0.metadata.name = name
                    $0.value = value
                    $0.description_ = Self.priorityTexts[name] ?? ""
                    $0.preemptionPolicy = "PreemptLowerPriority"
                }
            )
        }
    }

    /// Lets requests in once the caches have the roles that have just been made.
    private func openGate() async throws(StatusError) {
        let shared = self.registry.shared
        let revision: Int64
        do throws(StoreError) {
            revision = try await shared.currentRevision()
        } catch {
            throw .serviceUnavailable("\(error)")
        }
        guard await shared.waitUntilApplied(revision, timeout: StartGate.patience) else {
            throw .serviceUnavailable("the cache is behind")
        }
        self.gate.open()
    }

    private static let priorityTexts = [
        "system-node-critical":
            "Used for system critical pods that must not be moved from their current node.",
        "system-cluster-critical":
            "Used for system critical pods that must run in the cluster, but can be moved to "
            + "another node if necessary.",
    ]

    /// Creates objects unless there are some of their names.
    func ensure(_ objects: [APIObject]) async throws(StatusError) {
        try await Self.forEach(objects) { (object) throws(StatusError) in
            try await self.ensure(object)
        }
    }

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
            // Asked first: creating a Service takes its address before it finds that there is one.
            _ = try await store.get(object.metadata.namespace, object.metadata.name)
            return
        } catch {
            if error.reason != .notFound { throw error }
        }
        do throws(StatusError) {
            _ = try await store.create(object, WriteContext())
        } catch {
            if error.reason != .alreadyExists { throw error }
        }
    }

    // MARK: - The Service

    /// The object of the range that Services have their addresses from.
    private func ensureServiceRange() async throws(StatusError) {
        let ranges = self.configuration.serviceRanges.map(\.text)
        let object = NetworkingV1.ServiceCIDR.with {
            $0.metadata.name = "kubernetes"
            for range in ranges { $0.spec.cidrs.append(range) }
        }
        try await self.write(APIObject(object)) { (old: inout NetworkingV1.ServiceCIDR) in
            // A cluster may get a second family; what else it has been given stays.
            if ranges.count == 2, old.spec.cidrs.count == 1, old.spec.cidrs[0] == ranges[0] {
                old.spec.cidrs.append(ranges[1])
            }
        }
        guard
            let store = self.registry.store(
                GroupResource(group: "networking.k8s.io", resource: "servicecidrs")
            )
        else { return }
        _ = try await store.update("", "kubernetes", scope: .status, WriteContext()) {
            (old) throws(StatusError) -> APIObject in
            guard var object = old?.message(as: NetworkingV1.ServiceCIDR.self) else {
                throw .internalError("the range of Services is gone")
            }
            if !object.status.conditions.contains(where: { $0.type == "Ready" }) {
                object.status.conditions.append(
                    MetaV1.Condition.with {
                        $0.type = "Ready"
                        $0.status = "True"
                        $0.lastTransitionTime = MetaV1.Time(.current())
                        $0.message = "Kubernetes default Service CIDR is ready"
                    }
                )
            }
            return APIObject(object)
        }
    }

    private var serviceAddress: String {
        self.configuration.serviceRanges[0].first
    }

    private func ensureService() async throws(StatusError) {
        let address = self.serviceAddress
        let family = self.configuration.serviceRanges[0].family
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
                    $0.spec.ipFamilies.append(family)
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
        // No pod could reach it there, and endpoints may not lie in the loopback range.
        if address.hasPrefix("127.") || address == "::1" { return }
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
            $0.addressType = address.contains(":") ? "IPv6" : "IPv4"
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
    func write<M: Message>(
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
