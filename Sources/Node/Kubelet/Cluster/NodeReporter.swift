// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Logging
import NodeAPI
import NodeHost
import ObjectModel
import PodLifecycle
import Protobuf
import ResourceClient
import Scalars
import Synchronization

/// Registers the node with the API server, keeps its status true, and renews its lease.
///
/// Source: upstream `pkg/kubelet/kubelet_node_status.go`, `pkg/kubelet/nodestatus`.
final class NodeReporter: Sendable {
    private static let leaseNamespace = "kube-node-lease"
    /// The most images that a status lists.
    private static let imageLimit = 50

    private let cluster: APICluster
    private let settings: KubeletSettings
    private let capacity: NodeCapacity
    private let client: RuntimeClient
    private let runtimeVersion: String
    private let host: HostFacts
    private let health: NodeHealth
    private let localVolumes: LocalVolumes?
    private let onAddressChange: @Sendable () -> Void
    private let logger: Logger
    private let node = Mutex<CoreV1.Node?>(nil)
    private let nudge = Wakeup()

    init(
        cluster: APICluster,
        settings: KubeletSettings,
        capacity: NodeCapacity,
        client: RuntimeClient,
        runtimeVersion: String,
        host: HostFacts,
        health: NodeHealth,
        localVolumes: LocalVolumes?,
        onAddressChange: @escaping @Sendable () -> Void,
        logger: Logger
    ) {
        self.cluster = cluster
        self.settings = settings
        self.capacity = capacity
        self.client = client
        self.runtimeVersion = runtimeVersion
        self.host = host
        self.health = health
        self.localVolumes = localVolumes
        self.onAddressChange = onAddressChange
        self.logger = logger
    }

    private var nodes: Client<CoreV1.Node> { Client(self.cluster.channel) }
    private var leases: Client<CoordinationV1.Lease> { Client(self.cluster.channel) }

    /// The node as the API server has it; nil before it is registered.
    var registered: CoreV1.Node? { self.node.withLock { $0 } }

    /// A condition may have changed: the status is looked at soon.
    func wake() { self.nudge.wake() }

