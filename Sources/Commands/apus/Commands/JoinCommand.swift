// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import Glibc
internal import LocalCluster
internal import Processes

extension Command {
    private static let joinToken = Flag(
        "token",
        default: "",
        help: "the `token` that apus token create printed"
    )
    private static let joinPins = Flag(
        "discovery-token-ca-cert-hash",
        default: [String](),
        help: "the `hash` of the key of the cluster's authority, as sha256:HEX"
    )
    private static let joinsBlindly = Flag(
        "discovery-token-unsafe-skip-ca-verification",
        default: false,
        help: "trust whoever knows the token, without a hash"
    )
    private static let joinTimeout = Flag(
        "timeout",
        default: Duration.seconds(120),
        help: "how long to wait for the cluster, and then for the node"
    )

    /// `apus join`: this machine as a node of a cluster elsewhere.
    static let join = Command(
        "join",
        summary: "Make this machine a node of a cluster that runs elsewhere",
        usage: "[ADDRESS:PORT] [flags]",
        discussion: """
            Makes this machine a node of the cluster whose API server is at ADDRESS:PORT.
            `apus token create --print-join-command` on a machine of the cluster prints the whole
            command. The server has to prove that it knows the token, and its authority's key has
            to have the hash, before the token is sent. Then containerd, kubelet, kube-proxy and
            cluster DNS are started here, supervised as those of apus up; status, logs, down and
            reset are there for them too.

            Without ADDRESS:PORT a node that joined before is started again.
            """,
        flags: [
            ClusterFlags.dataDirectory, ClusterFlags.portOffset, ClusterFlags.nodeName,
            ClusterFlags.nodeAddress, ClusterFlags.componentArguments, ClusterFlags.verbosity,
            ClusterSettings.file, Command.joinToken, Command.joinPins, Command.joinsBlindly,
            Command.joinTimeout,
        ],
        settings: ClusterSettings.apply
    ) { invocation in
        let flags = invocation.flags
        guard invocation.arguments.count <= 1 else { throw UsageError("expected one address") }
        guard geteuid() == 0 else { throw UsageError("a node needs root") }
        let layout = try ClusterFlags.layout(flags)
        guard !JoinedNode.hasOwnCluster(layout) else {
            throw UsageError(
                "\(layout.dataDirectory) has a cluster of its own; apus reset takes it away"
            )
        }
        let report: @Sendable (String) -> Void = { invocation.output.line($0) }
        let timeout = flags[Command.joinTimeout]
        let options: ClusterOptions
        if let address = invocation.arguments.first {
            options = try await Command.prepareNode(address, flags, report)
        } else {
            guard let known = try JoinedNode.options(layout) else {
                throw UsageError(
                    "expected ADDRESS:PORT: no node has joined a cluster in \(layout.dataDirectory)"
                )
            }
            try ClusterPreparation(known).prepareRuntime()
            options = known
        }
        let launcher = ClusterLauncher(options.layout, report: report)
        try launcher.start(
            ChildProcess.Command(
                "/proc/self/exe",
                ["supervise", "--data-dir=\(options.layout.dataDirectory)"],
                logPath: options.layout.log("supervisor")
            )
        )
        for name in try await ImageLoader(options.layout).run(timeout: timeout) {
            report("imported the image \(name)")
        }
        try await launcher.waitUntilReady(timeout: timeout)
        if let reason = try await NodeReadiness(options).wait(timeout: timeout) {
            throw ClusterLauncher.Failure.nodeNotReady(options.nodeName, reason)
        }
        JoinedNode.forgetToken(options.layout)
        report("The node \(options.nodeName) is in the cluster \(options.server ?? ""), and ready.")
        return .success
    }

    /// Finds out about the cluster and prepares this machine.
    private static func prepareNode(
        _ address: String,
        _ flags: ParsedFlags,
        _ report: @Sendable (String) -> Void
    ) async throws -> ClusterOptions {
        guard let colon = address.lastIndex(of: ":"),
            UInt16(address[address.index(after: colon)...]) != nil, colon != address.startIndex
        else { throw UsageError("'\(address)' is no ADDRESS:PORT") }
        guard let token = JoinToken(flags[Command.joinToken]) else {
            throw UsageError(
                "--token: '\(flags[Command.joinToken])' is no token such as "
                    + "abcdef.0123456789abcdef"
            )
        }
        let pins = flags[Command.joinPins]
        for pin in pins where !ClusterInfo.isPin(pin) {
            throw UsageError("--\(Command.joinPins.name): '\(pin)' is not sha256:HEX")
        }
        guard pins.isEmpty == flags[Command.joinsBlindly] else {
            throw UsageError(
                "expected either --\(Command.joinPins.name) or --\(Command.joinsBlindly.name)"
            )
        }
        let timeout = flags[Command.joinTimeout]
        let discovery = ClusterDiscovery(address: address, token: token, pins: pins)
        let cluster = try await discovery.run(timeout: timeout)
        report("The cluster at \(cluster.info.server) is the one that the token is of.")
        var options = try ClusterFlags.options(flags, of: cluster)
        options.server = cluster.info.server
        if try JoinedNode.options(options.layout) == nil {
            try await discovery.check(nodeName: options.nodeName, in: cluster)
        }
        try ClusterPreparation(options).join(cluster.info, token: token)
        return options
    }
}
