// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import Glibc
internal import LocalCluster

extension Command {
    private static let yes = Flag(
        "yes",
        shorthand: "y",
        default: false,
        help: "do not ask"
    )

    /// `apus reset`: a machine as if there had been no cluster.
    static let reset = Command(
        "reset",
        summary: "Take the cluster and all its data away from this machine",
        discussion: """
            Ends the cluster and its pods, and removes what they leave: mounts, links, nftables
            tables, cgroups, and the data directory with everything stored in it.
            """,
        flags: ClusterFlags.place + [ClusterFlags.serviceRange, Command.yes],
        settings: ClusterSettings.apply
    ) { invocation in
        try invocation.expectNoArguments()
        let given = try ClusterFlags.options(invocation.flags)
        let options = try JoinedNode.options(given.layout) ?? given
        let folder = options.layout.dataDirectory
        let report: @Sendable (String) -> Void = { invocation.output.line($0) }
        let remover = ClusterRemover(options, report: report)
        guard remover.isCluster else {
            report("There is no cluster in \(folder).")
            return .success
        }
        if !invocation.flags[Command.yes] {
            invocation.output.writeError(
                "This removes the cluster in \(folder) and all its data. Type yes to go on: "
            )
            guard readLine() == "yes" else {
                report("Nothing was removed.")
                return .failure
            }
        }
        _ = try await ClusterLauncher(options.layout, report: report).stop(timeout: .seconds(60))
        let problems = await remover.run()
        for problem in problems { invocation.output.writeError("not removed: \(problem)\n") }
        guard problems.isEmpty else { return .failure }
        report("The cluster is gone.")
        return .success
    }
}
