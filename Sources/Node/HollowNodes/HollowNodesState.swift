// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// What hollow nodes do next: which pods start, end and go, which leases are renewed. Pure: the time
/// is a parameter.
package struct HollowNodesState {
    /// How long things take.
    package struct Delays: Sendable, Hashable {
        /// From the binding of a pod until it runs.
        package var start: Duration = .zero
        /// From the deletion of a pod until it is gone, but no longer than its grace period.
        package var termination: Duration = .zero
        /// How long pods run that are not to be restarted; nil for ever.
        package var job: Duration?
        /// Between two renewals of a node's lease.
        package var lease: Duration = .seconds(10)
        /// Between two reports of a node's status.
        package var status: Duration = .seconds(300)

        package init() {}
    }

    package enum Action: Sendable {
        case run(CoreV1.Pod)
        case end(CoreV1.Pod)
        case remove(CoreV1.Pod)
        case renewLease(Int)
        case reportStatus(Int)
    }

    private enum Step: Hashable {
        case pod(String)
        case lease(Int)
        case status(Int)
    }

    private struct Entry {
        let deadline: Duration
        let number: UInt64
        let step: Step
    }

    private struct PodState {
        var pod: CoreV1.Pod
        /// When something is next done with it; nil when nothing is.
        var deadline: Duration?
    }

    /// After a failed write it is tried again.
    package static let retryDelay: Duration = .seconds(1)

    private let template: HollowNodeTemplate
    private let delays: Delays
    private let numbers: [String: Int]
    private var pods: [String: PodState] = [:]
    private var entries: [Entry] = []
    private var nextNumber: UInt64 = 0

    package init(_ template: HollowNodeTemplate, count: Int, delays: Delays) {
        self.template = template
        self.delays = delays
        self.numbers = Dictionary(
            (0..<count).map { (template.name($0), $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The number of a node of ours.
    package func number(of name: String) -> Int? { self.numbers[name] }

    /// How many pods are on the nodes.
    package var podCount: Int { self.pods.count }

    /// Begins renewing leases and reporting status, evenly spread over the time between.
    package mutating func begin(now: Duration) {
        let count = max(self.numbers.count, 1)
        for number in 0..<self.numbers.count {
            self.add(.lease(number), now + self.delays.lease * number / count)
            self.add(.status(number), now + self.delays.status * (number + 1) / count)
        }
    }

    // MARK: Pods

    /// A pod that is new or has changed.
    package mutating func setPod(_ pod: CoreV1.Pod, now: Duration) {
        let uid = pod.metadata.uid
        guard self.numbers[pod.spec.nodeName] != nil else { return }
        let old = self.pods[uid]
        self.pods[uid] = PodState(pod: pod, deadline: old?.deadline)
        let wasTerminating = old?.pod.metadata.deletionTimestamp != nil
        if pod.metadata.deletionTimestamp != nil {
            guard !wasTerminating else { return }
            let grace = Duration.seconds(pod.metadata.deletionGracePeriodSeconds ?? 30)
            self.plan(uid, now + min(self.delays.termination, grace))
            return
        }
        switch pod.status.phase {
        case "", "Pending":
            if old?.deadline == nil { self.plan(uid, now + self.delays.start) }
        case "Running":
            guard pod.spec.restartPolicy != "Always", let job = self.delays.job,
                old?.pod.status.phase != "Running"
            else { return }
            self.plan(uid, now + job)
        default:
            self.pods[uid]?.deadline = nil
        }
    }

    /// A pod that is gone.
    package mutating func removePod(_ uid: String) {
        self.pods[uid] = nil
    }

    /// A write about a pod failed: it is due again later.
    package mutating func failed(_ uid: String, now: Duration) {
        guard self.pods[uid] != nil else { return }
        self.plan(uid, now + Self.retryDelay)
    }

    private mutating func plan(_ uid: String, _ deadline: Duration) {
        self.pods[uid]?.deadline = deadline
        self.add(.pod(uid), deadline)
    }

    // MARK: Time

    /// When something is next due; nil when nothing is.
    package var nextDeadline: Duration? { self.entries.first?.deadline }

    /// What is due, at most so much.
    package mutating func due(now: Duration, limit: Int) -> [Action] {
        var actions: [Action] = []
        while actions.count < limit, let entry = self.entries.first, entry.deadline <= now {
            self.removeFirst()
            switch entry.step {
            case .pod(let uid):
                guard let state = self.pods[uid], state.deadline == entry.deadline else { continue }
                self.pods[uid]?.deadline = nil
                actions.append(self.action(state.pod))
            case .lease(let number):
                actions.append(.renewLease(number))
                self.add(entry.step, now + self.delays.lease)
            case .status(let number):
                actions.append(.reportStatus(number))
                self.add(entry.step, now + self.delays.status)
            }
        }
        return actions
    }

    private func action(_ pod: CoreV1.Pod) -> Action {
        if pod.metadata.deletionTimestamp != nil { return .remove(pod) }
        return pod.status.phase == "Running" ? .end(pod) : .run(pod)
    }

    // MARK: A heap of what is due

    private mutating func add(_ step: Step, _ deadline: Duration) {
        self.nextNumber += 1
        self.entries.append(Entry(deadline: deadline, number: self.nextNumber, step: step))
        var index = self.entries.count - 1
        while index > 0, self.precedes(index, (index - 1) / 2) {
            self.entries.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func removeFirst() {
        self.entries.swapAt(0, self.entries.count - 1)
        self.entries.removeLast()
        var index = 0
        while true {
            var least = index
            for child in (2 * index + 1)..<(2 * index + 3)
            where child < self.entries.count && self.precedes(child, least) {
                least = child
            }
            if least == index { return }
            self.entries.swapAt(index, least)
            index = least
        }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (self.entries[left], self.entries[right])
        return (left.deadline, left.number) < (right.deadline, right.number)
    }
}
