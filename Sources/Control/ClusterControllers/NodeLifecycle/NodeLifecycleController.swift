// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
package import ControllerKit
import EventRecording
import Informers
import KubernetesAPI
import Metrics
import ObjectModel
import Protobuf
import ResourceClient
import Scalars
import Synchronization
import WorkQueues

/// Notices silent nodes, and taints nodes so that pods stay away or leave.
///
/// Watches: nodes, their Leases, pods. Writes: nodes' conditions and taints, pods' Ready condition.
/// Promises: a node counts as silent after its grace period by this process' own clock; a heartbeat
/// costs no more than a note of its time.
package final class NodeLifecycleController: Controller {
    package static let name = "node-lifecycle-controller"

    private struct Seen {
        var heartbeat: String
        var at: Duration
    }

    private let context: ControllerContext
    private let loop: ReconcileLoop<String>
    private let nodes: Informer<CoreV1.Node>
    private let leases: Informer<CoordinationV1.Lease>
    private let pods: Informer<CoreV1.Pod>
    private let client: Client<CoreV1.Node>
    private let podClient: Client<CoreV1.Pod>
    private let grace: Duration
    private let startupGrace: Duration
    private let seen = Mutex<[String: Seen]>([:])
    private let gate = Mutex(EvictionGate())
    private let pass = Mutex(Pass())

    /// Looks at nodes from when there was none to look at until there is none again: what upstream,
    /// which looks at all nodes every few seconds, measures.
    private struct Pass {
        var since: Duration?
        var running = 0
    }

    package convenience init(_ context: ControllerContext) {
        self.init(context, grace: .seconds(50), startupGrace: .seconds(60))
    }

    /// - Parameters:
    ///   - grace: how long a node may be silent.
    ///   - startupGrace: the same for a node that never said anything.
    package init(_ context: ControllerContext, grace: Duration, startupGrace: Duration) {
        self.context = context
        self.loop = ReconcileLoop(Self.name, context)
        self.nodes = context.informer(of: CoreV1.Node.self)
        self.leases = context.informers.informer(
            of: CoordinationV1.Lease.self,
            scope: InformerScope(namespace: "kube-node-lease")
        )
        self.pods = context.informer(of: CoreV1.Pod.self)
        self.pods.addIndex("node") { $0.spec.nodeName.isEmpty ? [] : [$0.spec.nodeName] }
        self.client = context.client()
        self.podClient = context.client()
        self.grace = grace
        self.startupGrace = startupGrace
        self.count()
        let queue = self.loop.queue
        self.nodes.addHandler { [weak self] event in self?.take(event, queue) }
        self.leases.addHandler { [weak self] event in
            guard let self, !self.isDeletion(event) else { return }
            let lease = event.object
            let time = lease.spec.renewTime?.timestamp?.text(as: .microTime) ?? ""
            // A heartbeat is noted; work follows only when a node was silent.
            if self.note(lease.metadata.name, "lease \(time)"),
                self.nodes.get(lease.metadata.name)?.readyStatus == "Unknown"
            {
                queue.add(lease.metadata.name)
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 8) {
            await self.nodes.waitForSync()
            await self.leases.waitForSync()
            await self.pods.waitForSync()
        } _: { name in
            self.beginLook()
            defer { self.endLook() }
            try await self.reconcile(name)
        }
    }

    private func beginLook() {
        let now = self.context.clock.uptime
        self.pass.withLock { pass in
            pass.running += 1
            if pass.since == nil { pass.since = now }
        }
    }

    private func endLook() {
        let isLast = self.loop.queue.count == 0
        let began = self.pass.withLock { pass -> Duration? in
            pass.running -= 1
            guard isLast, pass.running == 0 else { return nil }
            defer { pass.since = nil }
            return pass.since
        }
        guard let began else { return }
        self.context.counts?.allNodesHealth.observe(self.context.clock.uptime - began)
    }

    private func isDeletion<Object: Message>(_ event: InformerEvent<Object>) -> Bool {
        if case .deleted = event { return true }
        return false
    }

    private func take(_ event: InformerEvent<CoreV1.Node>, _ queue: WorkQueue<String>) {
        let node = event.object
        let name = node.metadata.name
        switch event {
        case .added:
            self.tell(node, "RegisteredNode", "Registered Node \(name) in Controller")
        case .deleted:
            self.seen.withLock { $0[name] = nil }
            self.tell(node, "RemovingNode", "Removing Node \(name) from Controller")
            return
        case .updated: break
        }
        let ready = node.status.conditions.first { $0.type == "Ready" }
        if let time = ready?.lastHeartbeatTime.timestamp, ready?.status != "Unknown" {
            _ = self.note(name, "status \(time.text(as: .time)) \(ready?.status ?? "")")
        } else if case .added = event {
            _ = self.note(name, "registered")
        }
        queue.add(name)
    }

    private func tell(_ node: CoreV1.Node, _ reason: String, _ text: String) {
        self.context.recorder.record(
            .normal,
            reason,
            "Node \(node.metadata.name) event: \(text)",
            about: node
        )
    }

    /// Notes a sign of life.
    ///
    /// - Returns: whether it is a new one.
    private func note(_ node: String, _ heartbeat: String) -> Bool {
        let now = self.context.clock.uptime
        return self.seen.withLock { seen in
            if seen[node]?.heartbeat == heartbeat { return false }
            seen[node] = Seen(heartbeat: heartbeat, at: now)
            return true
        }
    }

    // MARK: Work

    private func reconcile(_ name: String) async throws(StatusError) {
        guard var node = self.nodes.get(name) else { return }
        let queue = self.loop.queue
        let isNew = node.status.conditions.isEmpty
        let grace = isNew ? self.startupGrace : self.grace
        let uptime = self.context.clock.uptime
        let lastSeen = self.seen.withLock { $0[name]?.at } ?? uptime
        let silence = uptime - lastSeen
        let now = self.context.clock.now
        if silence >= grace {
            if let conditions = NodeHealth.silentConditions(node, now: now) {
                let wasReady = node.readyStatus == "True"
                node.status.conditions = RepeatedField(conditions)
                node = try await self.client.updateStatus(node)
                if wasReady { self.tellNotReady(node) }
            }
        } else {
            queue.add(name, after: grace - silence)
        }
        try await self.taint(node, now)
        self.context.counts?.nodeHealth.observe(self.context.clock.uptime - uptime)
        if node.readyStatus != "True" && !isNew { try await self.markPods(of: node, now) }
    }

    private func tellNotReady(_ node: CoreV1.Node) {
        self.context.recorder.record(
            .normal,
            "NodeNotReady",
            "Node \(node.metadata.name) status is now: NodeNotReady",
            about: node
        )
    }

    private func taint(_ node: CoreV1.Node, _ now: Timestamp) async throws(StatusError) {
        var mayEvict = true
        if let key = NodeHealth.evictionTaint(node),
            !node.spec.taints.contains(where: { $0.key == key && $0.effect == "NoExecute" })
        {
            let rate = self.evictionRate(of: node)
            let uptime = self.context.clock.uptime
            let verdict = self.gate.withLock {
                $0.admit(node.failureZone, rate: rate, uptime: uptime)
            }
            mayEvict = verdict.isAdmitted
            if mayEvict { self.context.counts?.evictions.with(node.failureZone).increment() }
            if !mayEvict { self.loop.queue.add(node.metadata.name, after: verdict.retryAfter) }
        }
        let taints = NodeHealth.taints(node, mayEvict: mayEvict, now: now)
        guard taints != Array(node.spec.taints) else { return }
        var node = node
        node.spec.taints = RepeatedField(taints)
        do throws(StatusError) {
            _ = try await self.client.update(node)
        } catch {
            if error.isNotFound { return }
            throw error
        }
    }

    private func evictionRate(of node: CoreV1.Node) -> Double {
        let zones = Self.zones(self.nodes)
        let areAllDown = zones.values.allSatisfy { $0.ready == 0 }
        return EvictionGate.rate(
            of: zones[node.failureZone] ?? EvictionGate.Zone(),
            // One node alone that fails is a failure, not a partition.
            areAllDown: areAllDown && self.nodes.count > 1,
            self.context.options
        )
    }

    private static func zones(_ nodes: Informer<CoreV1.Node>) -> [String: EvictionGate.Zone] {
        var zones: [String: EvictionGate.Zone] = [:]
        for node in nodes.list() {
            if node.readyStatus == "True" {
                zones[node.failureZone, default: EvictionGate.Zone()].ready += 1
            } else {
                zones[node.failureZone, default: EvictionGate.Zone()].notReady += 1
            }
        }
        return zones
    }

    /// Has the zones read when metrics are asked for.
    private func count() {
        guard let counts = self.context.counts else { return }
        let nodes = self.nodes
        counts.zones.read(by: { [weak nodes] in
            guard let nodes else { return [] }
            return Self.zones(nodes).sorted { $0.key < $1.key }.map { name, zone in
                NodeZoneReading(zone: name, size: zone.total, notReady: zone.notReady)
            }
        })
    }

    /// Pods of a node that is not ready are not ready either.
    private func markPods(of node: CoreV1.Node, _ now: Timestamp) async throws(StatusError) {
        for pod in self.pods.list(index: "node", node.metadata.name) where pod.isReady {
            var pod = pod
            guard let index = pod.status.conditions.firstIndex(where: { $0.type == "Ready" }) else {
                continue
            }
            pod.status.conditions[index].status = "False"
            pod.status.conditions[index].lastTransitionTime = MetaV1.Time(now)
            do throws(StatusError) {
                _ = try await self.podClient.updateStatus(pod)
                self.context.recorder.record(
                    .warning,
                    "NodeNotReady",
                    "Node is not ready",
                    about: pod
                )
            } catch {
                if error.isNotFound { continue }
                throw error
            }
        }
    }
}
