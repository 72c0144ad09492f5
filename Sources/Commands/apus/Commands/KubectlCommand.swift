// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Flags
import Glibc
internal import LocalCluster

extension Command {
    /// `apus kubectl`: the kubectl of this machine, as the cluster's administrator.
    static let kubectl = Command(
        "kubectl",
        summary: "Run this machine's kubectl as the cluster's administrator",
        usage: "[flags] ARGUMENTS...",
        passesArguments: true,
        flags: ClusterFlags.place,
        settings: ClusterSettings.apply
    ) { invocation in
        let layout = try ClusterFlags.layout(invocation.flags)
        setenv("KUBECONFIG", layout.kubeconfig("admin"), 1)
        var words: [UnsafeMutablePointer<CChar>?] = (["kubectl"] + invocation.arguments).map {
            strdup($0)
        }
        words.append(nil)
        execvp("kubectl", words)
        throw UsageError("kubectl: \(String(cString: strerror(errno)))")
    }
}
