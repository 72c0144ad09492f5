// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Informers
import KubernetesAPI
public import Logging
public import NFTables
import Protobuf
public import RPCInterface
import ResourceClient
public import ServiceRules
import Synchronization

/// Brings Services into the kernel of a node, and its pods onto the network.
///
/// Handlers of the informers note which Services have changed; one task computes their rules anew and
/// gives the kernel the differences, all that have come together in one transaction. It sleeps when
/// nothing changes. When the kernel refuses a change, what it had stays and works; the whole table
/// is given to it again after a pause that grows.
public final class KubeProxy: Sendable {
    public struct Configuration: Sendable {
        public var nodeName: String
        /// The range of all pods; empty when it is not known.
        public var clusterRange = ""
        /// The folder that the CNI configuration is written to; nil to leave it alone.
        public var networkDirectory: String?
        /// Where the addresses of pods are kept.
        public var networkData = "/var/lib/cni/networks"
        public var bridge = "apus0"
        public var families: [AddressFamily] = AddressFamily.allCases

        public init(nodeName: String) {
            self.nodeName = nodeName
        }
    }

    private let configuration: Configuration
    private let channel: any RPCChannel
    private let logger: Logger
    private let pending = Mutex(Pending())
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    /// Nanoseconds of the monotonic clock when the kernel last had all there was; for health.
    private let syncedAt = Atomic<Int64>(0)

    private struct Pending {
        /// `namespace/name` of Services.
        var services: Set<String> = []
        var isWhole = true
        var node: CoreV1.Node?
        var nodeChanged = false
    }

