// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import HTTP2Transport
import NIOPosix
import NodeAPI
import Processes
import Protobuf
import RPC
import RPCInterface

/// The pods of a node as its container runtime has them, without the control plane: for the time
/// after the cluster's processes have ended.
struct PodRuntime: Sendable {
    private let layout: ClusterLayout

    /// The most that a container gets between SIGTERM and SIGKILL, in seconds; its pod may say less.
    static let longestGracePeriod: Int64 = 10
    /// The annotation by which the kubelet notes what a pod says.
    private static let gracePeriod = "io.kubernetes.pod.terminationGracePeriod"
    /// How long containerd may take to start, and to end.
    private static let timeout = Duration.seconds(20)

    init(_ layout: ClusterLayout) {
        self.layout = layout
    }

    /// What was ended.
    struct EndedPods: Sendable {
        /// How many pods ran.
        var running = 0
        /// The UIDs of all of whom anything was left.
        var uids: Set<String> = []
    }

    /// Ends every pod: its containers first, as gently as they let us, then its network and its
    /// sandbox.
    ///
    /// Starts a containerd of its own for that, as only it knows how to take a network away. Call
    /// it when the cluster's has ended.
    ///
    /// - Parameter removing: whether the pods' remains go as well, such as file systems.
    func endPods(removing: Bool) async throws -> EndedPods {
        guard access(self.layout.containerdConfiguration, R_OK) == 0 else { return EndedPods() }
        let containerd = try ChildProcess.start(
            ChildProcess.Command(
                "containerd",
                ["--config", self.layout.containerdConfiguration],
                logPath: self.layout.log("containerd")
            )
        )
        let end = Task {
            await withCheckedContinuation { done in containerd.onExit { done.resume(returning: $0) }
            }
        }
        let result: Result<EndedPods, any Error>
        do {
            result = .success(try await self.end(removing: removing))
        } catch {
            result = .failure(error)
        }
        containerd.send(signal: SIGTERM)
        let killer = Task {
            try await Task.sleep(for: Self.timeout)
            containerd.send(signal: SIGKILL)
        }
        _ = await end.value
        killer.cancel()
        return try result.get()
    }

    private func end(removing: Bool) async throws -> EndedPods {
        let channel = RPCClient(
            to: .unix(path: self.layout.containerdSocket),
            group: MultiThreadedEventLoopGroup.singleton
        )
        defer { channel.close(gracefully: false) }
        let runtime = CRI.RuntimeClient(channel: channel)
        let sandboxes = try await Self.sandboxes(runtime)
        let containers = try await runtime.listContainers(CRI.ListContainersRequest()).containers
        // All at once: each may take its grace period.
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for sandbox in sandboxes {
                let own =
                    containers.filter {
                        $0.podSandboxId == sandbox.id && $0.state == .containerRunning
                    } as [CRI.Container]
                tasks.addTask {
                    try await Self.end(sandbox.id, containers: own, removing, runtime)
                }
            }
            try await tasks.waitForAll()
        }
        return EndedPods(
            running: sandboxes.filter { $0.state == .sandboxReady }.count,
            uids: Set(sandboxes.compactMap { $0.metadata?.uid })
        )
    }

    /// All sandboxes, as soon as the runtime can tell: containerd takes calls before its own
    /// interface is ready, and fails them then.
    private static func sandboxes(
        _ runtime: CRI.RuntimeClient
    ) async throws -> RepeatedField<CRI.PodSandbox> {
        let deadline = ContinuousClock.now + Self.timeout
        while true {
            do throws(RPCError) {
                let options = CallOptions(deadline: deadline, waitForReady: true)
                return try await runtime.listPodSandbox(.init(), options: options).items
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func end(
        _ sandbox: String,
        containers: [CRI.Container],
        _ removing: Bool,
        _ runtime: CRI.RuntimeClient
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for container in containers {
                let grace = container.annotations[Self.gracePeriod].flatMap { Int64($0) }
                let request = CRI.StopContainerRequest.with {
                    $0.containerId = container.id
                    $0.timeout = min(grace ?? .max, Self.longestGracePeriod)
                }
                tasks.addTask { _ = try await runtime.stopContainer(request) }
            }
            try await tasks.waitForAll()
        }
        _ = try await runtime.stopPodSandbox(.with { $0.podSandboxId = sandbox })
        guard removing else { return }
        _ = try await runtime.removePodSandbox(.with { $0.podSandboxId = sandbox })
    }
}
