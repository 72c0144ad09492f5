// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
package import Clocks
import Informers
import JSON
import KubernetesAPI
package import Logging
import ObjectModel
import Protobuf
package import RPCInterface
import ResourceClient
import Scalars
import Selectors
import Synchronization

/// Many simulated kubelets in one process: they register nodes, renew their leases, and report pods
/// as running that never were, to test and measure a cluster of thousands of nodes on one machine.
package struct HollowNodes: Sendable {
    package struct Configuration: Sendable {
        package var count = 1
        package var template = HollowNodeTemplate()
        package var delays = HollowNodesState.Delays()

        package init() {}
    }

    /// Writes that may be under way at once.
    static let maximumWrites = 1024
    /// How long a lease holds, in seconds; upstream's `nodeLeaseDurationSeconds`.
    static let leaseSeconds: Int32 = 40

    private let configuration: Configuration
    private let clock: any ComponentClock
    private let logger: Logger
    private let informers: InformerFactory
    private let writer: PipelinedWriter
    private let nodes: Client<CoreV1.Node>
    private let pods: Client<CoreV1.Pod>
    private let leases: Client<CoordinationV1.Lease>
    private let inbox: HollowInbox

    package init(
        _ configuration: Configuration,
        channel: any RPCChannel,
        clock: any ComponentClock = SystemClock(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.writer = PipelinedWriter(channel)
        self.nodes = Client(channel, fieldManager: "kubelet")
        self.pods = Client(channel, fieldManager: "kubelet")
        self.leases = Client(channel, fieldManager: "kubelet")
        self.informers = InformerFactory(channel, clock: clock) { resource, error in
            logger.warning(
                "Failed to watch",
                metadata: ["resource": "\(resource.plural)", "err": "\(error.message)"]
            )
        }
        let inbox = HollowInbox()
        self.inbox = inbox
        let bound = FieldSelector([FieldSelector.Term("spec.nodeName", "", isNegated: true)])
        self.informers.informer(of: CoreV1.Pod.self, scope: InformerScope(fields: bound))
            .addHandler { event in
                switch event {
                case .added(let pod), .updated(_, let pod): inbox.put(.pod(pod))
                case .deleted(let pod, _): inbox.put(.podGone(pod.metadata.uid))
                }
            }
    }

    /// Simulates until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.writer.run() }
            await self.register()
            group.addTask { await self.informers.run() }
            await self.simulate()
            group.cancelAll()
        }
    }

    // MARK: Nodes

    /// Registers all nodes, a few hundred at a time.
    private func register() async {
        let now = self.clock.now
        await withDiscardingTaskGroup { group in
            let limit = AsyncLimit(Self.maximumWrites)
            for number in 0..<self.configuration.count where !Task.isCancelled {
                await limit.enter()
                group.addTask {
                    await self.register(number, now)
                    limit.leave()
                }
            }
        }
    }

    private func register(_ number: Int, _ now: Timestamp) async {
        let node = self.configuration.template.node(number, now: now)
        while !Task.isCancelled {
            do throws(StatusError) {
                _ = try await self.writer.write(.create(self.nodes.createRequest(node)))
                return
            } catch {
                if error.reason == .alreadyExists {
                    await self.reportStatus(number)
                    return
                }
                self.logger.warning(
                    "Unable to register node with API server",
                    metadata: ["node": "\(node.metadata.name)", "err": "\(error.message)"]
                )
                await self.clock.sleep(for: HollowNodesState.retryDelay)
            }
        }
    }

    private func renewLease(_ number: Int) async {
        let name = self.configuration.template.name(number)
        let now = self.clock.now
        let patch: DynamicValue = [
            "spec": ["renewTime": DynamicValue(now.text(as: .microTime))]
        ]
        let request = self.leases.patchRequest(name, in: Self.leaseNamespace, .merge, patch)
        do throws(StatusError) {
            _ = try await self.writer.write(Self.brief(request))
        } catch {
            if error.isNotFound { await self.createLease(name, now) }
        }
    }

    private static let leaseNamespace = "kube-node-lease"

    private func createLease(_ name: String, _ now: Timestamp) async {
        guard let node = try? await self.nodes.get(name, resourceVersion: "0") else { return }
        let lease = CoordinationV1.Lease.with {
            $0.metadata.name = name
            $0.metadata.namespace = Self.leaseNamespace
            $0.metadata.ownerReferences.append(
                .with {
                    $0.apiVersion = "v1"
                    $0.kind = "Node"
                    $0.name = name
                    $0.uid = node.metadata.uid
                }
            )
            $0.spec.holderIdentity = name
            $0.spec.leaseDurationSeconds = Self.leaseSeconds
            $0.spec.renewTime = MetaV1.MicroTime(now)
        }
        // A failure is made up for at the next renewal.
        _ = try? await self.writer.write(.create(self.leases.createRequest(lease)))
    }

    private func reportStatus(_ number: Int) async {
        let template = self.configuration.template
        let conditions = CoreV1.NodeStatus.with {
            $0.conditions = template.conditions(now: self.clock.now)
        }
        guard let tree = try? DynamicValue(conditions), let list = tree["conditions"] else {
            return
        }
        let request = self.nodes.patchRequest(
            template.name(number),
            .strategic,
            ["status": ["conditions": list]],
            subresource: "status"
        )
        // A failure is made up for at the next report.
        _ = try? await self.writer.write(Self.brief(request))
    }

    // MARK: Pods

    private func simulate() async {
        var state = HollowNodesState(
            self.configuration.template,
            count: self.configuration.count,
            delays: self.configuration.delays
        )
        state.begin(now: self.clock.uptime)
        var writes = 0
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let now = self.clock.uptime
                for input in self.inbox.take() {
                    switch input {
                    case .pod(let pod): state.setPod(pod, now: now)
                    case .podGone(let uid): state.removePod(uid)
                    case .written(let failed):
                        writes -= 1
                        if let failed { state.failed(failed, now: now) }
                    }
                }
                let actions = state.due(now: now, limit: Self.maximumWrites - writes)
                writes += actions.count
                for action in actions {
                    group.addTask { self.inbox.put(.written(failed: await self.perform(action))) }
                }
                let deadline = writes < Self.maximumWrites ? state.nextDeadline : nil
                await self.inbox.wait(until: deadline, self.clock)
            }
            group.cancelAll()
        }
    }

    /// Does something; answers the uid of the pod for which it failed.
    private func perform(_ action: HollowNodesState.Action) async -> String? {
        switch action {
        case .run(let pod): return await self.start(pod)
        case .end(let pod):
            let status = self.configuration.template.endedStatus(of: pod, now: self.clock.now)
            return await self.write(status, pod)
        case .remove(let pod): return await self.remove(pod)
        case .renewLease(let number): await self.renewLease(number)
        case .reportStatus(let number): await self.reportStatus(number)
        }
        return nil
    }

    private func start(_ pod: CoreV1.Pod) async -> String? {
        let template = self.configuration.template
        let name = pod.spec.nodeName
        let number = Int(name.dropFirst(template.namePrefix.count)) ?? 0
        let status = template.runningStatus(
            of: pod,
            hostAddress: template.address(number),
            podAddress: self.inbox.nextPodAddress(),
            now: self.clock.now
        )
        return await self.write(status, pod)
    }

    private func write(_ status: CoreV1.PodStatus, _ pod: CoreV1.Pod) async -> String? {
        guard let tree = try? DynamicValue(status) else { return nil }
        let request = self.pods.patchRequest(
            pod.metadata.name,
            in: pod.metadata.namespace,
            .strategic,
            ["metadata": ["uid": DynamicValue(pod.metadata.uid)], "status": tree],
            subresource: "status"
        )
        return await self.write(Self.brief(request), pod)
    }

    private func remove(_ pod: CoreV1.Pod) async -> String? {
        let request = self.pods.deleteRequest(
            pod.metadata.name,
            in: pod.metadata.namespace,
            DeleteOptions(gracePeriodSeconds: 0, uid: pod.metadata.uid)
        )
        return await self.write(.delete(request), pod)
    }

    /// A patch whose answer says only that it is done: nothing is read from it.
    private static func brief(
        _ request: ApusResource.PatchRequest
    ) -> ApusResource.MutateRequest.OneOfOperation {
        var request = request
        request.options?.answer = ApusResource.Form.none
        return .patch(request)
    }

    private func write(
        _ operation: ApusResource.MutateRequest.OneOfOperation,
        _ pod: CoreV1.Pod
    ) async -> String? {
        do throws(StatusError) {
            _ = try await self.writer.write(operation)
            return nil
        } catch {
            // A pod that is gone, or another by now, needs nothing more.
            return error.isNotFound || error.isConflict ? nil : pod.metadata.uid
        }
    }
}
