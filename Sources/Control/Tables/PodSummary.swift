// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Scalars

/// What a table says of a pod: how many of its containers are ready, what state it is in, how often
/// containers were started again.
///
/// Source: kubernetes `pkg/printers/internalversion/printers.go`, printPod, for the rules.
struct PodSummary {
    private(set) var ready = 0
    private(set) var total: Int
    private(set) var status: String
    private(set) var restartCount: Int64 = 0
    private(set) var lastRestart: Timestamp?

    init(_ pod: TableSubject) {
        let initContainers = pod.items("spec", "initContainers")
        let sidecars = Set(
            initContainers.filter { $0["restartPolicy"]?.string == "Always" }
                .compactMap { $0["name"]?.string }
        )
        self.total = pod.items("spec", "containers").count + sidecars.count
        self.status = pod.text("status", "reason") ?? pod.text("status", "phase") ?? ""
        let scheduled = pod.condition("PodScheduled", in: "status", "conditions")
        if scheduled?["reason"]?.string == "SchedulingGated" { self.status = "SchedulingGated" }

        let initStatuses = pod.items("status", "initContainerStatuses")
        let isInitializing = self.initialize(
            initStatuses,
            sidecars: sidecars,
            count: initContainers.count
        )
        if !isInitializing || pod.isTrue("Initialized") {
            self.restartCount = 0
            self.lastRestart = nil
            let counted = initStatuses.filter {
                sidecars.contains($0["name"]?.string ?? "")
            }
            for status in counted { self.countRestarts(status) }
            self.run(
                pod.items("status", "containerStatuses"),
                isPodReady: pod.isTrue("Ready")
            )
        }
        guard pod.isDeleting else { return }
        let phase = pod.text("status", "phase")
        if pod.text("status", "reason") == "NodeLost" {
            self.status = "Unknown"
        } else if phase != "Failed" && phase != "Succeeded" {
            self.status = "Terminating"
        }
    }

    /// Reads the containers that run before the others.
    ///
    /// - Returns: whether one of them has still to end, or to start when it goes on beside.
    private mutating func initialize(
        _ statuses: DynamicValue.Items,
        sidecars: Set<String>,
        count: Int
    ) -> Bool {
        for status in statuses { self.countRestarts(status) }
        for (index, status) in statuses.enumerated() {
            let terminated = status["state"]?["terminated"]
            if let terminated, terminated["exitCode"]?.integer ?? 0 == 0 { continue }
            let isSidecar = sidecars.contains(status["name"]?.string ?? "")
            if isSidecar, status["started"]?.bool == true {
                if status["ready"]?.bool == true { self.ready += 1 }
                continue
            }
            let waiting = status["state"]?["waiting"]?["reason"]?.filledText
            if let terminated {
                self.status = "Init:\(Self.outcome(of: terminated))"
            } else if let waiting, waiting != "PodInitializing" {
                self.status = "Init:\(waiting)"
            } else {
                self.status = "Init:\(index)/\(count)"
            }
            return true
        }
        return false
    }

    /// Reads the containers of the pod; the first one that waits or has ended gives the state.
    private mutating func run(_ statuses: DynamicValue.Items, isPodReady: Bool) {
        var isRunning = false
        var deciding: String?
        var failure: String?
        for status in statuses {
            self.countRestarts(status)
            let state = status["state"]
            if let waiting = state?["waiting"]?["reason"]?.filledText {
                deciding = deciding ?? waiting
            } else if let terminated = state?["terminated"] {
                let outcome = Self.outcome(of: terminated)
                deciding = deciding ?? outcome
                if terminated["exitCode"]?.integer ?? 0 != 0 { failure = failure ?? outcome }
            } else if status["ready"]?.bool == true, state?["running"] != nil {
                isRunning = true
                self.ready += 1
            }
        }
        if let deciding { self.status = deciding }
        guard self.status == "Completed" else { return }
        if isRunning && isPodReady {
            self.status = "Running"
        } else if let failure {
            self.status = failure
        } else if isRunning {
            self.status = "NotReady"
        }
    }

    private mutating func countRestarts(_ status: DynamicValue) {
        self.restartCount += status["restartCount"]?.integer ?? 0
        let terminated = status["lastState"]?["terminated"]
        guard let ended = terminated?["finishedAt"]?.timestamp else { return }
        self.lastRestart = self.lastRestart.map { max($0, ended) } ?? ended
    }

    private static func outcome(of terminated: DynamicValue) -> String {
        if let reason = terminated["reason"]?.filledText { return reason }
        if let signal = terminated["signal"]?.integer, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(terminated["exitCode"]?.integer ?? 0)"
    }

    /// `3`, `3 (5m ago)`
    func restarts(at now: Timestamp) -> String {
        guard self.restartCount > 0, let lastRestart else { return "\(self.restartCount)" }
        return "\(self.restartCount) (\(HumanDuration.text(from: lastRestart, to: now)) ago)"
    }

    static let columns: [TableColumn] = [
        .name,
        .text("Ready") {
            let summary = PodSummary($0)
            return "\(summary.ready)/\(summary.total)"
        },
        .text("Status") { PodSummary($0).status },
        .text("Restarts") { PodSummary($0).restarts(at: $0.now) },
        .age,
        .text("IP", wide: true) {
            $0.items("status", "podIPs").first?["ip"]?.filledText ?? $0.text("status", "podIP")
                ?? CellText.none
        },
        .text("Node", at: ["spec", "nodeName"], or: CellText.none, wide: true),
        .text(
            "Nominated Node",
            at: ["status", "nominatedNodeName"],
            or: CellText.none,
            wide: true
        ),
        .text("Readiness Gates", wide: true) { pod in
            let gates = pod.items("spec", "readinessGates")
            if gates.isEmpty { return CellText.none }
            let open = gates.filter { pod.isTrue($0["conditionType"]?.string ?? "") }
            return "\(open.count)/\(gates.count)"
        },
    ]

    /// What a row says of a pod that has ended, so that clients can leave it out.
    static func rowConditions(_ pod: TableSubject) -> DynamicValue? {
        let message: DynamicValue
        switch pod.text("status", "phase") {
        case "Succeeded": message = "The pod has completed successfully."
        case "Failed": message = "The pod failed."
        default: return nil
        }
        return [
            [
                "type": "Completed", "status": "True",
                "reason": pod["status", "phase"] ?? .null, "message": message,
            ]
        ]
    }
}
