// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import ComponentServer
internal import Flags
internal import HTTP2Transport
internal import JSON
internal import KubeProxy
internal import Kubeconfig
internal import LocalCluster
internal import Logging
internal import Logs
internal import Metrics
internal import NIOCore
internal import NIOPosix
internal import ProcessMetrics
internal import RPC
internal import YAML

extension Command {
    private static let proxyConfig = Flag(
        "config",
        default: "",
        help: "`file` with a KubeProxyConfiguration; --hostname-override alone is heeded beside it"
    )
    private static let proxyKubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`file` that says how to reach the API server"
    )
    private static let proxyHostname = Flag(
        "hostname-override",
        default: "",
        help: "the `name` of this node, instead of the host's"
    )
    private static let proxyClusterRange = Flag(
        "cluster-cidr",
        default: "",
        help: "the `range` of the cluster's pods; one of each family, separated by a comma"
    )
    private static let proxyHealth = Flag(
        "healthz-bind-address",
        default: "0.0.0.0:10256",
        help: "`address` and port that serve health; empty for none"
    )
    private static let proxyMetrics = Flag(
        "metrics-bind-address",
        default: "127.0.0.1:10249",
        help: "`address` and port that serve metrics; empty for none"
    )
    private static let proxyMode = Flag(
        "proxy-mode",
        default: "nftables",
        help: "there is only nftables"
    )
    private static let proxyNetwork = Flag(
        "cni-conf-dir",
        default: "",
        help: "`folder` that the pod network's CNI configuration is written to; empty for none"
    )
    private static let proxyNetworkData = Flag(
        "cni-data-dir",
        default: "/var/lib/cni/networks",
        help: "`folder` in which the pods' addresses are kept"
    )
    private static let proxyBridge = Flag(
        "cni-bridge",
        default: "apus0",
        help: "the `name` of the bridge that pods are on"
    )
    private static let proxyNodePorts = Flag(
        "nodeport-addresses",
        default: [String](),
        help:
            "`ranges` of the node's addresses that serve node ports; 'primary', the default, is its first"
    )
    private static let proxyMasqueradeAll = Flag(
        "masquerade-all",
        default: false,
        help: "masquerade everything that goes to Services"
    )
    private static let proxyCleanup = Flag(
        "cleanup",
        default: false,
        help: "remove everything of kube-proxy from the kernel and exit"
    )

    /// `apus kube-proxy`: Services in the kernel.
    static let kubeProxy = Command(
        "kube-proxy",
        summary: "Bring Services into the kernel of this node, and its pods onto the network",
        isProgram: true,
        flags: [
            Command.proxyConfig, Command.proxyKubeconfig, Command.proxyHostname,
            Command.proxyClusterRange, Command.proxyHealth, Command.proxyMetrics,
            Command.proxyMode, Command.proxyNetwork, Command.proxyNetworkData,
            Command.proxyBridge, Command.proxyNodePorts, Command.proxyMasqueradeAll,
            Command.proxyCleanup,
        ] + LogFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = invocation.flags
        if flags[Command.proxyCleanup] {
            try KubeProxy.cleanUp()
            return .success
        }
        let options = try ProxyOptions(flags)
        let group = MultiThreadedEventLoopGroup.singleton
        let client = try Kubeconfig(path: options.kubeconfig).connection()
            .makeClient(group: group, userAgent: "kube-proxy/v1.36")
        defer { client.close(gracefully: false) }
        let proxy = KubeProxy(
            options.proxy,
            channel: client,
            logger: LogFlags.logger("kube-proxy", flags)
        )
        ProcessMetrics.register(in: proxy.metrics.registry)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await proxy.run() }
            if let health = options.health {
                tasks.addTask { try await proxy.serveHealth(on: health, group: group) }
            }
            if let metrics = options.metrics {
                tasks.addTask {
                    try await options.metricsServer(metrics, proxy, group).run()
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
        return .success
    }

    /// What the flags and the file say together.
    private struct ProxyOptions {
        var kubeconfig: String
        var proxy: KubeProxy.Configuration
        var health: HTTPEndpoint?
        var metrics: HTTPEndpoint?

        init(_ flags: ParsedFlags) throws {
            let path = flags[Command.proxyConfig]
            let file =
                path.isEmpty
                ? nil
                : try ProxyConfigurationFile(
                    try DynamicValue(
                        json: YAML.json(from: FileContent.read(path), duplicateKeys: .refused)
                    )
                )
            /// With a file, flags say nothing of what the file could say, as upstream.
            func value(_ flag: Flag<String>, _ field: String?) -> String {
                file == nil ? flags[flag] : field ?? flag.defaultValue
            }
            let mode = value(Command.proxyMode, file?.mode)
            guard mode.isEmpty || mode == "nftables" else {
                throw UsageError("--proxy-mode: '\(mode)' is not supported; there is nftables")
            }
            self.kubeconfig = value(Command.proxyKubeconfig, file?.kubeconfig)
            var name = flags[Command.proxyHostname]
            if name.isEmpty { name = file?.hostnameOverride ?? "" }
            self.proxy = KubeProxy.Configuration(
                nodeName: name.isEmpty ? NodeAddress.hostName() : name
            )
            self.proxy.clusterRange = value(Command.proxyClusterRange, file?.clusterCIDR)
            self.proxy.networkData = flags[Command.proxyNetworkData]
            self.proxy.bridge = flags[Command.proxyBridge]
            let network = flags[Command.proxyNetwork]
            self.proxy.networkDirectory = network.isEmpty ? nil : network
            self.proxy.nodePortAddresses = .init(
                file?.nodePortAddresses ?? flags[Command.proxyNodePorts]
            )
            self.proxy.masqueradesAll =
                file.map { $0.masqueradesAll ?? false } ?? flags[Command.proxyMasqueradeAll]
            self.proxy.masqueradeBit = file?.masqueradeBit ?? self.proxy.masqueradeBit
            self.proxy.connections = file?.connections ?? ConnectionLimits()
            self.health = try Self.endpoint(
                value(Command.proxyHealth, file?.healthzBindAddress),
                Command.proxyHealth.name
            )
            self.metrics = try Self.endpoint(
                value(Command.proxyMetrics, file?.metricsBindAddress),
                Command.proxyMetrics.name
            )
        }

        /// `/metrics`, `/proxyMode` and `/healthz`.
        func metricsServer(
            _ endpoint: HTTPEndpoint,
            _ proxy: KubeProxy,
            _ group: any EventLoopGroup
        ) -> ComponentServer {
            var server = ComponentServer.Configuration(endpoint: endpoint)
            server.pages["/metrics"] = ComponentServer.Page(contentType: Exposition.mediaType) {
                Array(proxy.metrics.registry.text().utf8)
            }
            server.pages["/proxyMode"] = ComponentServer.Page(
                contentType: "text/plain; charset=utf-8"
            ) {
                Array("nftables".utf8)
            }
            return ComponentServer(server, group: group)
        }

        /// The endpoint that a text names as `address:port`; nil when it is empty.
        private static func endpoint(
            _ text: String,
            _ flag: String
        ) throws(UsageError) -> HTTPEndpoint? {
            guard !text.isEmpty else { return nil }
            guard let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...])
            else { throw UsageError("--\(flag): '\(text)' is no address and port") }
            let host = text[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
            return .tcp(host: host.isEmpty ? "0.0.0.0" : String(host), port: Int(port))
        }
    }
}
