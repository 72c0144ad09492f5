// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Scalars

extension TablePrinter {
    /// What makes pods.
    static let workloads: [String: [TableColumn]] = [
        "PodTemplate": [
            .name,
            .text("Containers") {
                $0.items("template", "spec", "containers").map { $0["name"]?.string ?? "" }
                    .joined(separator: ",")
            },
            .text("Images") {
                $0.items("template", "spec", "containers").map { $0["image"]?.string ?? "" }
                    .joined(separator: ",")
            },
            .text("Pod Labels") { CellText.labels($0["template", "metadata", "labels"]) },
        ],
        "ReplicationController": Self.replicas + [
            .text("Selector", wide: true) { CellText.labels($0["spec", "selector"]) }
        ],
        "ReplicaSet.apps": Self.replicas + [.selector(["spec", "selector"])],
        "DaemonSet.apps": [
            .name,
            .integer("Desired", at: ["status", "desiredNumberScheduled"]),
            .integer("Current", at: ["status", "currentNumberScheduled"]),
            .integer("Ready", at: ["status", "numberReady"]),
            .integer("Up-to-date", at: ["status", "updatedNumberScheduled"]),
            .integer("Available", at: ["status", "numberAvailable"]),
            .text("Node Selector") {
                CellText.labels($0["spec", "template", "spec", "nodeSelector"])
            },
            .age,
        ] + TableColumn.containers(["spec", "template"]) + [.selector(["spec", "selector"])],
        "Deployment.apps": [
            .name,
            Self.readyReplicas,
            .text("Up-to-date") { "\($0.number("status", "updatedReplicas"))" }.numeric,
            .text("Available") { "\($0.number("status", "availableReplicas"))" }.numeric,
            .age,
        ] + TableColumn.containers(["spec", "template"]) + [
            .text("Selector", wide: true) {
                CellText.selectorText($0["spec", "selector"]) ?? "<invalid>"
            }
        ],
        "StatefulSet.apps": [.name, Self.readyReplicas, .age]
            + TableColumn.containers(["spec", "template"]),
        "ControllerRevision.apps": [
            .name,
            .text("Controller") { revision in
                let owner = revision.items("metadata", "ownerReferences").first {
                    $0["controller"]?.bool == true
                }
                guard let owner else { return CellText.none }
                let parts = (owner["apiVersion"]?.string ?? "").split(separator: "/")
                return CellText.reference(
                    owner["kind"]?.string ?? "",
                    group: parts.count == 2 ? String(parts[0]) : "",
                    namespace: nil,
                    owner["name"]?.string ?? ""
                )
            },
            .text("Revision") { "\($0.number("revision"))" }.numeric,
            .age,
        ],
        "Job.batch": [
            .name,
            .text("Status", Self.jobStatus),
            .text("Completions") { job in
                let succeeded = job.number("status", "succeeded")
                if let completions = job["spec", "completions"]?.integer {
                    return "\(succeeded)/\(completions)"
                }
                let parallelism = job.number("spec", "parallelism")
                return parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
            },
            .text("Duration") { job in
                guard let start = job["status", "startTime"]?.timestamp else { return "" }
                let end = job["status", "completionTime"]?.timestamp ?? job.now
                return HumanDuration.text(from: start, to: end)
            },
            .age,
        ] + TableColumn.containers(["spec", "template"]) + [.selector(["spec", "selector"])],
        "CronJob.batch": [
            .name,
            .text("Schedule", at: ["spec", "schedule"]),
            .text("Timezone", at: ["spec", "timeZone"], or: CellText.none),
            TableColumn("Suspend", type: "boolean") {
                DynamicValue($0["spec", "suspend"]?.bool.map(CellText.flag) ?? CellText.unset)
            },
            .integer("Active") { Int64($0.items("status", "active").count) },
            .text("Last Schedule") { $0.age("status", "lastScheduleTime") ?? CellText.none },
            .age,
        ] + TableColumn.containers(["spec", "jobTemplate", "spec", "template"]) + [
            .selector(["spec", "jobTemplate", "spec", "selector"])
        ],
        "HorizontalPodAutoscaler.autoscaling": [
            .name,
            .text("Reference") {
                "\($0.text("spec", "scaleTargetRef", "kind") ?? "")/"
                    + ($0.text("spec", "scaleTargetRef", "name") ?? "")
            },
            .text("Targets", Self.autoscalerTargets),
            .text("MinPods") {
                $0["spec", "minReplicas"]?.integer.map { "\($0)" } ?? CellText.unset
            },
            .text("MaxPods") { "\($0.number("spec", "maxReplicas"))" }.numeric,
            .text("Replicas") { "\($0.number("status", "currentReplicas"))" }.numeric,
            .age,
        ],
        "Scale.autoscaling": [
            TableColumn("Name") { DynamicValue($0.text("metadata", "name") ?? "") },
            .integer("Desired", at: ["spec", "replicas"]),
            .integer("Available", at: ["status", "replicas"]),
            .age,
        ],
        "PodDisruptionBudget.policy": [
            .name,
            .text("Min Available") { $0["spec", "minAvailable"]?.anyText ?? "N/A" },
            .text("Max Unavailable") { $0["spec", "maxUnavailable"]?.anyText ?? "N/A" },
            .integer("Allowed Disruptions", at: ["status", "disruptionsAllowed"]),
            .age,
        ],
    ]

