// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import NodeHost
import PodLifecycle
import Protobuf
import RPCInterface
import Scalars

extension PodWorker {
    /// Rounds of a step: each does what the one before made possible.
    private static let maximumRounds = 16

    /// Brings the pod's containers closer to what the spec wants.
    ///
    /// - Returns: when to try again; nil to wait until something happens.
    func sync() async -> Duration? {
        let services = self.services
        var runtime = services.observer.known(self.uid)
        if self.lastSync == nil {
            do throws(RPCError) {
                runtime = try await services.observer.refresh(self.uid)
            } catch {
                return .seconds(1)
            }
        }
        self.lastSync = .now
        for _ in 0..<Self.maximumRounds {
            if Task.isCancelled { return .zero }
            services.probes.update(self.pod, runtime, address: self.address(runtime))
            if let left = self.deadline(), left <= .zero {
                self.end(
                    Ending(
                        reason: .init(
                            reason: "DeadlineExceeded",
                            message: "Pod was active on the node longer than the specified deadline"
                        )
                    )
                )
                return .zero
            }
            let actions = PodActions(
                for: self.pod,
                runtime: runtime,
                probes: services.probes.results
            )
            // A reason to wait that no longer holds must not be shown.
            for record in runtime.running { self.failures[record.name] = nil }
            let status = self.report(runtime, isTerminal: false)
            if status.phase == PodPhase.succeeded || status.phase == PodPhase.failed {
                self.end(Ending())
                return .zero
            }
            if actions.isEmpty {
                let due = await self.refreshVolumes(runtime)
                return [due, self.deadline(), self.longestPause].compactMap { $0 }.min()
            }
            if !self.pod.usesHostNetwork, let problem = services.health.networkProblem {
                if !self.toldNetworkNotReady {
                    self.toldNetworkNotReady = true
                    services.events.warning(
                        self.pod,
                        "",
                        "NetworkNotReady",
                        "network is not ready: \(problem)"
                    )
                }
                return .milliseconds(500)
            }
            self.toldNetworkNotReady = false
            switch await self.perform(actions, runtime) {
            case .again: break
            case .wait(let pause):
                guard let after = try? await services.observer.refresh(self.uid) else {
                    return pause
                }
                self.report(after, isTerminal: false)
                return [pause, self.deadline(), self.refresh.pause, self.longestPause]
                    .compactMap { $0 }.min()
            }
            guard let after = try? await services.observer.refresh(self.uid) else {
                return .seconds(1)
            }
            runtime = after
        }
        return .seconds(1)
    }

    private func address(_ runtime: PodRuntimeState) -> String {
        (self.pod.usesHostNetwork ? self.services.host.addresses.first : runtime.addresses.first)
            ?? "127.0.0.1"
    }

    /// Where a time of day says when something is due; nil where none does.
    private var longestPause: Duration? {
        self.pod.spec.activeDeadlineSeconds.map { _ in WallClock.longestPause }
    }

    /// What is left of the pod's time; nil when it has no limit.
    private func deadline() -> Duration? {
        guard let limit = self.pod.spec.activeDeadlineSeconds,
            let start = (self.services.statuses.entry(self.uid)?.status ?? self.pod.status)
                .startTime?.timestamp
        else { return nil }
        let age = WallClock.now - start.seconds * 1_000_000_000
        return .seconds(limit) - .nanoseconds(age)
    }

    enum Outcome {
        case again
        case wait(Duration?)
    }

