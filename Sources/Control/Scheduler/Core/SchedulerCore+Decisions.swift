// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Decisions and what became of them.

extension SchedulerCore {
    /// Below this number of nodes all are looked at.
    static let fewNodes = 100
    /// The least share of nodes that is looked for in large clusters, in percent.
    static let leastPercentage: Int64 = 5

    /// Tries the next pod; nil when none waits to be tried.
    package func decide(now: Duration) -> Decision? {
        while let queued = self.queue.pop(now: now) {
            guard let profile = self.profile(of: queued.info) else {
                self.queue.remove(queued.info.uid)
                continue
            }
            return self.decide(queued, profile, now: now)
        }
        return nil
    }

    private func decide(_ queued: QueuedPod, _ profile: Profile, now: Duration) -> Decision {
        let pod = queued.info
        self.cluster.cycle += 1
        if self.cluster.nodeCount == 0 {
            self.queue.putBack(queued, refusedBy: PluginNames(rawValue: .max), now: now)
            return .unschedulable(
                Refused(
                    pod: pod,
                    message: "no nodes available to schedule pods",
                    nominatedNode: nil,
                    victims: [],
                    displaced: []
                )
            )
        }
        self.watch?.begin()
        var cycle = self.timed(.preFilter) {
            SchedulingCycle(pod, profile, self.cluster, self.watch)
        } isSuccess: {
            !$0.isRefused
        }
        if let row = self.choose(&cycle, profile) {
            let name = self.cluster.names[row]
            self.cluster.withdrawNomination(pod.uid)
            self.assumed.insert(pod.uid)
            let plan = self.reserveVolumes(pod, row, profile)
            self.cluster.setPod(pod, on: name)
            self.react(to: .podPlaced(pod), now: now)
            return .bind(pod, node: name, plan)
        }
        return .unschedulable(self.refuse(queued, cycle, profile, now: now))
    }

    /// Keeps volumes for the claims of a pod that waited for it; nil when none did.
    private func reserveVolumes(
        _ pod: PodInfo,
        _ row: Int,
        _ profile: Profile
    ) -> VolumePlan? {
        guard !pod.volumes.claims.isEmpty, profile.bindsVolumes,
            let plan = VolumePlan(pod, row: row, self.cluster),
            !plan.isEmpty
        else { return nil }
        self.cluster.volumes.reserve(plan, on: self.cluster.names[row])
        self.plans[pod.uid] = plan
        return plan
    }

    /// Filter and Score: the best row; nil when none will do.
    private func choose(_ cycle: inout SchedulingCycle, _ profile: Profile) -> Int? {
        if cycle.isRefused { return nil }
        let pod = cycle.pod
        // Where the pod has made room, it need not look elsewhere.
        if let node = self.cluster.nomination(of: pod.uid), let row = self.cluster.row(node),
            cycle.rows?.contains(row) ?? true, cycle.refusal(row) == nil
        {
            return row
        }
        let order = self.cluster.order
        let limit =
            profile.scores.isEmpty
            ? 1 : Self.nodesToFind(order.count, profile.percentageOfNodesToScore)
        if self.nextPosition >= order.count { self.nextPosition = 0 }
        let start = self.nextPosition
        let (rows, tried) = self.timed(.filter) {
            cycle.feasibleRows(from: start, limit: limit)
        } isSuccess: {
            !$0.rows.isEmpty
        }
        self.nextPosition = (self.nextPosition + tried) % order.count
        if rows.count < 2 { return rows.first }
        let scored = self.timed(.score) {
            ScoredNodes(pod, rows, profile, self.cluster, self.watch)
        } isSuccess: { _ in
            true
        }
        return scored.best(using: &self.random)
    }

    /// Times a part of an attempt, where somebody wants to know.
    private func timed<R>(
        _ point: CycleWatch.Point,
        _ body: () -> R,
        isSuccess: (R) -> Bool
    ) -> R {
        self.watch?.time(point, body, isSuccess: isSuccess) ?? body()
    }

    /// How many nodes that will do are enough.
    ///
    /// Source: upstream `pkg/scheduler/schedule_one.go`, numFeasibleNodesToFind.
    static func nodesToFind(_ nodes: Int, _ percentage: Int64) -> Int {
        if nodes < self.fewNodes { return nodes }
        let share =
            percentage == 0
            ? max(50 - Int64(nodes) / 125, self.leastPercentage) : min(percentage, 100)
        return max(nodes * Int(share) / 100, self.fewNodes)
    }

    private func refuse(
        _ queued: QueuedPod,
        _ cycle: SchedulingCycle,
        _ profile: Profile,
        now: Duration
    ) -> Refused {
        var diagnosis = cycle.diagnosis
        var outcome = PreemptionOutcome.message(nil, clearsNomination: false)
        if let arguments = profile.preemption {
            var preemption = Preemption(cycle, arguments)
            outcome = self.timed(.postFilter) {
                preemption.run(using: &self.random)
            } isSuccess: {
                if case .nominate = $0 { true } else { false }
            }
        }
        var messages: [String] = []
        if profile.mentionsClaims { messages.append("no new claims to deallocate") }
        var nominated: String?
        var victims: [PodInfo] = []
        var displaced: [PodInfo] = []
        switch outcome {
        case .message(let text, let clearsNomination):
            if let text { messages.append("preemption: \(text)") }
            diagnosis.postFilterMessage = messages.joined(separator: ", ")
            if clearsNomination, self.cluster.nomination(of: queued.info.uid) != nil {
                self.cluster.withdrawNomination(queued.info.uid)
                nominated = ""
            }
        case .nominate(let row, let pods):
            let node = self.cluster.names[row]
            displaced = (self.cluster.nominated[row] ?? []).filter {
                $0.priority < queued.info.priority
            }
            for pod in displaced { self.cluster.withdrawNomination(pod.uid) }
            self.cluster.nominate(queued.info, node)
            nominated = node
            victims = pods.filter { !$0.isTerminating }
        }
        self.queue.putBack(queued, refusedBy: diagnosis.plugins, now: now)
        if !victims.isEmpty { self.queue.setPreempting(queued.info.uid, true, now: now) }
        for pod in displaced { self.queue.activate(pod.uid, now: now) }
        return Refused(
            pod: queued.info,
            message: diagnosis.message,
            nominatedNode: nominated,
            victims: victims,
            displaced: displaced
        )
    }

    // MARK: What became of decisions

    /// The pods that had to go for a pod have been told, or could not be.
    package func preemptionFinished(_ uid: String, succeeded: Bool, now: Duration) {
        self.queue.setPreempting(uid, false, now: now)
        if !succeeded { self.queue.activate(uid, now: now) }
    }

    /// A pod could not be bound: it waits again, after a back-off.
    package func bindingFailed(_ uid: String, now: Duration) {
        guard self.assumed.remove(uid) != nil else { return }
        if let plan = self.plans.removeValue(forKey: uid) {
            self.cluster.volumes.release(plan)
        }
        let pod = self.cluster.removePod(uid: uid)
        if let queued = self.queue.pod(uid) { self.queue.putBack(queued, refusedBy: [], now: now) }
        if let pod { self.react(to: .placedPodRemoved(pod), now: now) }
    }
}
