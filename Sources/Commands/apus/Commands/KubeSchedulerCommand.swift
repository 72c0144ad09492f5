// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import ComponentServer
internal import Flags
internal import KubeScheduler
internal import Kubeconfig
internal import Metrics
internal import NIOPosix
internal import RPC

extension Command {
    /// `apus kube-scheduler`: finds a node for each pod.
    static let kubeScheduler = Command(
        "kube-scheduler",
        summary: "Pick the best node for each pod",
        discussion: """
            Watches pods that have no node, picks the best node for each and binds it there, by
            upstream's plugins, weights and rules. --config names a KubeSchedulerConfiguration.
            """,
        isProgram: true,
        flags: KubeSchedulerFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = KubeSchedulerFlags(invocation.flags)
        let file = try flags.file()
        let connection = try flags.connection(file)
        let group = MultiThreadedEventLoopGroup.singleton
        let agent = "kube-scheduler/v1.36"
        // Watches have a connection of their own, so that bindings never wait behind them.
        let watching = try connection.makeClient(group: group, userAgent: agent)
        let writing = try connection.makeClient(group: group, userAgent: agent)
        defer { for client in [watching, writing] { client.close(gracefully: false) } }
        let scheduler = KubeScheduler(
            try flags.configuration(file),
            watching: watching,
            writing: writing,
            logger: flags.logger
        )
        let server = try flags.server(
            scheduler,
            file,
            access: DelegatedAccess(writing),
            group: group
        )
        return try await withThrowingTaskGroup(of: ExitCode?.self) { tasks in
            if let server {
                tasks.addTask {
                    try await server.run()
                    return nil
                }
            }
            tasks.addTask {
                guard try await scheduler.run() else { return .success }
                invocation.output.writeError("kube-scheduler: leaderelection lost\n")
                return .failure
            }
            defer { tasks.cancelAll() }
            while let ended = try await tasks.next() {
                if let ended { return ended }
            }
            return .success
        }
    }
}
