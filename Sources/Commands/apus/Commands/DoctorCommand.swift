// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
internal import LocalCluster
internal import PKI

extension Command {
    private static let problemsOnly = Flag(
        "problems",
        default: false,
        help: "leave out what is well"
    )

    /// `apus doctor`: what keeps a cluster from working here, and what to do about it.
    static let doctor = Command(
        "doctor",
        summary: "Check this machine and its cluster, and say how to mend what is wrong",
        discussion: """
            Checks this machine and, if there is one, its cluster, and says how to mend what is
            wrong. The exit code is 1 when something does not work.
            """,
        flags: ClusterFlags.all + [Command.problemsOnly],
        settings: ClusterSettings.apply
    ) { invocation in
        try invocation.expectNoArguments()
        let findings = try await Doctor(try ClusterFlags.options(invocation.flags)).run(at: .now())
        for finding in findings
        where finding.severity != .ok || !invocation.flags[Command.problemsOnly] {
            invocation.output.write(finding.text)
        }
        return findings.contains { $0.severity == .failure } ? .failure : .success
    }
}
