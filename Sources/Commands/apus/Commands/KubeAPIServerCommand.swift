// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import APIServer
internal import CommandTree
internal import Logging
internal import Logs
internal import NIOPosix

extension Command {
    /// `apus kube-apiserver`.
    static let kubeAPIServer = Command(
        "kube-apiserver",
        summary: "Serve the Kubernetes API",
        discussion: """
            Serves the Kubernetes API, and the same over RPC, on one port.

            Objects are stored in etcd (--etcd-servers), or in this process (--etcd-data-dir).
            """,
        isProgram: true,
        flags: KubeAPIServerFlags.all + LogFlags.all
    ) { invocation in
        try invocation.expectNoArguments()
        let flags = KubeAPIServerFlags(invocation.flags)
        let group = MultiThreadedEventLoopGroup.singleton
        let logger = LogFlags.logger("kube-apiserver", invocation.flags)
        var configuration = try flags.configuration(group)
        configuration.log = { logger.warning("\($0)") }
        let (store, close) = try flags.openStore(group)
        do {
            try await APIServer(configuration, store: store).run(group: group)
        } catch {
            invocation.output.writeError("kube-apiserver: \(error)\n")
            try? close()
            return .failure
        }
        try close()
        return .success
    }
}
