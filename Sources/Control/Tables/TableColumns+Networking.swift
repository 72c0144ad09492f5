// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

extension TablePrinter {
    /// Networks and the leases and certificates of the machinery.
    static let networking: [String: [TableColumn]] = [
        "Ingress.networking.k8s.io": [
            .name,
            .text("Class", at: ["spec", "ingressClassName"], or: CellText.none),
            .text("Hosts", Self.hosts),
            .text("Address", Self.loadBalancer),
            .text("Ports") { $0.items("spec", "tls").isEmpty ? "80" : "80, 443" },
            .age,
        ],
        "IngressClass.networking.k8s.io": [
            TableColumn("Name", format: "name") {
                let name = $0.text("metadata", "name") ?? ""
                let key = "ingressclass.kubernetes.io/is-default-class"
                return DynamicValue($0.annotation(key) == "true" ? "\(name) (default)" : name)
            },
            .text("Controller", at: ["spec", "controller"]),
            .text("Parameters") { ingressClass in
                guard let parameters = ingressClass["spec", "parameters"] else {
                    return CellText.none
                }
                let kind = parameters["kind"]?.string ?? ""
                let group = parameters["apiGroup"]?.filledText.map { ".\($0)" } ?? ""
                return "\(kind)\(group)/\(parameters["name"]?.string ?? "")"
            },
            .age,
        ],
        "NetworkPolicy.networking.k8s.io": [
            .name,
            .text("Pod-Selector") { CellText.selector($0["spec", "podSelector"]) },
            .age,
        ],
        "ServiceCIDR.networking.k8s.io": [
            .name,
            .text("CIDRs") { ($0["spec", "cidrs"] ?? .emptyList).texts.joined(separator: ",") },
            .age,
        ],
        "IPAddress.networking.k8s.io": [
            .name,
            .text("ParentRef") { address in
                guard let parent = address["spec", "parentRef"] else { return CellText.none }
                return CellText.reference(
                    parent["resource"]?.string ?? "",
                    group: parent["group"]?.string ?? "",
                    namespace: parent["namespace"]?.filledText,
                    parent["name"]?.string ?? ""
                )
            },
            .age,
        ],
        "EndpointSlice.discovery.k8s.io": [
            .name,
            .text("AddressType", at: ["addressType"]),
            .text("Ports") { slice in
                let ports = slice.items("ports").map { port in
                    port["port"]?.integer.map { "\($0)" } ?? port["name"]?.filledText ?? "*"
                }
                return ports.isEmpty ? CellText.unset : CellText.first(3, of: ports)
            },
            .text("Endpoints") { slice in
                let addresses = slice.items("endpoints").flatMap { $0["addresses"]?.texts ?? [] }
                return addresses.isEmpty ? CellText.unset : CellText.first(3, of: addresses)
            },
            .age,
        ],
    ]

    /// The most hosts of an ingress that are shown.
    private static let maximumHosts = 3

    @Sendable
    private static func hosts(_ ingress: TableSubject) -> String {
        let rules = ingress.items("spec", "rules")
        var hosts: [String] = []
        for rule in rules {
            if hosts.count == Self.maximumHosts {
                let more = rules.count - Self.maximumHosts
                return "\(hosts.joined(separator: ",")) + \(more) more..."
            }
            if let host = rule["host"]?.filledText { hosts.append(host) }
        }
        return hosts.isEmpty ? "*" : hosts.joined(separator: ",")
    }
}