    private func perform(_ actions: PodActions, _ runtime: PodRuntimeState) async -> Outcome {
        let services = self.services
        if actions.killsPod {
            if actions.createsSandbox, !runtime.sandboxes.isEmpty {
                services.events.normal(
                    self.pod,
                    "",
                    "SandboxChanged",
                    "Pod sandbox changed, it will be killed and re-created."
                )
            }
            await self.kill(runtime, grace: self.pod.spec.terminationGracePeriodSeconds ?? 30)
            if !actions.createsSandbox { return .again }
        } else {
            for kill in actions.kills { await self.kill(kill, runtime) }
        }
        let volumes: [String: MountedVolume]
        var addresses = runtime.addresses
        do {
            try await self.prepareNode()
            self.refresh.isStale = false
            volumes = try await services.volumes.mount(self.pod, addresses: addresses)
            self.refresh.succeeded(next: services.volumes.nextRefresh(of: self.pod))
        } catch {
            let text = (error as? VolumeFailure)?.description ?? "\(error)"
            services.events.warning(self.pod, "", "FailedMount", text)
            return .wait(.seconds(2))
        }
        var sandboxID = actions.sandboxID ?? ""
        let config = SandboxConfig(settings: services.settings, cgroups: services.cgroups)
            .make(self.pod, attempt: actions.attempt)
        if actions.createsSandbox {
            if Task.isCancelled { return .wait(.zero) }
            do {
                sandboxID = try await self.makeSandbox(config)
            } catch {
                services.events.warning(
                    self.pod,
                    "",
                    "FailedCreatePodSandBox",
                    "Failed to create pod sandbox: \(error)"
                )
                return .wait(.seconds(1))
            }
            guard let after = try? await services.observer.refresh(self.uid) else {
                return .wait(.seconds(1))
            }
            addresses = after.addresses
            self.report(after, isTerminal: false)
        }
        let starts = StartContext(
            sandboxID: sandboxID,
            sandbox: config,
            addresses: addresses,
            volumes: volumes
        )
        return await self.start(actions, starts)
    }

    private func makeSandbox(_ config: CRI.PodSandboxConfig) async throws -> String {
        let services = self.services
        let logs = config.logDirectory
        try await HostThreads.run { () throws(HostError) in try HostFiles.makeDirectory(logs) }
        var handler = ""
        if let name = self.pod.spec.runtimeClassName, !name.isEmpty {
            guard let cluster = services.cluster else {
                throw NotInCluster(kind: "runtimeclass", name: name)
            }
            handler = try await cluster.runtimeClassHandler(name)
        }
        if let problem = NameResolution(settings: services.settings).resolver(self.pod).problem {
            services.events.warning(self.pod, "", "DNSConfigForming", problem)
        }
        return try await services.client.runSandbox(config, handler: handler)
    }

    /// Folders and cgroups of the pod.
    private func prepareNode() async throws(HostError) {
        let pod = self.pod
        let services = self.services
        let paths = PodPaths(pod, services.settings)
        guard PodPaths.isSafe(pod.metadata.uid) else {
            throw HostError(code: 22, operation: "mkdir", path: pod.metadata.uid)
        }
        try await HostThreads.run { () throws(HostError) in
            try HostFiles.makeDirectory(paths.volumes, mode: 0o750)
            if let cgroups = services.cgroups { try cgroups.ensure(pod) }
        }
    }

    /// Starts containers in order; what cannot be started now is tried again later.
    private func start(_ actions: PodActions, _ context: StartContext) async -> Outcome {
        var retry: Duration?
        var didStart = false
        let groups: [[ContainerSpec]] = [
            actions.ephemeralContainers.map { self.pod.ephemeralSpecs[$0] },
            actions.initContainers.map { self.pod.initSpecs[$0] },
            actions.containers.map { self.pod.regularSpecs[$0] },
        ]
        for group in groups {
            for spec in group {
                if Task.isCancelled { return .wait(.zero) }
                do throws(StartError) {
                    try await self.startContainer(spec, context)
                    self.failures[spec.name] = nil
                    didStart = true
                } catch {
                    self.failures[spec.name] = error.failure
                    retry = min(retry ?? error.retry, error.retry)
                    // Init containers start one after the other.
                    if spec.kind == .initial || spec.kind == .sidecar { break }
                }
            }
        }
        if didStart { return retry == nil ? .again : .wait(retry) }
        return .wait(retry)
    }
}
