// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import ClusterDNS
internal import CommandTree
internal import ComponentServer
internal import DNSMessages
internal import Flags
internal import Glibc
internal import HTTP
internal import HTTP2Transport
internal import Kubeconfig
internal import Logs
internal import Metrics
internal import NIOPosix
internal import RPC

extension Command {
    private static let dnsKubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`file` that says how to reach the API server"
    )
    private static let dnsDomain = Flag(
        "cluster-domain",
        default: "cluster.local",
        help: "the cluster's DNS `domain`"
    )
    private static let dnsAddresses = Flag(
        "cluster-dns",
        default: ["10.96.0.10"],
        help: "`addresses` to serve, which become addresses of this machine"
    )
    private static let dnsPort = Flag("port", default: 53, help: "the `port` to serve")
    private static let dnsResolver = Flag(
        "resolv-conf",
        default: "/etc/resolv.conf",
        help: "`file` with the servers that are asked for names outside of the cluster"
    )

    private static let dnsHealth = Flag(
        "health-port",
        default: 0,
        help: "the `port` of loopback that serves /health, such as CoreDNS' 8080; 0 for none"
    )
    private static let dnsReady = Flag(
        "ready-port",
        default: 0,
        help: "the `port` of loopback that serves /ready, such as CoreDNS' 8181; 0 for none"
    )
    private static let dnsMetrics = Flag(
        "metrics-port",
        default: 0,
        help: "the `port` of loopback that serves /metrics, such as CoreDNS' 9153; 0 for none"
    )

    /// `apus cluster-dns`: names of Services and pods.
    static let clusterDNS = Command(
        "cluster-dns",
        summary: "Answer for the names of Services and pods",
        isProgram: true,
        flags: [
            Command.dnsKubeconfig, Command.dnsDomain, Command.dnsAddresses, Command.dnsPort,
            Command.dnsResolver, Command.dnsHealth, Command.dnsReady, Command.dnsMetrics,
        ] + LogFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = invocation.flags
        let group = MultiThreadedEventLoopGroup.singleton
        let client = try Kubeconfig(path: flags[Command.dnsKubeconfig]).connection()
            .makeClient(group: group, userAgent: "cluster-dns/v1.36")
        defer { client.close(gracefully: false) }
        let addresses = flags[Command.dnsAddresses]
        var configuration = ClusterDNS.Configuration(addresses: addresses)
        configuration.domain = DNSName(flags[Command.dnsDomain])
        configuration.port = flags[Command.dnsPort]
        configuration.resolverFile = Command.text(of: flags[Command.dnsResolver])
        for address in addresses { try LocalAddress.add(address) }
        defer { for address in addresses { try? LocalAddress.remove(address) } }
        let server = ClusterDNS(
            configuration,
            channel: client,
            group: group,
            logger: LogFlags.logger("cluster-dns", flags)
        )
        let pages: [(Int, String, @Sendable () -> SmallPages.Answer)] = [
            (flags[Command.dnsHealth], "/health", { SmallPages.Answer(status: .ok, body: "OK") }),
            (
                flags[Command.dnsReady], "/ready",
                {
                    server.isReady
                        ? SmallPages.Answer(status: .ok, body: "OK")
                        : SmallPages.Answer(status: .serviceUnavailable, body: "kubernetes")
                }
            ),
            (
                flags[Command.dnsMetrics], "/metrics",
                {
                    SmallPages.Answer(status: .ok, body: server.metrics.registry.text())
                }
            ),
        ]
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            for (port, path, answer) in pages where port > 0 {
                tasks.addTask {
                    try await SmallPages { $0 == path ? answer() : nil }
                        .serve(on: .tcp(host: "127.0.0.1", port: port), group: group)
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
        return .success
    }

    /// The text of a small file; empty when it cannot be read.
    private static func text(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
