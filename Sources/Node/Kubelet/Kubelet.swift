// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import HTTP2Transport
import KubernetesAPI
package import Logging
import NIOPosix
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf
import RPC
import RPCInterface
import Scalars

/// The node's agent: runs pods in containers and tells what becomes of them.
///
/// Without an API server it runs the pods of a folder of manifests.
package final class Kubelet: Sendable {
    private let settings: KubeletSettings
    private let cluster: APICluster?
    private let logger: Logger

    /// - Parameter cluster: the API server; nil to run static pods alone.
    package init(settings: KubeletSettings, cluster: APICluster?, logger: Logger) {
        self.settings = settings
        self.cluster = cluster
        self.logger = logger
    }

    /// Runs until the task is cancelled. Containers go on then, and the next run adopts them.
    package func run() async throws {
        let settings = self.settings
        let thresholds = try settings.evictionThresholds()
        try await HostThreads.run { () throws(HostError) in try HostPaths.prepare(settings) }
        var options = RPCClientOptions()
        options.waitForReady = false
        options.backoff = RPCBackoff(
            initial: .milliseconds(100),
            multiplier: 1.6,
            jitter: 0.2,
            maximum: .seconds(3)
        )
        options.limits.maxInboundMessageBytes = 16 << 20
        let channel = RPCClient(
            to: .unix(path: settings.runtimeEndpoint),
            options: options,
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { channel.close(gracefully: false) }
        let client = RuntimeClient(channel: channel)
        let version = try await self.waitForRuntime(client)
        let capacity = NodeCapacity(settings: settings)
        let node = KubeletNode(
            settings: settings,
            cluster: self.cluster,
            client: client,
            capacity: capacity,
            runtimeVersion: version,
            thresholds: thresholds,
            logger: self.logger
        )
        try await node.run()
    }

    /// Waits until the runtime answers: both are often started together.
    private func waitForRuntime(_ client: RuntimeClient) async throws -> String {
        var attempt = 0
        while true {
            do throws(RPCError) {
                let version = try await client.version()
                return "\(version.runtimeName)://\(version.runtimeVersion)"
            } catch {
                attempt += 1
                if attempt == 1 || attempt % 30 == 0 {
                    self.logger.warning(
                        "the container runtime does not answer",
                        metadata: [
                            "endpoint": "\(self.settings.runtimeEndpoint)", "error": "\(error)",
                        ]
                    )
                }
            }
            try await Task.sleep(for: .milliseconds(min(100 * attempt, 2000)))
        }
    }
}
