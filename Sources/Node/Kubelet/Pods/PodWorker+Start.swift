// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf
import RPCInterface
import Scalars

/// What the start of every container of a pod needs.
struct StartContext: Sendable {
    var sandboxID: String
    var sandbox: CRI.PodSandboxConfig
    var addresses: [String]
    var volumes: [String: MountedVolume]
}

/// A container that could not be started: what its status shows, and when to try again.
struct StartError: Error, Sendable {
    var failure: PodStatusBuilder.StartFailure
    var retry: Duration

    init(_ reason: String, _ message: String, retry: Duration = .seconds(10)) {
        self.failure = PodStatusBuilder.StartFailure(reason: reason, message: message)
        self.retry = retry
    }
}

extension PodWorker {
    /// Pulls the image, makes the container, starts it, and runs its first hook.
    func startContainer(_ spec: ContainerSpec, _ context: StartContext) async throws(StartError) {
        let services = self.services
        let runtime = services.observer.known(self.uid)
        let last = runtime.container(named: spec.name)
        try self.checkPause(spec, last)
        let pulled = try await self.pull(spec, context)
        let config = try await self.config(spec, context, pulled, runtime)
        let id: String
        do throws(RPCError) {
            id = try await services.client.createContainer(
                config,
                in: context.sandboxID,
                context.sandbox
            )
        } catch {
            services.events.warning(
                self.pod,
                spec.fieldPath,
                "Failed",
                "Error: \(error.message)"
            )
            throw StartError("CreateContainerError", error.message)
        }
        services.observer.adopt(id, pod: self.uid)
        services.events.normal(self.pod, spec.fieldPath, "Created", "Container created")
        do throws(RPCError) {
            try await services.client.startContainer(id)
        } catch {
            services.events.warning(
                self.pod,
                spec.fieldPath,
                "Failed",
                "Error: \(error.message)"
            )
            if let last {
                self.noteCrash(spec, last.finishedAt)
            } else {
                self.noteCrash(spec, WallClock.now)
            }
            throw StartError("RunContainerError", error.message)
        }
        services.events.normal(self.pod, spec.fieldPath, "Started", "Container started")
        if let last, last.state == .exited { self.noteCrash(spec, last.finishedAt) }
        let log = "\(context.sandbox.logDirectory)/\(config.logPath)"
        let links = services.settings.containerLogsDirectory
        let pod = self.pod
        await HostThreads.run { ContainerLogLinks.make(pod, spec.name, id, to: log, in: links) }
        try await self.postStart(spec, id, context)
        await self.removeOld(spec)
    }

    // MARK: - Pauses

    private func backoffKey(_ spec: ContainerSpec) -> String {
        "\(self.uid)_\(spec.name)_\(ContainerHash.text(of: spec.container))"
    }

    private func noteCrash(_ spec: ContainerSpec, _ finished: Int64) {
        self.services.crashes.next(self.backoffKey(spec), event: finished)
    }

    /// A container that crashed waits before it runs again.
    private func checkPause(
        _ spec: ContainerSpec,
        _ last: ContainerRecord?
    ) throws(StartError) {
        guard let last, last.state == .exited, last.finishedAt > 0 else { return }
        let key = self.backoffKey(spec)
        guard let left = self.services.crashes.remaining(key, since: last.finishedAt) else {
            return
        }
        let pause = self.services.crashes.pause(key)
        self.services.events.warning(
            self.pod,
            spec.fieldPath,
            "BackOff",
            "Back-off restarting failed container \(spec.name) in pod \(self.pod.fullName)"
        )
        throw StartError(
            "CrashLoopBackOff",
            "back-off \(pause.goText) restarting failed container=\(spec.name) "
                + "pod=\(self.pod.fullName)",
            retry: left
        )
    }

    // MARK: - Image

    private func pull(
        _ spec: ContainerSpec,
        _ context: StartContext
    ) async throws(StartError) -> ImagePuller.Pulled {
        var credentials: [PullCredential] = []
        if let cluster = self.services.cluster {
            for reference in self.pod.spec.imagePullSecrets {
                do {
                    let secret = try await cluster.secret(
                        self.pod.metadata.namespace,
                        reference.name
                    )
                    credentials += PullCredential.list(secret)
                } catch {
                    self.services.events.warning(
                        self.pod,
                        "",
                        "FailedToRetrieveImagePullSecret",
                        "Unable to retrieve some image pull secrets (\(reference.name)); "
                            + "attempting to pull the image may not succeed."
                    )
                }
            }
        }
        do throws(ImagePuller.Failure) {
            return try await self.services.puller.image(
                for: spec,
                in: self.pod,
                sandbox: context.sandbox,
                credentials: credentials
            )
        } catch {
            self.services.events.warning(
                self.pod,
                spec.fieldPath,
                "Failed",
                "Error: \(error.reason)"
            )
            throw StartError(error.reason, error.message, retry: error.retry)
        }
    }

