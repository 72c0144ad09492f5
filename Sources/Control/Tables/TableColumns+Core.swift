// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

extension TablePrinter {
    /// The kinds of the core group that are neither workloads nor volumes.
    static let core: [String: [TableColumn]] = [
        "Pod": PodSummary.columns,
        "Service": Self.service,
        "Node": Self.node,
        "Event": Self.event,
        "Event.events.k8s.io": Self.event,
        "Namespace": [.name, .text("Status", at: ["status", "phase"]), .age],
        "Secret": [
            .name,
            .text("Type", at: ["type"]),
            .integer("Data") { Int64($0["data"]?.count ?? 0) },
            .age,
        ].withTextualData,
        "ConfigMap": [
            .name,
            .integer("Data") {
                Int64(($0["data"]?.count ?? 0) + ($0["binaryData"]?.count ?? 0))
            },
            .age,
        ].withTextualData,
        "ServiceAccount": [.name, .age],
        "Endpoints": [
            .name,
            .text("Endpoints") { endpoints in
                let subsets = endpoints.items("subsets")
                if subsets.isEmpty { return CellText.none }
                return CellText.first(3, of: subsets.flatMap(Self.addresses))
            },
            .age,
        ],
        "ComponentStatus": [
            .name,
            .text("Status") { status in
                switch status.condition("Healthy", in: "conditions")?["status"]?.string {
                case "True": "Healthy"
                case nil: "Unknown"
                default: "Unhealthy"
                }
            },
            .text("Message") {
                $0.condition("Healthy", in: "conditions")?["message"]?.string ?? ""
            },
            .text("Error") {
                $0.condition("Healthy", in: "conditions")?["error"]?.string ?? ""
            },
        ],
        "ResourceQuota": [
            .name,
            .text("Request") { Self.quota($0, ofLimits: false) },
            .text("Limit") { Self.quota($0, ofLimits: true) },
            .age,
        ],
    ]

    private static func addresses(_ subset: DynamicValue) -> [String] {
        let ports = (subset["ports"] ?? .emptyList).items.map { $0["port"]?.integer ?? 0 }
        return (subset["addresses"] ?? .emptyList).items.flatMap { address -> [String] in
            let ip = address["ip"]?.string ?? ""
            if ports.isEmpty { return [ip] }
            return ports.map { ip.contains(":") ? "[\(ip)]:\($0)" : "\(ip):\($0)" }
        }
    }

    private static func quota(_ quota: TableSubject, ofLimits: Bool) -> String {
        (quota["status", "hard"] ?? .emptyObject).entries
            .filter { $0.key.hasPrefix("limits.") == ofLimits }
            .map {
                "\($0.key): \(quota.text("status", "used", $0.key) ?? "0")/"
                    + ($0.value.string ?? "0")
            }
            .joined(separator: ", ")
    }
}

extension [TableColumn] {
    /// The column `Data` holds numbers under the type string, as upstream declares it.
    var withTextualData: [TableColumn] {
        self.map { $0.name == "Data" ? TableColumn($0.name, cell: $0.cell) : $0 }
    }
}

// MARK: - Services

extension TablePrinter {
    private static let service: [TableColumn] = [
        .name,
        .text("Type", at: ["spec", "type"]),
        .text("Cluster-IP") {
            $0.items("spec", "clusterIPs").first?.filledText ?? $0.text("spec", "clusterIP")
                ?? CellText.none
        },
        .text("External-IP", Self.externalIP),
        .text("Port(s)") { service in
            let ports = service.items("spec", "ports").map { port -> String in
                let number = port["port"]?.integer ?? 0
                let node = port["nodePort"]?.integer ?? 0
                let name = port["protocol"]?.string ?? ""
                return node > 0 ? "\(number):\(node)/\(name)" : "\(number)/\(name)"
            }
            return ports.isEmpty ? CellText.none : ports.joined(separator: ",")
        },
        .age,
        .text("Selector", wide: true) { CellText.labels($0["spec", "selector"]) },
    ]

    @Sendable
    private static func externalIP(_ service: TableSubject) -> String {
        let external = service.items("spec", "externalIPs").compactMap(\.string)
        switch service.text("spec", "type") {
        case "ClusterIP", "NodePort":
            return external.isEmpty ? CellText.none : external.joined(separator: ",")
        case "LoadBalancer":
            let all = [Self.loadBalancer(service)].filter { !$0.isEmpty } + external
            return all.isEmpty ? CellText.pending : all.joined(separator: ",")
        case "ExternalName": return service.text("spec", "externalName") ?? ""
        default: return CellText.unknown
        }
    }

