// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
import Glibc

/// The executable. It knows no command itself: each is a file in `Commands/`, and `root` lists
/// them.
@main
enum Apus {
    /// All commands, components first, in the order that help shows them.
    static let root: Command = Command(
        "apus",
        summary: "Kubernetes in Swift: the control plane, the node and the tools in one program.",
        discussion: """
            Kubernetes in Swift: the control plane, the node and the tools in one program.

            A component also runs under its own name: ln -s apus kube-apiserver.
            """,
        subcommands: [
            .certs,
            .cloudControllerManager,
            .clusterDNS,
            .complete,
            .completion,
            .doctor,
            .down,
            .etcd,
            .hollowNode,
            .image,
            .join,
            .kubeAPIServer,
            .kubeControllerManager,
            .kubeProxy,
            .kubeScheduler,
            .kubeconfig,
            .kubectl,
            .kubelet,
            .logs,
            .reference,
            .reset,
            .rpc,
            .scheduler,
            .status,
            .supervise,
            .token,
            .up,
            .version,
        ]
    )

    static func main() async {
        // A closed pipe is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        // Not on the main thread's executor, which would run a component on one processor.
        let task = Task.detached {
            await self.root.execute(CommandLine.arguments, output: .standard)
        }
        Termination.onSignal { task.cancel() }
        exit(await task.value.rawValue)
    }
}

extension Output {
    /// The process' own standard output and error.
    static let standard = Output(
        write: { Output.write($0, to: STDOUT_FILENO) },
        writeError: { Output.write($0, to: STDERR_FILENO) }
    )

    /// Writes all of `text`; what a closed or full output does not take is lost, as there is
    /// nowhere left to say so.
    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
