// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Processes

/// The processes of a cluster, from its options.
public struct ComponentPlan: Sendable {
    let options: ClusterOptions
    /// The path of the apus executable.
    let executable: String

    public init(_ options: ClusterOptions, executable: String) {
        self.options = options
        self.executable = executable
    }

    private var layout: ClusterLayout { self.options.layout }

    /// The components in the order of their starts.
    public var components: [Component] {
        if self.options.server != nil { return self.node }
        var list: [Component] = []
        if self.options.etcdServers.isEmpty { list.append(self.etcd) }
        list += [self.apiServer, self.controllerManager, self.scheduler]
        list.append(self.cloudControllerManager)
        if !self.options.controlPlaneOnly {
            list += self.node
        }
        return list.filter { !self.options.disabled.contains($0.name) }
    }

    /// A component that is this executable under another name.
    private func component(
        _ name: String,
        _ arguments: [String],
        readiness: Component.Readiness,
        after: [String] = [],
        address: String = ""
    ) -> Component {
        let common = self.options.verbosity > 0 ? ["--v=\(self.options.verbosity)"] : []
        let extra = self.options.extraArguments[name] ?? []
        return Component(
            name,
            command: ChildProcess.Command(
                self.executable,
                [name] + arguments + common + extra,
                logPath: self.layout.log(name)
            ),
            readiness: readiness,
            after: after.filter { !self.options.disabled.contains($0) },
            address: address
        )
    }

    private func isOwn(_ name: String) -> [String] {
        name == "etcd" && !self.options.etcdServers.isEmpty ? [] : [name]
    }
}

// MARK: - The control plane

extension ComponentPlan {
    private var etcd: Component {
        let port = self.layout.port(.etcd)
        let metrics = self.layout.port(.etcdMetrics)
        return self.component(
            "etcd",
            [
                "--data-dir=\(self.layout.etcd)",
                "--listen-client-urls=https://127.0.0.1:\(port)",
                "--advertise-client-urls=https://127.0.0.1:\(port)",
                "--listen-metrics-urls=http://127.0.0.1:\(metrics)",
                "--cert-file=\(self.layout.certificate("etcd/server"))",
                "--key-file=\(self.layout.key("etcd/server"))",
                "--trusted-ca-file=\(self.layout.certificate("etcd/ca"))",
                "--client-cert-auth=true",
            ],
            readiness: .http(port: metrics, path: "/health"),
            address: "127.0.0.1:\(port)"
        )
    }

    private var apiServer: Component {
        let port = self.layout.port(.apiServer)
        let servers =
            self.options.etcdServers.isEmpty
            ? ["https://127.0.0.1:\(self.layout.port(.etcd))"] : self.options.etcdServers
        return self.component(
            "kube-apiserver",
            [
                "--etcd-servers=\(servers.joined(separator: ","))",
                "--etcd-cafile=\(self.layout.certificate("etcd/ca"))",
                "--etcd-certfile=\(self.layout.certificate("apiserver-etcd-client"))",
                "--etcd-keyfile=\(self.layout.key("apiserver-etcd-client"))",
                "--secure-port=\(port)",
                "--advertise-address=\(self.options.nodeAddress)",
                // Who joins reads the cluster's description before it is anybody.
                "--anonymous-auth=true",
                "--tls-cert-file=\(self.layout.certificate("apiserver"))",
                "--tls-private-key-file=\(self.layout.key("apiserver"))",
                "--client-ca-file=\(self.layout.certificate("ca"))",
                "--service-cluster-ip-range=\(self.options.serviceRange)",
                "--local-volume-path=\(self.layout.volumes)",
                "--service-account-key-file=\(self.layout.serviceAccountPublicKey)",
                "--service-account-signing-key-file=\(self.layout.serviceAccountKey)",
                "--service-account-issuer=https://kubernetes.default.svc."
                    + self.options.clusterDomain,
                "--kubelet-client-certificate="
                    + self.layout.certificate("apiserver-kubelet-client"),
                "--kubelet-client-key=\(self.layout.key("apiserver-kubelet-client"))",
                "--kubelet-certificate-authority=\(self.layout.certificate("ca"))",
            ],
            readiness: .https(
                port: port,
                path: "/readyz",
                authority: self.layout.certificate("ca")
            ),
            after: self.isOwn("etcd"),
            address: "\(self.options.nodeAddress):\(port)"
        )
    }

    private var controllerManager: Component {
        let port = self.layout.port(.controllerManager)
        return self.component(
            "kube-controller-manager",
            [
                "--kubeconfig=\(self.layout.kubeconfig("controller-manager"))",
                "--leader-elect=false",
                // What joining needs, and is off unless it is named.
                "--controllers=*,bootstrap-signer-controller,token-cleaner-controller,"
                    + "kubelet-serving-approving-controller",
                "--secure-port=\(port)",
                "--bind-address=127.0.0.1",
                "--use-service-account-credentials=true",
                "--root-ca-file=\(self.layout.certificate("ca"))",
                "--service-account-private-key-file=\(self.layout.serviceAccountKey)",
                "--cluster-signing-cert-file=\(self.layout.certificate("ca"))",
                "--cluster-signing-key-file=\(self.layout.key("ca"))",
                "--allocate-node-cidrs=true",
                "--cluster-cidr=\(self.options.podRange)",
                "--service-cluster-ip-range=\(self.options.serviceRange)",
            ],
            readiness: .https(port: port, path: "/healthz", authority: nil),
            after: ["kube-apiserver"],
            address: "127.0.0.1:\(port)"
        )
    }