    // MARK: - Configuration

    private func config(
        _ spec: ContainerSpec,
        _ context: StartContext,
        _ pulled: ImagePuller.Pulled,
        _ runtime: PodRuntimeState
    ) async throws(StartError) -> CRI.ContainerConfig {
        let services = self.services
        let pod = self.pod
        do {
            var fields = services.host.context
            fields.podAddresses =
                pod.usesHostNetwork ? services.host.addresses : context.addresses
            let environment = try await Environment.make(
                spec.container,
                .init(pod: pod, cluster: services.cluster, context: fields)
            )
            var target = ""
            if case .ephemeral(let name) = spec.kind, !name.isEmpty {
                guard let found = runtime.container(named: name), found.state == .running else {
                    throw Environment.Missing(
                        description: "unable to find target container \(name)"
                    )
                }
                target = found.id
            }
            let builder = ContainerConfig(
                pod: pod,
                spec: spec,
                settings: services.settings,
                nodeMemory: services.host.memoryBytes,
                environment: environment,
                volumes: context.volumes,
                image: pulled.image,
                imageReference: pulled.reference,
                targetID: target
            )
            let restarts = self.restarts(spec, runtime)
            let hosts = NameResolution(settings: services.settings)
            let addresses = context.addresses
            let paths = PodPaths(pod, services.settings)
            return try await HostThreads.run { () throws(AnyError) in
                do {
                    try HostFiles.write(
                        Array(hosts.hosts(pod, addresses: addresses).utf8),
                        to: paths.hosts
                    )
                    return try builder.make(restarts: restarts)
                } catch {
                    throw AnyError(error)
                }
            }
        } catch {
            let text = (error as? AnyError)?.text ?? "\(error)"
            services.events.warning(pod, spec.fieldPath, "Failed", "Error: \(text)")
            throw StartError("CreateContainerConfigError", text)
        }
    }

    /// The number of the next instance.
    private func restarts(_ spec: ContainerSpec, _ runtime: PodRuntimeState) -> UInt32 {
        if let last = runtime.container(named: spec.name) {
            return UInt32(clamping: last.restarts) + 1
        }
        // Records may be gone, for example with the machine's containers after a reboot; logs of
        // earlier instances say how many there were.
        let status = self.services.statuses.entry(self.uid)?.status ?? self.pod.status
        let statuses = Array(status.containerStatuses) + Array(status.initContainerStatuses)
        guard let old = statuses.first(where: { $0.name == spec.name }), !old.containerID.isEmpty
        else { return 0 }
        return UInt32(clamping: old.restartCount) + 1
    }

    // MARK: - After the start

    private func postStart(
        _ spec: ContainerSpec,
        _ id: String,
        _ context: StartContext
    ) async throws(StartError) {
        guard let handler = spec.container.lifecycle?.postStart else { return }
        let address =
            (self.pod.usesHostNetwork ? self.services.host.addresses : context.addresses).first
            ?? ""
        let hooks = LifecycleHooks(prober: self.services.prober)
        let result = await hooks.run(handler, spec, id: id, address: address)
        // A pod that is being ended has its containers stopped anyway.
        guard let problem = result, !Task.isCancelled else { return }
        self.services.events.warning(
            self.pod,
            spec.fieldPath,
            "FailedPostStartHook",
            "PostStartHook failed"
        )
        try? await self.services.client.stopContainer(id, grace: .seconds(2))
        throw StartError("PostStartHookError", problem)
    }

    /// Keeps the last dead instance of a container; older ones go.
    private func removeOld(_ spec: ContainerSpec) async {
        let runtime = self.services.observer.known(self.uid)
        let dead = runtime.containers.filter { $0.name == spec.name && $0.state == .exited }
        for old in dead.dropFirst() {
            try? await self.services.client.removeContainer(old.id)
            let log = old.logPath
            let links = self.services.settings.containerLogsDirectory
            await HostThreads.run {
                for part in RotatedLogs.paths(of: log) { HostFiles.remove(part) }
                HostFiles.remove(log)
                ContainerLogLinks.remove(old.id, in: links)
            }
        }
    }
}

/// Carries any error's words out of a closure with typed errors.
struct AnyError: Error, Sendable {
    let text: String

    init(_ error: any Error) {
        self.text = "\(error)"
    }
}
