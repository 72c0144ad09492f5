// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Kubeconfig
import KubernetesAPI
import NIOPosix
import ObjectModel
import RPC
import ResourceClient

/// Whether the cluster says that this node can run pods.
public struct NodeReadiness: Sendable {
    private let nodeName: String
    private let kubeconfig: String

    public init(_ options: ClusterOptions) {
        self.nodeName = options.nodeName
        // A node that joined may ask for itself.
        self.kubeconfig = options.layout.kubeconfig(options.server == nil ? "admin" : "kubelet")
    }

    /// How long to wait between two questions.
    private static let pause = Duration.milliseconds(25)

    /// Waits until the node is ready.
    ///
    /// - Returns: why it is not, when the time is over; nil when it is.
    public func wait(timeout: Duration) async throws(KubeconfigError) -> String? {
        let client = try Kubeconfig(path: self.kubeconfig).connection()
            .makeClient(group: MultiThreadedEventLoopGroup.singleton, userAgent: "apus")
        defer { client.close(gracefully: false) }
        let nodes = Client<CoreV1.Node>(client)
        let deadline = ContinuousClock.now + timeout
        var reason = ""
        while ContinuousClock.now < deadline {
            do throws(StatusError) {
                let node = try await nodes.get(self.nodeName)
                guard let condition = node.status.conditions.first(where: { $0.type == "Ready" })
                else { throw StatusError.internalError("it has not said anything yet") }
                if condition.status == "True" { return nil }
                reason = condition.message
            } catch {
                reason = error.message
            }
            guard (try? await Task.sleep(for: Self.pause)) != nil else { return "interrupted" }
        }
        return reason
    }
}