    private static let replicas: [TableColumn] =
        [
            .name,
            .integer("Desired", at: ["spec", "replicas"]),
            .integer("Current", at: ["status", "replicas"]),
            .integer("Ready", at: ["status", "readyReplicas"]),
            .age,
        ] + TableColumn.containers(["spec", "template"])

    private static let readyReplicas = TableColumn.text("Ready") {
        "\($0.number("status", "readyReplicas"))/\($0.number("spec", "replicas"))"
    }

    @Sendable
    private static func jobStatus(_ job: TableSubject) -> String {
        if job.isTrue("Complete") { return "Complete" }
        if job.isTrue("Failed") { return "Failed" }
        if job.isDeleting { return "Terminating" }
        return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].first(where: job.isTrue)
            ?? "Running"
    }
}

extension TableColumn {
    /// The column with its texts as numbers, under the type string: upstream declares some so.
    var numeric: TableColumn {
        let cell = self.cell
        return TableColumn(
            self.name,
            type: self.type,
            format: self.format,
            priority: self.priority
        ) { subject in
            let value = cell(subject)
            return value.string.flatMap { Int64($0) }.map { DynamicValue($0) } ?? value
        }
    }
}

// MARK: - Autoscalers

extension TablePrinter {
    @Sendable
    private static func autoscalerTargets(_ autoscaler: TableSubject) -> String {
        let metrics = autoscaler.items("spec", "metrics")
        if metrics.isEmpty {
            guard let target = autoscaler["spec", "targetCPUUtilizationPercentage"]?.integer else {
                return CellText.none
            }
            let current = autoscaler["status", "currentCPUUtilizationPercentage"]?.integer
            return "cpu: \(current.map { "\($0)%" } ?? CellText.unknown)/\(target)%"
        }
        let currents = autoscaler.items("status", "currentMetrics")
        let texts = metrics.enumerated().map { index, metric in
            Self.target(of: metric, currents.indices.contains(index) ? currents[index] : nil)
        }
        return CellText.first(2, of: texts, separator: ", ")
    }

    private static func target(of metric: DynamicValue, _ current: DynamicValue?) -> String {
        let type = metric["type"]?.string ?? ""
        let key =
            switch type {
            case "External": "external"
            case "Object": "object"
            case "Pods": "pods"
            case "Resource": "resource"
            case "ContainerResource": "containerResource"
            default: ""
            }
        guard let source = metric[key], let target = source["target"] else {
            return "<unknown type>"
        }
        let value = current?[key]?["current"]
        let average = value?["averageValue"]?.filledText ?? CellText.unknown
        switch type {
        case "External", "Object":
            if let wanted = target["averageValue"]?.filledText {
                return "\(average)/\(wanted) (avg)"
            }
            let plain = value?["value"]?.filledText ?? CellText.unknown
            return "\(plain)/\(target["value"]?.string ?? "")"
        case "Pods":
            return "\(average)/\(target["averageValue"]?.string ?? "")"
        default:
            let name = source["name"]?.string ?? ""
            if let wanted = target["averageValue"]?.filledText {
                return "\(name): \(average)/\(wanted)"
            }
            let used =
                value?["averageUtilization"]?.integer.map { "\($0)%" } ?? CellText.unknown
            let wanted = target["averageUtilization"]?.integer.map { "\($0)%" } ?? "<auto>"
            return "\(name): \(used)/\(wanted)"
        }
    }
}
