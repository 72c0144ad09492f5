// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import ClusterDNS
internal import CommandTree
internal import DNSMessages
internal import Flags
internal import Glibc
internal import Kubeconfig
internal import Logs
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

    /// `apus cluster-dns`: names of Services and pods.
    static let clusterDNS = Command(
        "cluster-dns",
        summary: "Answer for the names of Services and pods",
        isProgram: true,
        flags: [
            Command.dnsKubeconfig, Command.dnsDomain, Command.dnsAddresses, Command.dnsPort,
            Command.dnsResolver,
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
        try await ClusterDNS(
            configuration,
            channel: client,
            group: group,
            logger: LogFlags.logger("cluster-dns", flags)
        ).run()
        return .success
    }

    /// The text of a small file; empty when it cannot be read.
    private static func text(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        return String(decoding: buffer.prefix(fread(&buffer, 1, buffer.count, file)), as: UTF8.self)
    }
}
