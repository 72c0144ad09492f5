// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import KubeScheduler
internal import Kubeconfig
internal import NIOPosix
internal import RPC
internal import Scheduler

extension Command {
    private static let namespace = Flag(
        "namespace",
        shorthand: "n",
        default: "",
        help: "the `namespace` of the pod; the kubeconfig's by default"
    )
    private static let configuration = Flag(
        "config",
        default: "",
        help: "`path` of the scheduler's configuration, if it has one"
    )

    /// `apus scheduler`: tools around kube-scheduler.
    static let scheduler = Command(
        "scheduler",
        summary: "Explain what the scheduler decides",
        subcommands: [.schedulerExplain]
    )

    /// `apus scheduler explain`: what each plugin says of each node for a pod.
    private static let schedulerExplain = Command(
        "explain",
        summary: "Show what each plugin says of each node for a pod",
        usage: "POD [flags]",
        discussion: """
            Shows, for a pod, each node's score and the plugins that it is made of, or the plugins
            that refuse the node and why. The pod may run already: it is looked at as if it were
            to be scheduled now.
            """,
        flags: [KubeSchedulerFlags.kubeconfig, Command.namespace, Command.configuration]
    ) { invocation in
        guard invocation.arguments.count == 1, let name = invocation.arguments.first else {
            throw UsageError("the name of one pod is needed")
        }
        let path = invocation.flags[KubeSchedulerFlags.kubeconfig]
        guard !path.isEmpty else { throw UsageError("--kubeconfig is required") }
        let connection = try Kubeconfig(path: path).connection()
        let client = try connection.makeClient(
            group: MultiThreadedEventLoopGroup.singleton,
            userAgent: "apus/v1.36"
        )
        defer { client.close(gracefully: false) }
        let file = invocation.flags[Command.configuration]
        var namespace = invocation.flags[Command.namespace]
        if namespace.isEmpty { namespace = connection.namespace }
        let explanation = try await PodExplanation(
            name,
            in: namespace.isEmpty ? "default" : namespace,
            profiles: file.isEmpty ? [.standard] : try KubeSchedulerFlags.read(file).profiles,
            channel: client
        )
        invocation.output.write(explanation.text)
        return .success
    }
}