    public init(_ configuration: Configuration, channel: any RPCChannel, logger: Logger) {
        self.configuration = configuration
        self.channel = channel
        self.logger = logger
        (self.wake, self.waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether the rules have been in the kernel at least once.
    public var hasSynced: Bool { self.syncedAt.load(ordering: .relaxed) != 0 }

    /// Removes everything that this type ever puts into the kernel.
    public static func cleanUp() throws(NFTables.Failure) {
        let kernel = try NFTables()
        for family in AddressFamily.allCases { try kernel.run(RuleTable.removal(family)) }
    }

    /// Runs until the task is cancelled; the rules stay, so that traffic goes on meanwhile.
    public func run() async throws {
        let factory = InformerFactory(self.channel) { [logger] resource, error in
            logger.warning(
                "Failed to watch",
                metadata: ["resource": "\(resource)", "err": "\(error)"]
            )
        }
        let services = factory.informer(of: CoreV1.Service.self)
        let slices = factory.informer(of: DiscoveryV1.EndpointSlice.self)
        let nodes = factory.informer(of: CoreV1.Node.self)
        slices.addIndex("service") { slice in
            [Self.serviceName(of: slice)].compactMap(\.self)
        }
        services.addHandler { self.note($0.object.objectKey.description) }
        slices.addHandler { event in
            if let name = Self.serviceName(of: event.object) { self.note(name) }
        }
        nodes.addHandler { event in
            guard event.object.metadata.name == self.configuration.nodeName else { return }
            self.note(event.object)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await factory.run() }
            group.addTask {
                await factory.waitForSync()
                try await self.sync(services, slices)
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// The Service of a slice, as `namespace/name`.
    private static func serviceName(of slice: DiscoveryV1.EndpointSlice) -> String? {
        guard let name = slice.metadata.labels["kubernetes.io/service-name"], !name.isEmpty else {
            return nil
        }
        return "\(slice.metadata.namespace)/\(name)"
    }

    private func note(_ service: String) {
        self.pending.withLock { _ = $0.services.insert(service) }
        self.waker.yield()
    }

    private func note(_ node: CoreV1.Node) {
        let isNews = self.pending.withLock { pending in
            let old = pending.node
            pending.node = node
            let isNews =
                old?.spec.podCIDRs != node.spec.podCIDRs
                || old?.metadata.labels[Self.zoneLabel] != node.metadata.labels[Self.zoneLabel]
            pending.nodeChanged = pending.nodeChanged || isNews
            return isNews
        }
        if isNews { self.waker.yield() }
    }

    private static let zoneLabel = "topology.kubernetes.io/zone"
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(30)
}

// MARK: - The kernel

extension KubeProxy {
    private func sync(
        _ services: Informer<CoreV1.Service>,
        _ slices: Informer<DiscoveryV1.EndpointSlice>
    ) async throws {
        let kernel = try NFTables()
        var tables = self.configuration.families.map { family in
            RuleTable(family, podRange: self.clusterRange(family))
        }
        var zone = ""
        var pause = Self.firstPause
        self.waker.yield()
        for await _ in self.wake {
            var pending = self.pending.withLock { pending in
                defer {
                    pending.services = []
                    pending.isWhole = false
                    pending.nodeChanged = false
                }
                return pending
            }
            if pending.nodeChanged, let node = pending.node {
                self.writeNetwork(node)
                let newZone = node.metadata.labels[Self.zoneLabel] ?? ""
                // Another zone means other endpoints for every Service.
                pending.isWhole = pending.isWhole || newZone != zone
                zone = newZone
            }
            let names =
                pending.isWhole
                ? Set(services.list().map(\.objectKey.description)).union(
                    tables.flatMap(\.fragments.keys)
                )
                : pending.services
            var script = ""
            for index in tables.indices {
                let context = RuleContext(
                    family: tables[index].family,
                    clusterRange: self.clusterRange(tables[index].family),
                    zone: zone
                )
                for name in names.sorted() {
                    script += tables[index].replace(
                        name,
                        by: self.fragment(name, services, slices, context)
                    )
                }
            }
            if pending.isWhole { script = tables.map(\.script).joined() }
            guard !script.isEmpty else { continue }
            do throws(NFTables.Failure) {
                try kernel.run(script)
                self.syncedAt.store(1, ordering: .relaxed)
                pause = Self.firstPause
            } catch {
                self.logger.error(
                    "Failed to change the rules",
                    metadata: ["err": "\(error.message)"]
                )
                // The kernel has what it had before; it gets all of it next time.
                self.pending.withLock { $0.isWhole = true }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
                self.waker.yield()
            }
        }
    }

    private func fragment(
        _ name: String,
        _ services: Informer<CoreV1.Service>,
        _ slices: Informer<DiscoveryV1.EndpointSlice>,
        _ context: RuleContext
    ) -> RuleFragment? {
        let parts = name.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let service = services.get(String(parts[1]), in: String(parts[0])),
            let view = ServiceView(
                service,
                slices.list(index: "service", name),
                context.family,
                nodeName: self.configuration.nodeName
            )
        else { return nil }
        return RuleFragment(view, context)
    }

    /// The part of the cluster's range that is of a family.
    private func clusterRange(_ family: AddressFamily) -> String {
        self.configuration.clusterRange.split(separator: ",").map(String.init)
            .first { $0.utf8.contains(UInt8(ascii: ":")) == (family == .ipv6) } ?? ""
    }
}

// MARK: - The pod network

extension KubeProxy {
    /// Writes the CNI configuration, which makes the runtime's network ready.
    private func writeNetwork(_ node: CoreV1.Node) {
        guard let folder = self.configuration.networkDirectory else { return }
        var ranges = Array(node.spec.podCIDRs)
        if ranges.isEmpty, !node.spec.podCIDR.isEmpty { ranges = [node.spec.podCIDR] }
        ranges = ranges.filter { range in
            AddressFamily.allCases.contains { $0.accepts(range: range) }
        }
        guard !ranges.isEmpty else { return }
        let network = PodNetworkConfiguration(
            ranges: ranges,
            bridge: self.configuration.bridge,
            dataDirectory: self.configuration.networkData
        )
        let path = "\(folder)/10-apus.conflist"
        let temporary = "\(path).tmp"
        let bytes = Array(network.json.utf8)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        let isWritten =
            descriptor >= 0
            && bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
        if descriptor >= 0 { close(descriptor) }
        guard isWritten, rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            self.logger.error(
                "Failed to write the network",
                metadata: ["path": "\(path)", "err": "\(reason)"]
            )
            return
        }
        self.logger.info("Wrote the pod network", metadata: ["ranges": "\(ranges)"])
    }
}
