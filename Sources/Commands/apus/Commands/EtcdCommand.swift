// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CommandTree
internal import Engine
internal import EtcdServer
internal import Flags
internal import Logging
internal import Logs
internal import NIOPosix

extension Command {
    /// `apus etcd`: the cluster's key-value store.
    static let etcd = Command(
        "etcd",
        summary: "Run the cluster's key-value store, with etcd's API",
        discussion: """
            Runs the cluster's key-value store: one node, with the API, the flags and the metrics of
            etcd 3.6. For high availability, point clients at a cluster of etcd itself instead.

            Every flag can also be given by the environment, as etcd's: --data-dir is
            ETCD_DATA_DIR.
            """,
        isProgram: true,
        flags: EtcdFlags.all + LogFlags.all,
        subcommands: [.etcdCheck, .etcdSnapshot]
    ) { invocation in
        try invocation.expectNoArguments()
        if invocation.flags[EtcdFlags.version] {
            invocation.output.line("etcd Version: \(EmbeddedStore.etcdVersion)")
            invocation.output.line("Apus Version: \(Version.apus)")
            return .success
        }
        let flags = EtcdFlags(invocation.flags)
        let logger = flags.logger
        let configuration = try flags.configuration(logger)
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await StoreServer.start(configuration, logger: logger, group: group)
        try await server.run()
        return .success
    }
}