    /// Reports until the task is cancelled.
    func run() async {
        await self.register()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.renewLease() }
            group.addTask { await self.report() }
        }
    }

    // MARK: - Registration

    private func register() async {
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            do throws(StatusError) {
                let wanted = await self.initialNode()
                do throws(StatusError) {
                    let made =
                        self.settings.registersNode
                        ? try await self.nodes.create(wanted)
                        : try await self.nodes.get(wanted.metadata.name)
                    self.node.withLock { $0 = made }
                    self.localVolumes?.announced(made.status.volumesInUse)
                    self.cluster.events.record(
                        node: self.settings.nodeName,
                        isWarning: false,
                        reason: "Starting",
                        message: "Starting kubelet."
                    )
                } catch {
                    guard error.isAlreadyExists else { throw error }
                    var there = try await self.nodes.get(wanted.metadata.name)
                    if Self.reconcile(&there, wanted) { there = try await self.nodes.update(there) }
                    self.node.withLock { [there] node in node = there }
                    self.localVolumes?.announced(there.status.volumesInUse)
                }
                return
            } catch {
                if pause == .milliseconds(100) {
                    self.logger.warning(
                        "the node cannot be registered",
                        metadata: ["error": "\(error.message)"]
                    )
                }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(7))
            }
        }
    }

    /// Labels that belong to the kubelet are set again on a node that was there.
    private static func reconcile(_ node: inout CoreV1.Node, _ wanted: CoreV1.Node) -> Bool {
        let before = node.metadata.labels
        for (key, value) in wanted.metadata.labels { node.metadata.labels[key] = value }
        return node.metadata.labels != before
    }

    private func initialNode() async -> CoreV1.Node {
        var node = CoreV1.Node()
        node.metadata.name = self.settings.nodeName
        node.metadata.labels = [
            "kubernetes.io/hostname": self.settings.nodeName,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": HostInfo.architecture,
            "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/arch": HostInfo.architecture,
        ]
        for (key, value) in self.settings.nodeLabels { node.metadata.labels[key] = value }
        node.metadata.annotations["volumes.kubernetes.io/controller-managed-attach-detach"] = "true"
        node.spec.unschedulable = self.settings.unschedulable
        node.spec.providerID = self.settings.providerID
        for text in self.settings.nodeTaints {
            if let taint = Self.taint(text) { node.spec.taints.append(taint) }
        }
        node.status = await self.status(of: node)
        return node
    }

    /// `key=value:effect` or `key:effect`.
    static func taint(_ text: String) -> CoreV1.Taint? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let parts = text[..<colon].split(separator: "=", maxSplits: 1).map(String.init)
        guard let key = parts.first else { return nil }
        return CoreV1.Taint.with {
            $0.key = key
            $0.value = parts.count > 1 ? parts[1] : ""
            $0.effect = String(text[text.index(after: colon)...])
        }
    }

    // MARK: - Status

    private func report() async {
        var lastWrite: ContinuousClock.Instant?
        var lastRead = ContinuousClock.now
        while !Task.isCancelled {
            await self.health.check()
            if await HostThreads.run({ [host] in host.nodeAddresses.refresh() }) {
                self.logger.notice(
                    "the node has another address",
                    metadata: ["addresses": "\(self.host.addresses)"]
                )
                self.onAddressChange()
            }
            let isDue =
                lastWrite.map { .now - $0 >= self.settings.nodeStatusReportFrequency } ?? true
            do throws(StatusError) {
                if .now - lastRead >= self.settings.nodeStatusUpdateFrequency {
                    lastRead = .now
                    try await self.read()
                }
                if try await self.write(isDue: isDue) { lastWrite = .now }
            } catch {
                self.logger.warning(
                    "the node's status cannot be written",
                    metadata: ["error": "\(error.message)"]
                )
            }
            // What is not ready yet is looked at more often.
            let pause: Duration =
                self.health.isReady ? self.settings.nodeStatusUpdateFrequency : .milliseconds(500)
            await self.nudge.wait(for: pause)
        }
    }

    /// Learns what others have written: who had not heard of this node for a while has said in its
    /// conditions that it is lost.
    private func read() async throws(StatusError) {
        guard let known = self.registered else { return }
        do throws(StatusError) {
            let node = try await self.nodes.get(known.metadata.name)
            self.node.withLock { $0 = node }
        } catch {
            // Somebody deleted it; what there is to be written says so.
            guard error.isNotFound else { throw error }
        }
    }

    /// Writes the status when it is another than the API server's or it is time.
    private func write(isDue: Bool) async throws(StatusError) -> Bool {
        guard var node = self.registered else { return false }
        for _ in 0..<3 {
            let status = await self.status(of: node)
            if !isDue, Self.isSame(status, node.status) { return false }
            node.status = status
            do throws(StatusError) {
                let written = try await self.nodes.updateStatus(node)
                self.node.withLock { $0 = written }
                self.localVolumes?.announced(written.status.volumesInUse)
                return true
            } catch {
                guard error.isConflict || error.isNotFound else { throw error }
                if error.isNotFound {
                    // Somebody deleted the node; it is still here.
                    await self.register()
                    return true
                }
                node = try await self.nodes.get(self.settings.nodeName)
                self.node.withLock { [node] in $0 = node }
            }
        }
        return false
    }

    /// Whether two statuses differ in heartbeat times alone.
    private static func isSame(_ left: CoreV1.NodeStatus, _ right: CoreV1.NodeStatus) -> Bool {
        var left = left
        var right = right
        for index in left.conditions.indices { left.conditions[index].lastHeartbeatTime = .init() }
        for index in right.conditions.indices {
            right.conditions[index].lastHeartbeatTime = .init()
        }
        return left == right
    }

    private func status(of node: CoreV1.Node) async -> CoreV1.NodeStatus {
        var status = node.status
        status.capacity = NodeCapacity.list(self.capacity.capacity)
        status.allocatable = NodeCapacity.list(self.capacity.allocatable)
        status.addresses = RepeatedField(
            self.host.addresses.map { address in
                CoreV1.NodeAddress.with {
                    $0.type = "InternalIP"
                    $0.address = address
                }
            } + [
                CoreV1.NodeAddress.with {
                    $0.type = "Hostname"
                    $0.address = self.settings.nodeName
                }
            ]
        )
        status.daemonEndpoints.kubeletEndpoint.port = Int32(clamping: self.settings.port)
        status.nodeInfo = CoreV1.NodeSystemInfo.with {
            $0.machineID = HostInfo.machineID
            $0.systemUUID = HostInfo.systemUUID
            $0.bootID = HostInfo.bootID
            $0.kernelVersion = HostInfo.kernelVersion
            $0.osImage = HostInfo.operatingSystemImage
            $0.containerRuntimeVersion = self.runtimeVersion
            $0.kubeletVersion = self.settings.version
            $0.operatingSystem = "linux"
            $0.architecture = HostInfo.architecture
        }
        status.images = await self.images()
        status.volumesInUse = RepeatedField(self.localVolumes?.inUse ?? [])
        status.conditions = self.health.conditions(
            before: Array(node.status.conditions),
            now: WallClock.timestamp
        )
        return status
    }

    private func images() async -> RepeatedField<CoreV1.ContainerImage> {
        guard let list = try? await self.client.images.listImages(.init()).images else { return [] }
        let sorted = list.sorted {
            $0.size == $1.size ? $0.id < $1.id : $0.size > $1.size
        }
        return RepeatedField(
            sorted.prefix(Self.imageLimit).map { image in
                CoreV1.ContainerImage.with {
                    $0.names = RepeatedField(
                        Array((Array(image.repoDigests) + Array(image.repoTags)).prefix(5))
                    )
                    $0.sizeBytes = Int64(clamping: image.size)
                }
            }
        )
    }

    // MARK: - Lease

    private func renewLease() async {
        var lease: CoordinationV1.Lease?
        let interval = self.settings.leaseDuration / 4
        while !Task.isCancelled {
            let now = MetaV1.MicroTime(WallClock.timestamp)
            do throws(StatusError) {
                if var known = lease {
                    known.spec.renewTime = now
                    lease = try await self.leases.update(known)
                } else {
                    lease = try await self.makeLease(now)
                }
                try? await Task.sleep(for: interval)
            } catch {
                lease = nil
                if !error.isConflict {
                    self.logger.warning(
                        "the node's lease cannot be renewed",
                        metadata: ["error": "\(error.message)"]
                    )
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    private func makeLease(
        _ now: MetaV1.MicroTime
    ) async throws(StatusError) -> CoordinationV1.Lease {
        do throws(StatusError) {
            var lease = try await self.leases.get(self.settings.nodeName, in: Self.leaseNamespace)
            lease.spec.renewTime = now
            lease.spec.holderIdentity = self.settings.nodeName
            lease.spec.leaseDurationSeconds = Int32(self.settings.leaseDuration.components.seconds)
            return try await self.leases.update(lease)
        } catch {
            guard error.isNotFound else { throw error }
        }
        let node = self.registered
        return try await self.leases.create(
            CoordinationV1.Lease.with {
                $0.metadata.name = self.settings.nodeName
                $0.metadata.namespace = Self.leaseNamespace
                $0.metadata.ownerReferences = [
                    MetaV1.OwnerReference.with {
                        $0.apiVersion = "v1"
                        $0.kind = "Node"
                        $0.name = self.settings.nodeName
                        $0.uid = node?.metadata.uid ?? ""
                    }
                ]
                $0.spec.holderIdentity = self.settings.nodeName
                $0.spec.leaseDurationSeconds = Int32(
                    self.settings.leaseDuration.components.seconds
                )
                $0.spec.renewTime = now
            }
        )
    }
}
