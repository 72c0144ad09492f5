// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import LocalCluster

extension Command {
    private static let follow = Flag(
        "follow",
        shorthand: "f",
        default: false,
        help: "go on with what is added"
    )
    private static let tail = Flag(
        "tail",
        default: -1,
        help: "the last `lines` only; -1 for all"
    )

    /// `apus logs`: what the cluster's processes say.
    static let logs = Command(
        "logs",
        summary: "Print the logs of the cluster's processes",
        usage: "[COMPONENT...] [flags]",
        discussion: """
            Prints the logs of the cluster's processes: of those that are named, or of all, each
            line with its process' name before it then.
            """,
        flags: ClusterFlags.place + [Command.follow, Command.tail],
        settings: ClusterSettings.apply
    ) { invocation in
        let reader = LogReader(try ClusterFlags.layout(invocation.flags))
        let known = reader.names
        for name in invocation.arguments where !known.contains(name) {
            throw UsageError(
                "no log of '\(name)'; there are those of: \(known.joined(separator: ", "))"
            )
        }
        let names = invocation.arguments.isEmpty ? known : invocation.arguments
        let tail = invocation.flags[Command.tail]
        let isNamed = names.count != 1
        try await reader.read(
            names,
            last: tail < 0 ? nil : tail,
            follows: invocation.flags[Command.follow]
        ) { name, line in
            invocation.output.line(isNamed ? "\(name): \(line)" : String(line))
        }
        return .success
    }
}
