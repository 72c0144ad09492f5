// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import ComponentServer
internal import Flags
internal import HTTP2Transport
internal import KubeProxy
internal import Kubeconfig
internal import LocalCluster
internal import Logging
internal import Logs
internal import NIOPosix
internal import RPC

extension Command {
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
        help: "`address` and port that serve health"
    )
    private static let proxyMetrics = Flag(
        "metrics-bind-address",
        default: "127.0.0.1:10249",
        help: "`address` and port that serve metrics"
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
    private static let proxyCleanup = Flag(
        "cleanup",
        default: false,
        help: "remove every rule of kube-proxy and exit"
    )

    /// `apus kube-proxy`: Services in the kernel.
    static let kubeProxy = Command(
        "kube-proxy",
        summary: "Bring Services into the kernel of this node, and its pods onto the network",
        isProgram: true,
        flags: [
            Command.proxyKubeconfig, Command.proxyHostname, Command.proxyClusterRange,
            Command.proxyHealth, Command.proxyMetrics, Command.proxyMode, Command.proxyNetwork,
            Command.proxyNetworkData, Command.proxyBridge, Command.proxyCleanup,
        ] + LogFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = invocation.flags
        if flags[Command.proxyCleanup] {
            try KubeProxy.cleanUp()
            return .success
        }
        guard flags[Command.proxyMode] == "nftables" else {
            throw UsageError(
                "--proxy-mode: '\(flags[Command.proxyMode])' is not supported; there is nftables"
            )
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let client = try Kubeconfig(path: flags[Command.proxyKubeconfig]).connection()
            .makeClient(group: group, userAgent: "kube-proxy/v1.36")
        defer { client.close(gracefully: false) }
        let name = flags[Command.proxyHostname]
        var configuration = KubeProxy.Configuration(
            nodeName: name.isEmpty ? NodeAddress.hostName() : name
        )
        configuration.clusterRange = flags[Command.proxyClusterRange]
        configuration.networkData = flags[Command.proxyNetworkData]
        configuration.bridge = flags[Command.proxyBridge]
        let network = flags[Command.proxyNetwork]
        configuration.networkDirectory = network.isEmpty ? nil : network
        let proxy = KubeProxy(
            configuration,
            channel: client,
            logger: LogFlags.logger("kube-proxy", flags)
        )
        let health = try Command.endpoint(flags, Command.proxyHealth)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await proxy.run() }
            tasks.addTask {
                var server = ComponentServer.Configuration(endpoint: health)
                server.healthChecks = [
                    ComponentServer.Check("rules") { proxy.hasSynced ? nil : "no rules yet" }
                ]
                try await ComponentServer(server, group: group).run()
            }
            try await tasks.next()
            tasks.cancelAll()
        }
        return .success
    }

    /// The endpoint that a flag names as `address:port`.
    private static func endpoint(
        _ flags: ParsedFlags,
        _ flag: Flag<String>
    ) throws(UsageError) -> HTTPEndpoint {
        let text = flags[flag]
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw UsageError("--\(flag.name): '\(text)' is no address and port") }
        let host = text[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
        return .tcp(host: String(host), port: Int(port))
    }
}
