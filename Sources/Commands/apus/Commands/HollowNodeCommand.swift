// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import HollowNodes
internal import Kubeconfig
internal import Logging
internal import Logs
internal import NIOPosix
internal import RPC

extension Command {
    /// `apus hollow-node`: simulated kubelets.
    static let hollowNode = Command(
        "hollow-node",
        summary: "Simulate many nodes, to test and measure a cluster",
        discussion: """
            Registers nodes that exist only in this process, renews their leases, and reports the
            pods that are bound to them as running. Nothing is run. --kubeconfig must allow what
            all those kubelets do.
            """,
        flags: HollowNodeFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let path = invocation.flags[KubeSchedulerFlags.kubeconfig]
        guard !path.isEmpty else { throw UsageError("--kubeconfig is required") }
        let connection = try Kubeconfig(path: path).connection()
        let client = try connection.makeClient(
            group: MultiThreadedEventLoopGroup.singleton,
            userAgent: "kubelet/v1.36"
        )
        defer { client.close(gracefully: false) }
        await HollowNodes(
            try HollowNodeFlags.configuration(invocation.flags),
            channel: client,
            logger: LogFlags.logger("hollow-node", invocation.flags)
        ).run()
        return .success
    }
}

/// The flags of `apus hollow-node`.
enum HollowNodeFlags {
    private static let count = Flag("count", default: 1, help: "`number` of nodes")
    private static let prefix = Flag(
        "name-prefix",
        default: "hollow-node-",
        help: "what the names of nodes begin with; a number follows"
    )
    private static let cpu = Flag("cpu", default: "4", help: "each node's `amount` of CPU")
    private static let memory = Flag(
        "memory",
        default: "32Gi",
        help: "each node's `amount` of memory"
    )
    private static let pods = Flag("pods", default: 110, help: "`number` of pods of each node")
    private static let zones = Flag(
        "zones",
        default: 0,
        help: "over how many zones the nodes are spread; 0 for none"
    )
    private static let labels = Flag(
        "node-labels",
        default: [String: String](),
        help: "`key=value` labels of all nodes"
    )
    private static let startDelay = Flag(
        "pod-startup-delay",
        default: Duration.zero,
        help: "from the binding of a pod until it runs"
    )
    private static let terminationDelay = Flag(
        "pod-termination-delay",
        default: Duration.zero,
        help: "from the deletion of a pod until it is gone"
    )
    private static let jobDuration = Flag(
        "job-duration",
        default: Duration.zero,
        help: "how long pods run that are not to be restarted; 0 for ever"
    )
    private static let leaseInterval = Flag(
        "lease-interval",
        default: Duration.seconds(10),
        help: "between two renewals of a node's lease"
    )
    private static let statusInterval = Flag(
        "status-interval",
        default: Duration.seconds(300),
        help: "between two reports of a node's status"
    )

    static let all: [any AnyFlag] =
        [
            KubeSchedulerFlags.kubeconfig, count, prefix, cpu, memory, pods, zones, labels,
            startDelay, terminationDelay, jobDuration, leaseInterval, statusInterval,
        ] + LogFlags.all

    static func configuration(_ flags: ParsedFlags) throws -> HollowNodes.Configuration {
        var configuration = HollowNodes.Configuration()
        configuration.count = flags[Self.count]
        guard (1...100_000).contains(configuration.count) else {
            throw UsageError("--count must be 1 to 100000")
        }
        configuration.template.namePrefix = flags[Self.prefix]
        configuration.template.cpu = flags[Self.cpu]
        configuration.template.memory = flags[Self.memory]
        configuration.template.pods = "\(flags[Self.pods])"
        configuration.template.zones = max(flags[Self.zones], 0)
        configuration.template.labels = flags[Self.labels]
        configuration.delays.start = flags[Self.startDelay]
        configuration.delays.termination = flags[Self.terminationDelay]
        let job = flags[Self.jobDuration]
        configuration.delays.job = job > .zero ? job : nil
        configuration.delays.lease = max(flags[Self.leaseInterval], .seconds(1))
        configuration.delays.status = max(flags[Self.statusInterval], .seconds(1))
        return configuration
    }
}
