// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerKit
package import KubernetesAPI
import Protobuf
package import Scalars

/// What a DaemonSet needs: nodes to get a pod, pods to delete, and its status. Pure.
///
/// Source: upstream `pkg/controller/daemon/daemon_controller.go`, `update.go`.
package struct DaemonSetPlan {
    /// Pods created or deleted at most in one go.
    package static let burst = 250

    /// Names of nodes that get a pod.
    package var creations: [String] = []
    package var deletions: [CoreV1.Pod] = []
    /// Ended pods among those that are deleted, to be told of.
    package var ended: [CoreV1.Pod] = []
    package var status: AppsV1.DaemonSetStatus
    package var nextCheck: Duration?

    private let set: AppsV1.DaemonSet
    private let hash: String
    private let now: Timestamp
    private var byNode: [String: [CoreV1.Pod]] = [:]
    private var wanted: [String] = []

    package init(
        _ set: AppsV1.DaemonSet,
        pods: [CoreV1.Pod],
        nodes: [CoreV1.Node],
        hash: String,
        now: Timestamp
    ) {
        self.set = set
        self.hash = hash
        self.now = now
        self.status = set.status
        for pod in pods { self.byNode[DaemonPod.node(of: pod), default: []].append(pod) }
        let sorted = nodes.sorted { $0.metadata.name < $1.metadata.name }
        self.place(sorted)
        let surge = self.maximum(\.maxSurge)
        if set.spec.updateStrategy.type != "OnDelete" {
            if surge > 0 { self.surge(surge) } else { self.replace(self.maximum(\.maxUnavailable)) }
        }
        self.creations = Array(self.creations.prefix(Self.burst))
        self.deletions = Array(self.deletions.prefix(Self.burst))
        self.count(sorted)
    }

    private func isCurrent(_ pod: CoreV1.Pod) -> Bool {
        pod.metadata.labels[DaemonPod.hashLabel] == self.hash
    }

    private func isAvailable(_ pod: CoreV1.Pod) -> Bool {
        pod.isActive
            && pod.isAvailable(minReadySeconds: self.set.spec.minReadySeconds, now: self.now)
    }

    private func maximum(
        _ value: KeyPath<AppsV1.RollingUpdateDaemonSet, IntStr.IntOrString?>
    ) -> Int {
        guard let rolling = self.set.spec.updateStrategy.rollingUpdate else {
            return value == \.maxUnavailable ? 1 : 0
        }
        return rolling[keyPath: value]?.scaled(of: self.wanted.count, roundingUp: true) ?? 0
    }

    // MARK: Placement

    private mutating func place(_ nodes: [CoreV1.Node]) {
        let allowsTwo = self.set.spec.updateStrategy.rollingUpdate?.maxSurge != nil
        var known: Set<String> = []
        for node in nodes {
            let name = node.metadata.name
            known.insert(name)
            let pods = self.byNode[name] ?? []
            let (shouldRun, mayStay) = DaemonPod.fit(self.set, node)
            if shouldRun { self.wanted.append(name) }
            guard mayStay else {
                self.deletions += pods.filter { $0.metadata.deletionTimestamp == nil }
                continue
            }
            let ended = pods.filter { $0.isTerminal && $0.metadata.deletionTimestamp == nil }
            self.ended += ended
            self.deletions += ended
            let live = pods.filter { !$0.isTerminal }
            if live.isEmpty {
                // An ended pod is replaced once it is gone.
                if shouldRun, ended.isEmpty { self.creations.append(name) }
                continue
            }
            let active = live.filter(\.isActive)
            // During a surge the old and the new pod may be there together.
            let groups =
                allowsTwo
                ? [active.filter(self.isCurrent), active.filter { !self.isCurrent($0) }] : [active]
            for group in groups where group.count > 1 {
                self.deletions += group.sorted(by: Self.isOlder).dropFirst()
            }
        }
        for (name, pods) in self.byNode where !known.contains(name) && !name.isEmpty {
            // The node is gone. Scheduled pods are for the pod garbage collector.
            self.deletions += pods.filter {
                $0.spec.nodeName.isEmpty && $0.metadata.deletionTimestamp == nil
            }
        }
    }

    private static func isOlder(_ left: CoreV1.Pod, _ right: CoreV1.Pod) -> Bool {
        let created = (
            left.metadata.creationTimestamp.seconds ?? 0,
            right.metadata.creationTimestamp.seconds ?? 0
        )
        return created.0 == created.1
            ? left.metadata.name < right.metadata.name : created.0 < created.1
    }

    // MARK: Rolling update

    /// The pods of a node that count in an update.
    private func pair(_ node: String) -> (new: CoreV1.Pod?, old: CoreV1.Pod?) {
        let doomed = Set(self.deletions.map(\.metadata.uid))
        let active = (self.byNode[node] ?? []).filter {
            $0.isActive && !doomed.contains($0.metadata.uid)
        }
        return (active.first(where: self.isCurrent), active.first { !self.isCurrent($0) })
    }

    private mutating func replace(_ maxUnavailable: Int) {
        var unavailable = 0
        var broken: [CoreV1.Pod] = []
        var candidates: [CoreV1.Pod] = []
        for node in self.wanted {
            let (new, old) = self.pair(node)
            switch (new, old) {
            case (let new?, _): if !self.isAvailable(new) { unavailable += 1 }
            case (nil, let old?):
                if self.isAvailable(old) {
                    candidates.append(old)
                } else {
                    // It serves nobody: replacing it costs nothing.
                    unavailable += 1
                    broken.append(old)
                }
            case (nil, nil): unavailable += 1
            }
        }
        self.deletions += broken + candidates.prefix(max(maxUnavailable - unavailable, 0))
    }

    private mutating func surge(_ maxSurge: Int) {
        var surging = 0
        var candidates: [String] = []
        var free: [String] = []
        for node in self.wanted {
            let (new, old) = self.pair(node)
            guard let old else { continue }
            if let new {
                if self.isAvailable(new) {
                    self.deletions.append(old)
                } else {
                    surging += 1
                }
            } else if self.isAvailable(old) {
                candidates.append(node)
            } else {
                free.append(node)
            }
        }
        self.creations += free + candidates.prefix(max(maxSurge - surging, 0))
    }

    // MARK: Status

    private mutating func count(_ nodes: [CoreV1.Node]) {
        var status = AppsV1.DaemonSetStatus.with {
            $0.observedGeneration = self.set.metadata.generation
            $0.collisionCount = self.set.status.collisionCount
            $0.conditions = self.set.status.conditions
        }
        let wanted = Set(self.wanted)
        for node in nodes {
            let name = node.metadata.name
            let pods = self.byNode[name] ?? []
            guard wanted.contains(name) else {
                if !pods.isEmpty { status.numberMisscheduled += 1 }
                continue
            }
            status.desiredNumberScheduled += 1
            guard let oldest = pods.sorted(by: Self.isOlder).first else { continue }
            status.currentNumberScheduled += 1
            let ready = pods.first(where: \.isReady) ?? oldest
            if ready.isReady {
                status.numberReady += 1
                if self.isAvailable(ready) { status.numberAvailable += 1 }
                if let wait = ready.timeUntilAvailable(
                    minReadySeconds: self.set.spec.minReadySeconds,
                    now: self.now
                ) {
                    self.nextCheck = min(self.nextCheck ?? wait, wait)
                }
            }
            if pods.contains(where: self.isCurrent) { status.updatedNumberScheduled += 1 }
        }
        status.numberUnavailable = status.desiredNumberScheduled - status.numberAvailable
        self.status = status
    }
}
