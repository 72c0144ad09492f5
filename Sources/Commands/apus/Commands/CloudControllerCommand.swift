// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CloudController
internal import CommandTree
internal import ComponentServer
internal import Flags
internal import HTTP2Transport
internal import Informers
internal import Kubeconfig
internal import LocalCluster
internal import Logging
internal import Logs
internal import NIOPosix
internal import RPC

extension Command {
    private static let cloudKubeconfig = Flag(
        "kubeconfig",
        default: "",
        help: "`file` that says how to reach the API server"
    )
    private static let cloudProvider = Flag(
        "cloud-provider",
        default: LocalProvider.name,
        help: "the `name` of the provider; there is local"
    )
    private static let cloudElection = Flag(
        "leader-elect",
        default: false,
        help: "only false: one process at a time"
    )
    private static let cloudAddress = Flag(
        "bind-address",
        default: "0.0.0.0",
        help: "the `address` that serves health"
    )
    private static let cloudPort = Flag(
        "secure-port",
        default: 10258,
        help: "the `port` that serves health over TLS"
    )

    /// `apus cloud-controller-manager`: addresses for Services of type LoadBalancer.
    static let cloudControllerManager = Command(
        "cloud-controller-manager",
        summary: "Give Services of type LoadBalancer their addresses",
        isProgram: true,
        flags: [
            Command.cloudKubeconfig, Command.cloudProvider, Command.cloudElection,
            Command.cloudAddress, Command.cloudPort,
        ] + LogFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = invocation.flags
        guard flags[Command.cloudProvider] == LocalProvider.name else {
            throw UsageError(
                "--cloud-provider: '\(flags[Command.cloudProvider])' is not known; there is local"
            )
        }
        guard !flags[Command.cloudElection] else {
            throw UsageError(
                "--leader-elect: this component runs once in a cluster; there is no election"
            )
        }
        let group = MultiThreadedEventLoopGroup.singleton
        let client = try Kubeconfig(path: flags[Command.cloudKubeconfig]).connection()
            .makeClient(group: group, userAgent: "cloud-controller-manager/v1.36")
        defer { client.close(gracefully: false) }
        let logger = LogFlags.logger("cloud-controller-manager", flags)
        let factory = InformerFactory(client) { resource, error in
            logger.warning(
                "Failed to watch",
                metadata: ["resource": "\(resource)", "err": "\(error)"]
            )
        }
        let controller = ServiceController(
            LocalProvider(),
            factory: factory,
            channel: client,
            logger: logger
        )
        let server = ComponentServer.Configuration(
            endpoint: .tcp(host: flags[Command.cloudAddress], port: flags[Command.cloudPort]),
            tls: try ComponentServer.tls(
                certificatePath: "",
                keyPath: "",
                authorityPath: "",
                name: NodeAddress.hostName(),
                hosts: ["localhost", "127.0.0.1"]
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await factory.run() }
            tasks.addTask { await controller.run() }
            tasks.addTask { try await ComponentServer(server, group: group).run() }
            try await tasks.next()
            tasks.cancelAll()
        }
        return .success
    }
}
