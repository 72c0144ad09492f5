// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf

/// What preemption comes to.
enum PreemptionOutcome {
    /// Nothing; the text says why.
    case message(String?, clearsNomination: Bool)
    /// The pods must leave the node in that row.
    case nominate(Int, [PodInfo])
}

/// Looks for a node on which a pod fits once pods of lower priority are gone.
///
/// Source: upstream `pkg/scheduler/framework/preemption` and `plugins/defaultpreemption`.
struct Preemption {
    /// A node on which room can be made.
    struct Candidate {
        let row: Int
        /// The most important first.
        let victims: [PodInfo]
        /// How many of them their disruption budget protects.
        let violations: Int
    }

    static let noVictims = Rejection.unresolvable(
        "No preemption victims found for incoming pod"
    )
    static let notHelpful = Rejection.unresolvable("Preemption is not helpful for scheduling")

    private let cycle: SchedulingCycle
    private let arguments: PreemptionArguments
    private var diagnosis: Diagnosis

    private var pod: PodInfo { self.cycle.pod }
    private var cluster: Cluster { self.cycle.cluster }

    init(_ cycle: SchedulingCycle, _ arguments: PreemptionArguments) {
        self.cycle = cycle
        self.arguments = arguments
        self.diagnosis = Diagnosis(nodeCount: cycle.cluster.nodeCount)
        self.diagnosis.others = Self.notHelpful
    }

    mutating func run(using random: inout SeededGenerator) -> PreemptionOutcome {
        if let reason = self.ineligibility { return .message(reason, clearsNomination: false) }
        let rows = self.cycle.diagnosis.refusals.filter(\.rejection.isResolvable).map(\.row)
        let candidates = rows.isEmpty ? [] : self.candidates(rows, &random)
        guard let best = Self.best(candidates) else {
            return .message(self.diagnosis.message, clearsNomination: true)
        }
        return .nominate(best.row, best.victims)
    }

    /// Why the pod may not preempt others; nil when it may.
    private var ineligibility: String? {
        if self.pod.pod.spec.preemptionPolicy == "Never" {
            return "not eligible due to preemptionPolicy=Never."
        }
        guard let node = self.cluster.nomination(of: self.pod.uid),
            let row = self.cluster.row(node)
        else { return nil }
        let refusal = self.cycle.diagnosis.refusals.first { $0.row == row }
        // No preemption would make that node do: another one may be tried.
        if let refusal, !refusal.rejection.isResolvable { return nil }
        let isLeaving = self.cluster.pods[row].contains {
            $0.isTerminating && $0.priority < self.pod.priority && Self.isPreempted($0)
        }
        return isLeaving ? "not eligible due to terminating pod on the nominated node." : nil
    }

    /// Whether a pod that is being deleted goes because it was preempted.
    private static func isPreempted(_ pod: PodInfo) -> Bool {
        pod.pod.status.conditions.contains {
            $0.type == "DisruptionTarget" && $0.status == "True"
                && $0.reason == "PreemptionByScheduler"
        }
    }

    /// Tries nodes from a random one on, until there are enough candidates.
    private mutating func candidates(
        _ rows: [Int],
        _ random: inout SeededGenerator
    ) -> [Candidate] {
        let wanted = self.arguments.candidates(of: rows.count)
        let offset = Int(random.next(upperBound: UInt64(rows.count)))
        var violating: [Candidate] = []
        var clean: [Candidate] = []
        for index in rows.indices {
            let row = rows[(offset + index) % rows.count]
            guard let candidate = self.candidate(row) else { continue }
            if candidate.violations == 0 {
                clean.append(candidate)
            } else {
                violating.append(candidate)
            }
            if !clean.isEmpty, clean.count + violating.count >= wanted { break }
        }
        return clean + violating
    }

    /// The fewest and least important pods that must leave a row for the pod to fit.
    private mutating func candidate(_ row: Int) -> Candidate? {
        let lower = self.cluster.pods[row].filter { $0.priority < self.pod.priority }
        if lower.isEmpty {
            self.refuse(row, Self.noVictims)
            return nil
        }
        for pod in lower { self.cycle.change(pod, row, added: false) }
        if let (_, rejection) = self.cycle.refusal(row) {
            for pod in lower { self.cycle.change(pod, row, added: true) }
            self.refuse(row, rejection)
            return nil
        }
        let ordered = lower.sorted(by: Self.isMoreImportant)
        let (protected, free) = self.split(ordered)
        var victims: [PodInfo] = []
        var violations = 0
        for pod in protected where !self.reprieve(pod, row) {
            victims.append(pod)
            violations += 1
        }
        for pod in free where !self.reprieve(pod, row) { victims.append(pod) }
        for pod in victims { self.cycle.change(pod, row, added: true) }
        if victims.isEmpty {
            self.refuse(row, Self.noVictims)
            return nil
        }
        return Candidate(
            row: row,
            victims: victims.sorted(by: Self.isMoreImportant),
            violations: violations
        )
    }

    /// Puts a pod back; takes it away again and answers false when the preemptor then has no room.
    private func reprieve(_ pod: PodInfo, _ row: Int) -> Bool {
        self.cycle.change(pod, row, added: true)
        if self.cycle.refusal(row) == nil { return true }
        self.cycle.change(pod, row, added: false)
        return false
    }

    private mutating func refuse(_ row: Int, _ rejection: Rejection) {
        self.diagnosis.refusals.append(
            Diagnosis.Refusal(row: row, plugin: .defaultPreemption, rejection: rejection)
        )
    }

    /// The pods whose eviction would violate a budget, and the others.
    private func split(_ pods: [PodInfo]) -> (protected: [PodInfo], free: [PodInfo]) {
        if self.cluster.budgets.isEmpty { return ([], pods) }
        var left = self.cluster.budgets.mapValues(\.allowed)
        var protected: [PodInfo] = []
        var free: [PodInfo] = []
        for pod in pods {
            var isProtected = false
            for (name, budget) in self.cluster.budgets where budget.covers(pod) {
                left[name, default: 0] -= 1
                if left[name, default: 0] < 0 { isProtected = true }
            }
            if isProtected {
                protected.append(pod)
            } else {
                free.append(pod)
            }
        }
        return (protected, free)
    }

    /// Whether a pod is to be kept rather than another: by priority, then by how long it has run.
    static func isMoreImportant(_ left: PodInfo, _ right: PodInfo) -> Bool {
        if left.priority != right.priority { return left.priority > right.priority }
        return left.startSeconds < right.startSeconds
    }

    /// The candidate that does the least harm.
    static func best(_ candidates: [Candidate]) -> Candidate? {
        typealias Criterion = (Candidate) -> Int64
        let criteria: [Criterion] = [
            { -Int64($0.violations) },
            { -Int64($0.victims.first?.priority ?? .min) },
            { -$0.victims.reduce(0) { $0 + Int64($1.priority) + Int64(Int32.max) + 1 } },
            { -Int64($0.victims.count) },
            { candidate in
                // The start of the earliest among the most important.
                let highest = candidate.victims.first?.priority ?? 0
                return candidate.victims.filter { $0.priority == highest }
                    .map(\.startSeconds).min() ?? .min
            },
        ]
        var left = candidates
        for criterion in criteria where left.count > 1 {
            let scores = left.map(criterion)
            let highest = scores.max()
            left = zip(left, scores).filter { $0.1 == highest }.map(\.0)
        }
        return left.first
    }
}
