// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

extension TablePrinter {
    /// What the control plane coordinates itself with.
    static let machinery: [String: [TableColumn]] = [
        "Lease.coordination.k8s.io": [
            .name, .text("Holder", at: ["spec", "holderIdentity"]), .age,
        ],
        "LeaseCandidate.coordination.k8s.io": [
            .name,
            .text("LeaseName", at: ["spec", "leaseName"]),
            .text("BinaryVersion", at: ["spec", "binaryVersion"]),
            .text("EmulationVersion", at: ["spec", "emulationVersion"]),
            .age,
        ],
        "PriorityClass.scheduling.k8s.io": [
            .name,
            .integer("Value", at: ["value"]),
            .boolean("Global-Default", at: ["globalDefault"]),
            .age,
            .text("PreemptionPolicy", at: ["preemptionPolicy"]),
        ],
        "Workload.scheduling.k8s.io": [.name, .age],
        "PodGroup.scheduling.k8s.io": [
            .name,
            .text("Policy") {
                $0["spec", "schedulingPolicy", "gang"] == nil ? "Basic" : "Gang"
            },
            .text(
                "Workload",
                at: ["spec", "podGroupTemplateRef", "workload", "workloadName"],
                or: CellText.none
            ),
            .text("Status") { group in
                let target = group.condition("DisruptionTarget", in: "status", "conditions")
                if let reason = target?["reason"]?.filledText { return reason }
                switch group.condition("PodGroupScheduled", in: "status", "conditions")?["status"]?
                    .string
                {
                case "True": return "Scheduled"
                case nil: return "Pending"
                default: return "Unschedulable"
                }
            },
            .age,
        ],
        "RuntimeClass.node.k8s.io": [.name, .text("Handler", at: ["handler"]), .age],
        "FlowSchema.flowcontrol.apiserver.k8s.io": [
            .name,
            .text("PriorityLevel", at: ["spec", "priorityLevelConfiguration", "name"]),
            .text("MatchingPrecedence") { "\($0.number("spec", "matchingPrecedence"))" }.numeric,
            .text(
                "DistinguisherMethod",
                at: ["spec", "distinguisherMethod", "type"],
                or: CellText.none
            ),
            .age,
            .text("MissingPL") {
                $0.condition("Dangling", in: "status", "conditions")?["status"]?.string ?? "?"
            },
        ],
        "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io": [
            .name,
            .text("Type", at: ["spec", "type"]),
            .text("NominalConcurrencyShares") {
                Self.numberOrNone($0["spec", "limited", "nominalConcurrencyShares"])
            }.numeric,
            .text("Queues") { Self.queuing($0, "queues") }.numeric,
            .text("HandSize") { Self.queuing($0, "handSize") }.numeric,
            .text("QueueLengthLimit") { Self.queuing($0, "queueLengthLimit") }.numeric,
            .age,
        ],
        "StorageVersion.internal.apiserver.k8s.io": [
            .name,
            .text(
                "CommonEncodingVersion",
                at: ["status", "commonEncodingVersion"],
                or: CellText.unset
            ),
            .text("StorageVersions") { version in
                let texts = version.items("status", "storageVersions").map {
                    "\($0["apiServerID"]?.string ?? "")=\($0["encodingVersion"]?.string ?? "")"
                }
                return texts.isEmpty ? CellText.unset : CellText.first(3, of: texts)
            },
            .age,
        ],
        "StorageVersionMigration.storagemigration.k8s.io": [
            TableColumn("Name") { DynamicValue($0.text("metadata", "name") ?? "") },
            .text("Resource") { migration in
                let resource = migration.text("spec", "resource", "resource") ?? ""
                let group = migration.text("spec", "resource", "group")
                return group.map { "\(resource).\($0)" } ?? resource
            },
            .text("Status") { migration in
                ["Succeeded", "Failed", "Running"].first(where: migration.isTrue) ?? "Unknown"
            },
        ],
        "APIService.apiregistration.k8s.io": [
            .name,
            .text("Service") { service in
                guard let reference = service["spec", "service"] else { return "Local" }
                let namespace = reference["namespace"]?.string ?? ""
                return "\(namespace)/\(reference["name"]?.string ?? "")"
            },
            .text("Available") { service in
                let condition = service.condition("Available", in: "status", "conditions")
                guard let status = condition?["status"]?.string else { return "Unknown" }
                guard status != "True", let reason = condition?["reason"]?.filledText else {
                    return status
                }
                return "\(status) (\(reason))"
            },
            .age,
        ],
        "Status.meta.k8s.io": [
            .text("Status", at: ["status"]), .text("Reason", at: ["reason"]),
            .text("Message", at: ["message"]),
        ],
    ]

    private static func numberOrNone(_ value: DynamicValue?) -> String {
        value?.integer.map { "\($0)" } ?? CellText.none
    }

    private static func queuing(_ level: TableSubject, _ key: String) -> String {
        self.numberOrNone(level["spec", "limited", "limitResponse", "queuing", key])
    }
}
