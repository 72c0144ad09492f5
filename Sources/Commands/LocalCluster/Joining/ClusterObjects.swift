// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import JSON

/// What a cluster needs so that others can join it: its description for everybody, what a node asks
/// before it is one, and who may do what. Pure.
///
/// Names and rights are kubeadm's where it has them: upstream
/// `cmd/kubeadm/app/phases/bootstraptoken`.
public struct ClusterObjects: Sendable {
    /// The ConfigMap in kube-system that says what a node has to know.
    static let configuration = "apus-config"
    private static let nodes = "system:nodes"

    let options: ClusterOptions
    /// PEM of the cluster's authority.
    let authority: [UInt8]

    public init(_ options: ClusterOptions, authority: [UInt8]) {
        self.options = options
        self.authority = authority
    }

    /// In the order in which they are made.
    public var all: [DynamicValue] {
        [
            self.configMap(ClusterInfo.namespace, ClusterInfo.name, ["kubeconfig": self.info]),
            self.configMap("kube-system", Self.configuration, self.settings),
            // Everybody may read the description, as who joins has nothing yet.
            self.role(
                "kubeadm:bootstrap-signer-clusterinfo",
                in: ClusterInfo.namespace,
                [Self.rule(["get"], "", ["configmaps"], names: [ClusterInfo.name])]
            ),
            self.binding(
                "kubeadm:bootstrap-signer-clusterinfo",
                in: ClusterInfo.namespace,
                to: "kubeadm:bootstrap-signer-clusterinfo",
                [("User", "system:anonymous")]
            ),
            self.role(
                "apus:node-config",
                in: "kube-system",
                [Self.rule(["get"], "", ["configmaps"], names: [Self.configuration])]
            ),
            self.binding(
                "apus:node-config",
                in: "kube-system",
                to: "apus:node-config",
                [("Group", JoinTokenRecord.defaultGroup), ("Group", Self.nodes)]
            ),
            // Whether there is a node of the name already.
            self.role("kubeadm:get-nodes", [Self.rule(["get"], "", ["nodes"])]),
            self.binding(
                "kubeadm:get-nodes",
                to: "kubeadm:get-nodes",
                [("Group", JoinTokenRecord.defaultGroup)]
            ),
            self.binding(
                "kubeadm:kubelet-bootstrap",
                to: "system:node-bootstrapper",
                [("Group", JoinTokenRecord.defaultGroup)]
            ),
            self.binding(
                "kubeadm:node-autoapprove-bootstrap",
                to: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
                [("Group", JoinTokenRecord.defaultGroup)]
            ),
            self.binding(
                "kubeadm:node-autoapprove-certificate-rotation",
                to: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
                [("Group", Self.nodes)]
            ),
            // What else runs on a node that joined has the node's own certificate.
            self.binding(
                "apus:node-proxier",
                to: "system:node-proxier",
                [("Group", Self.nodes)]
            ),
            self.role(
                "apus:node-dns",
                [
                    Self.rule(["list", "watch"], "", ["namespaces", "services", "nodes"]),
                    Self.rule(["list", "watch"], "discovery.k8s.io", ["endpointslices"]),
                ]
            ),
            self.binding("apus:node-dns", to: "apus:node-dns", [("Group", Self.nodes)]),
        ]
    }

    private var info: String {
        ClusterInfo(
            server: "https://\(self.options.nodeAddress):\(self.options.layout.port(.apiServer))",
            authority: self.authority
        ).kubeconfig
    }

    private var settings: [String: String] {
        [
            "clusterDomain": self.options.clusterDomain,
            "podRange": "\(self.options.podRange)",
            "serviceRange": "\(self.options.serviceRange)",
        ]
    }

    // MARK: - Shapes

    private static func metadata(_ name: String, _ namespace: String?) -> DynamicValue {
        guard let namespace else { return ["name": DynamicValue(name)] }
        return ["name": DynamicValue(name), "namespace": DynamicValue(namespace)]
    }

    private static func list(_ words: [String]) -> DynamicValue {
        DynamicValue(words.map { DynamicValue($0) })
    }

    private func configMap(
        _ namespace: String,
        _ name: String,
        _ data: [String: String]
    ) -> DynamicValue {
        var entries: DynamicValue = [:]
        for (key, value) in data { entries[key] = DynamicValue(value) }
        return [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": Self.metadata(name, namespace), "data": entries,
        ]
    }

    private static func rule(
        _ verbs: [String],
        _ group: String,
        _ resources: [String],
        names: [String] = []
    ) -> DynamicValue {
        var rule: DynamicValue = [
            "verbs": self.list(verbs), "apiGroups": self.list([group]),
            "resources": self.list(resources),
        ]
        if !names.isEmpty { rule["resourceNames"] = self.list(names) }
        return rule
    }

    private func role(
        _ name: String,
        in namespace: String? = nil,
        _ rules: [DynamicValue]
    ) -> DynamicValue {
        [
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": namespace == nil ? "ClusterRole" : "Role",
            "metadata": Self.metadata(name, namespace), "rules": DynamicValue(rules),
        ]
    }

    /// A binding to a cluster role, or in a namespace to a role of it.
    private func binding(
        _ name: String,
        in namespace: String? = nil,
        to role: String,
        _ subjects: [(kind: String, name: String)]
    ) -> DynamicValue {
        [
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": namespace == nil ? "ClusterRoleBinding" : "RoleBinding",
            "metadata": Self.metadata(name, namespace),
            "roleRef": [
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": namespace == nil ? "ClusterRole" : "Role",
                "name": DynamicValue(role),
            ],
            "subjects": DynamicValue(
                subjects.map { subject -> DynamicValue in
                    [
                        "apiGroup": "rbac.authorization.k8s.io",
                        "kind": DynamicValue(subject.kind), "name": DynamicValue(subject.name),
                    ]
                }
            ),
        ]
    }
}
