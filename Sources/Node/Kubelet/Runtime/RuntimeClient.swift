// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import NodeAPI
import Protobuf
package import RPCInterface

/// The container runtime, over CRI, with the time that each call may take.
///
/// Calls that change something are not abandoned when the task that made them is cancelled: the
/// runtime would go on with half of the work, and nobody would know of it.
package struct RuntimeClient: Sendable {
    package let runtime: CRI.RuntimeClient
    package let images: CRI.ImageClient
    package let channel: any RPCChannel
    /// For calls that wait for nothing but the runtime.
    package let timeout: Duration

    /// A client over a channel to the runtime.
    package init(channel: any RPCChannel, timeout: Duration = .seconds(120)) {
        self.channel = channel
        self.runtime = CRI.RuntimeClient(channel: channel)
        self.images = CRI.ImageClient(channel: channel)
        self.timeout = timeout
    }

    private var options: CallOptions { CallOptions(timeout: self.timeout) }

    /// Lists are large with many pods.
    private var listOptions: CallOptions {
        CallOptions(timeout: self.timeout, maxResponseMessageBytes: 16 << 20)
    }

    package func version() async throws(RPCError) -> CRI.VersionResponse {
        try await self.runtime.version(
            CRI.VersionRequest.with { $0.version = "v1" },
            options: CallOptions(timeout: .seconds(10))
        )
    }

    package func status(verbose: Bool = false) async throws(RPCError) -> CRI.StatusResponse {
        try await self.runtime.status(
            CRI.StatusRequest.with { $0.verbose = verbose },
            options: CallOptions(timeout: .seconds(10))
        )
    }

    // MARK: - Sandboxes

    package func sandboxes(
        labels: [String: String] = [:]
    ) async throws(RPCError) -> [CRI.PodSandbox] {
        let request = CRI.ListPodSandboxRequest.with {
            $0.filter = CRI.PodSandboxFilter.with { $0.labelSelector = MapField(labels) }
        }
        return Array(
            try await self.runtime.listPodSandbox(request, options: self.listOptions).items
        )
    }

    package func sandboxStatus(
        _ id: String,
        verbose: Bool = false
    ) async throws(RPCError) -> CRI.PodSandboxStatusResponse {
        let request = CRI.PodSandboxStatusRequest.with {
            $0.podSandboxId = id
            $0.verbose = verbose
        }
        return try await self.runtime.podSandboxStatus(request, options: self.options)
    }

    package func runSandbox(
        _ config: CRI.PodSandboxConfig,
        handler: String
    ) async throws(RPCError) -> String {
        let request = CRI.RunPodSandboxRequest.with {
            $0.config = config
            $0.runtimeHandler = handler
        }
        // Networks and first starts of virtual machines may take long.
        let options = CallOptions(timeout: self.timeout * 2)
        return try await Self.whole { () async throws(RPCError) in
            try await self.runtime.runPodSandbox(request, options: options).podSandboxId
        }
    }

    package func stopSandbox(_ id: String) async throws(RPCError) {
        let request = CRI.StopPodSandboxRequest.with { $0.podSandboxId = id }
        _ = try await Self.whole { () async throws(RPCError) in
            try await self.runtime.stopPodSandbox(request, options: self.options)
        }
    }

    package func removeSandbox(_ id: String) async throws(RPCError) {
        let request = CRI.RemovePodSandboxRequest.with { $0.podSandboxId = id }
        _ = try await Self.whole { () async throws(RPCError) in
            try await self.runtime.removePodSandbox(request, options: self.options)
        }
    }

    // MARK: - Containers

    package func containers(
        labels: [String: String] = [:]
    ) async throws(RPCError) -> [CRI.Container] {
        let request = CRI.ListContainersRequest.with {
            $0.filter = CRI.ContainerFilter.with { $0.labelSelector = MapField(labels) }
        }
        return Array(
            try await self.runtime.listContainers(request, options: self.listOptions).containers
        )
    }

    package func containerStatus(
        _ id: String,
        verbose: Bool = false
    ) async throws(RPCError) -> CRI.ContainerStatusResponse {
        let request = CRI.ContainerStatusRequest.with {
            $0.containerId = id
            $0.verbose = verbose
        }
        return try await self.runtime.containerStatus(request, options: self.options)
    }

    package func createContainer(
        _ config: CRI.ContainerConfig,
        in sandbox: String,
        _ sandboxConfig: CRI.PodSandboxConfig
    ) async throws(RPCError) -> String {
        let request = CRI.CreateContainerRequest.with {
            $0.podSandboxId = sandbox
            $0.config = config
            $0.sandboxConfig = sandboxConfig
        }
        return try await Self.whole { () async throws(RPCError) in
            try await self.runtime.createContainer(request, options: self.options).containerId
        }
    }

    package func startContainer(_ id: String) async throws(RPCError) {
        let request = CRI.StartContainerRequest.with { $0.containerId = id }
        _ = try await Self.whole { () async throws(RPCError) in
            try await self.runtime.startContainer(request, options: self.options)
        }
    }

    /// Asks a container to end and ends it after `grace`.
    package func stopContainer(_ id: String, grace: Duration) async throws(RPCError) {
        let request = CRI.StopContainerRequest.with {
            $0.containerId = id
            $0.timeout = grace.components.seconds
        }
        let options = CallOptions(timeout: grace + self.timeout)
        _ = try await self.runtime.stopContainer(request, options: options)
    }

    package func removeContainer(_ id: String) async throws(RPCError) {
        let request = CRI.RemoveContainerRequest.with { $0.containerId = id }
        _ = try await Self.whole { () async throws(RPCError) in
            try await self.runtime.removeContainer(request, options: self.options)
        }
    }

    package func execSync(
        _ id: String,
        command: [String],
        timeout: Duration
    ) async throws(RPCError) -> CRI.ExecSyncResponse {
        let request = CRI.ExecSyncRequest.with {
            $0.containerId = id
            $0.cmd = RepeatedField(command)
            $0.timeout = timeout.components.seconds
        }
        let options = CallOptions(
            timeout: timeout > .zero ? timeout + self.timeout : nil,
            maxResponseMessageBytes: 16 << 20
        )
        return try await self.runtime.execSync(request, options: options)
    }

    package func reopenLog(_ id: String) async throws(RPCError) {
        let request = CRI.ReopenContainerLogRequest.with { $0.containerId = id }
        _ = try await self.runtime.reopenContainerLog(request, options: self.options)
    }

    /// Runs a call to its end whatever becomes of the calling task.
    private static func whole<T: Sendable>(
        _ call: @escaping @Sendable () async throws(RPCError) -> T
    ) async throws(RPCError) -> T {
        let task = Task { () -> Result<T, RPCError> in
            do throws(RPCError) { return .success(try await call()) } catch {
                return .failure(error)
            }
        }
        return try await task.value.get()
    }
}

extension RPCError {
    /// Whether what the call was about is gone.
    package var isNotFound: Bool {
        self.code == .notFound
            || self.message.contains("not found") && self.code == .unknown
    }
}