    /// The addresses of a load balancer, sorted.
    static func loadBalancer(_ subject: TableSubject) -> String {
        Set(
            subject.items("status", "loadBalancer", "ingress").compactMap {
                $0["ip"]?.filledText ?? $0["hostname"]?.filledText
            }
        ).sorted().joined(separator: ",")
    }
}

// MARK: - Nodes

extension TablePrinter {
    private static let roleLabelPrefix = "node-role.kubernetes.io/"
    private static let roleLabel = "kubernetes.io/role"

    private static let node: [TableColumn] = [
        .name,
        .text("Status") { node in
            var texts: [String] = []
            switch node.condition("Ready", in: "status", "conditions")?["status"]?.string {
            case nil: texts.append("Unknown")
            case "True": texts.append("Ready")
            default: texts.append("NotReady")
            }
            if node["spec", "unschedulable"]?.bool == true { texts.append("SchedulingDisabled") }
            return texts.joined(separator: ",")
        },
        .text("Roles") { node in
            var roles = Set<String>()
            for (key, value) in (node["metadata", "labels"] ?? .emptyObject).entries {
                if key.hasPrefix(Self.roleLabelPrefix) {
                    let role = key.dropFirst(Self.roleLabelPrefix.count)
                    if !role.isEmpty { roles.insert(String(role)) }
                } else if key == Self.roleLabel, let role = value.filledText {
                    roles.insert(role)
                }
            }
            return roles.isEmpty ? CellText.none : roles.sorted().joined(separator: ",")
        },
        .age,
        .text("Version", at: ["status", "nodeInfo", "kubeletVersion"]),
        .text("Internal-IP", wide: true) { Self.address($0, "InternalIP") },
        .text("External-IP", wide: true) { Self.address($0, "ExternalIP") },
        .text(
            "OS-Image",
            at: ["status", "nodeInfo", "osImage"],
            or: CellText.unknown,
            wide: true
        ),
        .text("Kernel-Version", wide: true) { node in
            let kernel = node.text("status", "nodeInfo", "kernelVersion") ?? CellText.unknown
            let architecture = node.text("status", "nodeInfo", "architecture")
            return architecture.map { "\(kernel) (\($0))" } ?? kernel
        },
        .text(
            "Container-Runtime",
            at: ["status", "nodeInfo", "containerRuntimeVersion"],
            or: CellText.unknown,
            wide: true
        ),
    ]

    private static func address(_ node: TableSubject, _ type: String) -> String {
        node.items("status", "addresses").first { $0["type"]?.string == type }?["address"]?
            .filledText ?? CellText.none
    }
}

// MARK: - Events

extension TablePrinter {
    private static let event: [TableColumn] = [
        .text("Last Seen") { event in
            if event["series"] != nil {
                return event.age("series", "lastObservedTime") ?? CellText.unknown
            }
            return event.age(event["lastTimestamp"] ?? event["deprecatedLastTimestamp"])
                ?? Self.firstSeen(event)
        },
        .text("Type", at: ["type"]),
        .text("Reason", at: ["reason"]),
        .text("Object") { event in
            let object = event["involvedObject"] ?? event["regarding"]
            let kind = (object?["kind"]?.string ?? "").lowercased()
            return object?["name"]?.filledText.map { "\(kind)/\($0)" } ?? kind
        },
        .text("Subobject", wide: true) {
            ($0["involvedObject"] ?? $0["regarding"])?["fieldPath"]?.string ?? ""
        },
        .text("Source", wide: true) { event in
            let source = event["source"] ?? event["deprecatedSource"]
            let component =
                source?["component"]?.filledText ?? event.text("reportingComponent")
                ?? event.text("reportingController") ?? ""
            let instance = source?["host"]?.filledText ?? event.text("reportingInstance")
            return instance.map { "\(component), \($0)" } ?? component
        },
        .text("Message") { event in
            Self.trimmed(event.text("message") ?? event.text("note") ?? "")
        },
        .text("First Seen", wide: true, Self.firstSeen),
        .text("Count", wide: true) { event in
            if event["series"] != nil { return "\(event.number("series", "count"))" }
            let count =
                event["count"]?.integer ?? event["deprecatedCount"]?.integer ?? 0
            return "\(max(count, 1))"
        },
        TableColumn("Name", format: "name", priority: 1) {
            DynamicValue($0.text("metadata", "name") ?? "")
        },
    ]

    @Sendable
    private static func firstSeen(_ event: TableSubject) -> String {
        event.age(event["firstTimestamp"] ?? event["deprecatedFirstTimestamp"])
            ?? event.age("eventTime") ?? CellText.unknown
    }

    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