    private var scheduler: Component {
        let port = self.layout.port(.scheduler)
        return self.component(
            "kube-scheduler",
            [
                "--kubeconfig=\(self.layout.kubeconfig("scheduler"))",
                "--leader-elect=false",
                "--secure-port=\(port)",
                "--bind-address=127.0.0.1",
            ],
            readiness: .https(port: port, path: "/healthz", authority: nil),
            after: ["kube-apiserver"],
            address: "127.0.0.1:\(port)"
        )
    }

    private var cloudControllerManager: Component {
        let port = self.layout.port(.cloudControllerManager)
        return self.component(
            "cloud-controller-manager",
            [
                "--kubeconfig=\(self.layout.kubeconfig("cloud-controller-manager"))",
                "--cloud-provider=local",
                "--leader-elect=false",
                "--secure-port=\(port)",
                "--bind-address=127.0.0.1",
            ],
            readiness: .https(port: port, path: "/healthz", authority: nil),
            after: ["kube-apiserver"],
            address: "127.0.0.1:\(port)"
        )
    }
}

// MARK: - The node

extension ComponentPlan {
    private var node: [Component] {
        [self.containerd, self.kubelet, self.kubeProxy, self.clusterDNS]
            .filter { !self.options.disabled.contains($0.name) }
    }

    /// What the node's other processes wait for: on a node that joined, the certificate that its
    /// kubelet gets for all of them.
    private var access: String { self.options.server == nil ? "kube-apiserver" : "kubelet" }

    /// How the kubelet is known to the cluster, and serves.
    private var kubeletIdentity: [String] {
        guard self.options.server != nil else {
            return [
                "--tls-cert-file=\(self.layout.certificate("kubelet"))",
                "--tls-private-key-file=\(self.layout.key("kubelet"))",
            ]
        }
        return [
            "--bootstrap-kubeconfig=\(JoinedNode.bootstrapKubeconfig(self.layout))",
            "--cert-dir=\(self.layout.kubeletCertificates)",
            "--rotate-certificates=true",
            "--rotate-server-certificates=true",
        ]
    }

    private var containerd: Component {
        Component(
            "containerd",
            command: ChildProcess.Command(
                "containerd",
                ["--config", self.layout.containerdConfiguration],
                logPath: self.layout.log("containerd")
            ),
            readiness: .socket(path: self.layout.containerdSocket),
            address: self.layout.containerdSocket
        )
    }

    private var kubelet: Component {
        let health = self.layout.port(.kubeletHealth)
        let port = self.layout.port(.kubelet)
        return self.component(
            "kubelet",
            [
                "--kubeconfig=\(self.layout.kubeconfig("kubelet"))",
                "--root-dir=\(self.layout.kubelet)",
                "--container-runtime-endpoint=unix://\(self.layout.containerdSocket)",
                "--hostname-override=\(self.options.nodeName)",
                "--port=\(port)",
                "--healthz-port=\(health)",
                "--client-ca-file=\(self.layout.certificate("ca"))",
                "--cluster-dns=\(self.options.serviceRange.address(10))",
                "--cluster-domain=\(self.options.clusterDomain)",
                "--cgroup-driver=cgroupfs",
                "--pod-manifest-path=\(self.layout.kubelet)/manifests",
            ] + self.kubeletIdentity
                + (self.options.nodeAddress.isEmpty
                    ? [] : ["--node-ip=\(self.options.nodeAddress)"]),
            readiness: .http(port: health, path: "/healthz"),
            after: ["containerd", "kube-apiserver"],
            address: "\(self.options.nodeAddress):\(port)"
        )
    }

    private var kubeProxy: Component {
        let health = self.layout.port(.kubeProxyHealth)
        return self.component(
            "kube-proxy",
            [
                "--kubeconfig=\(self.layout.kubeconfig("kube-proxy"))",
                "--hostname-override=\(self.options.nodeName)",
                "--cluster-cidr=\(self.options.podRange)",
                "--healthz-bind-address=127.0.0.1:\(health)",
                "--metrics-bind-address=127.0.0.1:\(self.layout.port(.kubeProxyMetrics))",
                "--cni-conf-dir=\(self.layout.networks)",
                "--cni-data-dir=\(self.layout.kubelet)/addresses",
            ],
            readiness: .http(port: health, path: "/healthz"),
            after: [self.access],
            address: "127.0.0.1:\(health)"
        )
    }

    private var clusterDNS: Component {
        self.component(
            "cluster-dns",
            [
                "--kubeconfig=\(self.layout.kubeconfig("cluster-dns"))",
                "--cluster-domain=\(self.options.clusterDomain)",
                "--cluster-dns=\(self.options.serviceRange.address(10))",
            ],
            readiness: .port(host: self.options.serviceRange.address(10), port: 53),
            after: [self.access],
            address: "\(self.options.serviceRange.address(10)):53"
        )
    }
}
