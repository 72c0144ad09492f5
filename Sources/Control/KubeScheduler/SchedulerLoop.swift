// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import KubernetesAPI
import Metrics
import Protobuf
import Scheduler
import Selectors

/// The one task that owns the scheduler's core: it feeds events in and hands decisions out.
struct SchedulerLoop {
    /// Bindings that may be under way; more wait for answers.
    static let maximumBindings = 2048
    /// Decisions after which events are looked at again.
    static let decisionsPerTurn = 64

    private let core: SchedulerCore
    private let inbox: SchedulerInbox
    private let writer: SchedulerWriter
    private let metrics: SchedulerMetrics
    private let clock: any ComponentClock
    private var isLeading = false
    private var bindings = 0
    /// What of the queue's counts is in the metrics already.
    private var reportedIncoming: [PodQueue.Incoming: UInt64] = [:]
    private var reportedRefusals: Set<[String]> = []

    init(
        _ core: SchedulerCore,
        inbox: SchedulerInbox,
        writer: SchedulerWriter,
        metrics: SchedulerMetrics,
        clock: any ComponentClock
    ) {
        self.core = core
        core.watch = CycleWatch { clock.uptime }
        self.inbox = inbox
        self.writer = writer
        self.metrics = metrics
        self.clock = clock
    }

    /// Schedules until the task is cancelled.
    mutating func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let inputs = self.inbox.take()
                let now = self.clock.uptime
                for input in inputs { self.apply(input, now) }
                let isBusy = self.isLeading && self.decide(&group)
                self.updateGauges()
                if isBusy {
                    await Task.yield()
                    continue
                }
                let deadline = self.isLeading ? self.core.queue.nextDeadline : nil
                await self.inbox.wait(
                    until: deadline,
                    self.clock,
                    isSettled: self.bindings == 0 && self.core.assumed.isEmpty
                )
            }
            group.cancelAll()
        }
    }

    /// Makes decisions for a while; false when there are none to make.
    private mutating func decide(_ group: inout DiscardingTaskGroup) -> Bool {
        for _ in 0..<Self.decisionsPerTurn {
            if self.bindings >= Self.maximumBindings { return false }
            let start = self.clock.uptime
            guard let decision = self.core.decide(now: start) else { return false }
            let length = self.clock.uptime - start
            self.metrics.algorithmSeconds.observe(length)
            let writer = self.writer
            if let parts = self.core.watch?.drain(), !parts.isEmpty {
                self.metrics.count(parts, profile: decision.profile)
            }
            switch decision {
            case .bind(let info, let node, let plan):
                self.bindings += 1
                self.bind(info, node, plan, start, &group)
            case .unschedulable(let refused):
                self.metrics.count("unschedulable", refused.pod.schedulerName, length)
                if self.core.profile(of: refused.pod)?.preemption != nil {
                    self.metrics.preemptionAttempts.increment()
                }
                if !refused.victims.isEmpty {
                    self.metrics.victims.observe(Double(refused.victims.count))
                }
                group.addTask { await writer.refuse(refused) }
            }
        }
        return true
    }

    /// Has a pod bound.
    ///
    /// - Parameter start: when this attempt began.
    private func bind(
        _ info: PodInfo,
        _ node: String,
        _ plan: VolumePlan?,
        _ start: Duration,
        _ group: inout DiscardingTaskGroup
    ) {
        let (writer, metrics, clock) = (self.writer, self.metrics, self.clock)
        let queued = self.core.queue.pod(info.uid)
        let attempts = queued?.attempts ?? 1
        let first = queued?.firstAttempt ?? start
        group.addTask {
            let begin = clock.uptime
            let isBound = await writer.bind(info.pod, node, plan)
            let end = clock.uptime
            metrics.count(
                "Bind",
                profile: info.schedulerName,
                isSuccess: isBound,
                end - begin
            )
            metrics.count(isBound ? "scheduled" : "error", info.schedulerName, end - start)
            guard isBound else { return }
            metrics.podAttempts.observe(Double(attempts))
            let label = attempts > 15 ? "16+" : String(attempts)
            metrics.sliSeconds.with(label).observe(end - first)
        }
    }

    private mutating func apply(_ input: SchedulerInput, _ now: Duration) {
        switch input {
        case .node(let node): self.core.setNode(node, now: now)
        case .nodeGone(let name): self.core.removeNode(name, now: now)
        case .pod(let pod): self.core.setPod(pod, now: now)
        case .podGone(let uid): self.core.removePod(uid: uid, now: now)
        case .namespace(let name, let labels):
            self.core.setNamespace(name, labels, now: now)
        case .service(let namespace, let name, let labels):
            self.core.cluster.workloads.setService(
                namespace,
                name,
                labels.map { $0.sorted { $0.key < $1.key } }
            )
        case .owner(let owner, let selector):
            self.core.cluster.workloads.setOwner(owner, selector)
        case .budget(let key, let budget): self.core.cluster.budgets[key] = budget
        case .volumeObject(let object, let isGone):
            self.core.setVolumeObject(object, isGone: isGone, now: now)
        case .lead: self.isLeading = true
        case .bound(let uid, let failure):
            self.bindings -= 1
            if failure != nil { self.core.bindingFailed(uid, now: now) }
        case .preempted(let uid, let succeeded):
            self.core.preemptionFinished(uid, succeeded: succeeded, now: now)
        }
    }

    private mutating func updateGauges() {
        let queue = self.core.queue
        self.metrics.pending.with("active").set(Double(queue.count(.active)))
        self.metrics.pending.with("backoff").set(
            Double(queue.count(.backoff) + queue.count(.errorBackoff))
        )
        self.metrics.pending.with("unschedulable").set(Double(queue.count(.unschedulable)))
        self.metrics.pending.with("gated").set(Double(queue.count(.gated)))
        self.metrics.cacheSize.with("nodes").set(Double(self.core.cluster.nodeCount))
        self.metrics.cacheSize.with("pods").set(Double(self.core.cluster.placed.count))
        self.metrics.cacheSize.with("assumed_pods").set(Double(self.core.assumed.count))
        self.metrics.goroutines.with("binding").set(Double(self.bindings))
        for (way, count) in queue.incoming {
            guard let name = way.place.queueName else { continue }
            let new = count - (self.reportedIncoming.updateValue(count, forKey: way) ?? 0)
            if new > 0 {
                self.metrics.incoming.with(name, way.event.rawValue).increment(by: new)
            }
        }
        for (profile, counts) in queue.refusedOfProfile {
            for plugin in PluginName.allCases {
                let count = counts[Int(plugin.number)]
                let key = [plugin.rawValue, profile]
                if count > 0 || self.reportedRefusals.contains(key) {
                    self.reportedRefusals.insert(key)
                    self.metrics.unschedulable.with(key).set(Double(count))
                }
            }
        }
    }
}

extension SchedulerCore.Decision {
    /// The profile that the pod asked for.
    fileprivate var profile: String {
        switch self {
        case .bind(let info, _, _): info.schedulerName
        case .unschedulable(let refused): refused.pod.schedulerName
        }
    }
}

extension QueuedPod.Place {
    /// What metrics call that part of the queue; nil for pods that are being tried.
    fileprivate var queueName: String? {
        switch self {
        case .active: "active"
        case .backoff, .errorBackoff: "backoff"
        case .unschedulable: "unschedulable"
        case .gated: "gated"
        case .inFlight: nil
        }
    }
}
