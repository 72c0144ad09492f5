// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

extension TablePrinter {
    /// Dynamic resource allocation.
    static let devices: [String: [TableColumn]] = [
        "DeviceClass.resource.k8s.io": [.name, .age],
        "ResourceClaimTemplate.resource.k8s.io": [.name, .age],
        "ResourceClaim.resource.k8s.io": [
            .name,
            .text("State") { claim in
                var states: [String] = []
                let isAllocated = claim["status", "allocation"] != nil
                if claim.isDeleting {
                    states.append("deleted")
                } else if !isAllocated {
                    states.append("pending")
                }
                if isAllocated {
                    states.append("allocated")
                    if !claim.items("status", "reservedFor").isEmpty { states.append("reserved") }
                }
                return states.joined(separator: ",")
            },
            .age,
        ],
        "ResourceSlice.resource.k8s.io": [
            .name,
            .text("Node", at: ["spec", "nodeName"]),
            .text("Driver", at: ["spec", "driver"]),
            .text("Pool", at: ["spec", "pool", "name"]),
            .age,
        ],
        "ResourcePoolStatusRequest.resource.k8s.io": [
            .name,
            .text("Driver", at: ["spec", "driver"]),
            Self.sum("Total", "totalDevices"),
            Self.sum("Available", "availableDevices"),
            Self.sum("Allocated", "allocatedDevices"),
            Self.sum("Unavailable", "unavailableDevices"),
            .text("Errors") { request in
                guard let pools = Self.pools(request) else { return "-" }
                return "\(pools.filter { $0["validationError"]?.filledText != nil }.count)"
            },
            .integer("Pools", at: ["status", "poolCount"]),
            .text("Status") { request in
                if request.isTrue("Complete") {
                    let known = request.items("status", "pools").count
                    let total = request.number("status", "poolCount")
                    return total > known ? "Complete (\(known)/\(total) pools)" : "Complete"
                }
                return request.isTrue("Failed") ? "Failed" : "Pending"
            },
            .text("Completed") { request in
                guard request.isTrue("Complete") else { return CellText.none }
                let condition = request.condition("Complete", in: "status", "conditions")
                return request.age(condition?["lastTransitionTime"]) ?? CellText.none
            },
        ],
        "DeviceTaintRule.resource.k8s.io": [
            .name,
            .text("Key", at: ["spec", "taint", "key"]),
            .text("Value", at: ["spec", "taint", "value"]),
            .text("Effect", at: ["spec", "taint", "effect"]),
            .text("TimeAdded") { $0.age("spec", "taint", "timeAdded") ?? "" },
            .age,
        ],
    ]

    private static func pools(_ request: TableSubject) -> DynamicValue.Items? {
        guard request["status"] != nil, !request.isTrue("Failed") else { return nil }
        return request.items("status", "pools")
    }

    private static func sum(_ name: String, _ key: String) -> TableColumn {
        .text(name) { request in
            guard let pools = Self.pools(request) else { return "-" }
            return "\(pools.reduce(0) { $0 + ($1[key]?.integer ?? 0) })"
        }
    }
}
