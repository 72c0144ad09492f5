// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Logging
import NodeAPI
import PodLifecycle
import Protobuf
import RPCInterface

extension PodWorker {
    /// The least that a container has after its last hook.
    private static let minimumGrace: Int64 = 2

    /// Ends all containers and the sandboxes of a pod: first the regular and ephemeral containers
    /// at once, then sidecars in the reverse order of their start.
    func kill(_ runtime: PodRuntimeState, grace: Int64) async {
        let live = runtime.containers.filter { $0.state == .running || $0.state == .unknown }
        let sidecars = self.pod.initSpecs.filter { $0.kind == .sidecar }.map(\.name)
        let deadline = ContinuousClock.now + .seconds(grace)
        await withTaskGroup(of: Void.self) { group in
            for record in live where !sidecars.contains(record.name) {
                group.addTask { await self.kill(record, until: deadline, grace: grace) }
            }
        }
        for name in sidecars.reversed() {
            for record in live where record.name == name {
                await self.kill(record, until: deadline, grace: grace)
            }
        }
        for sandbox in runtime.sandboxes {
            try? await self.services.client.stopSandbox(sandbox.id)
        }
    }

    /// Ends one container, with what is left of the pod's time.
    private func kill(
        _ record: ContainerRecord,
        until deadline: ContinuousClock.Instant,
        grace: Int64
    ) async {
        let left = max(0, (deadline - .now).components.seconds)
        let spec = self.pod.containerSpec(named: record.name)
        self.services.events.normal(
            self.pod,
            spec?.fieldPath ?? "",
            "Killing",
            "Stopping container \(record.name)"
        )
        await self.stop(record, spec, grace: min(grace, left))
    }

    /// Ends a container for a reason of its own.
    func kill(_ kill: PodActions.Kill, _ runtime: PodRuntimeState) async {
        guard let record = runtime.containers.first(where: { $0.id == kill.id }) else { return }
        let spec = self.pod.containerSpec(named: record.name)
        var grace = self.pod.spec.terminationGracePeriodSeconds ?? 30
        // A probe may ask for less time than the pod does.
        switch kill.reason {
        case .liveness:
            grace = spec?.container.livenessProbe?.terminationGracePeriodSeconds ?? grace
        case .startup:
            grace = spec?.container.startupProbe?.terminationGracePeriodSeconds ?? grace
        case .changed, .unknownState: break
        }
        self.services.events.normal(self.pod, spec?.fieldPath ?? "", "Killing", kill.message)
        await self.stop(record, spec, grace: grace)
    }

    /// Runs the last hook and asks the container to end.
    private func stop(_ record: ContainerRecord, _ spec: ContainerSpec?, grace: Int64) async {
        var left = grace
        if let spec, let handler = spec.container.lifecycle?.preStop, record.state == .running,
            grace > 0
        {
            let begin = ContinuousClock.now
            let address =
                (self.pod.usesHostNetwork
                ? self.services.host.addresses
                : self.services.observer.known(self.uid).addresses).first ?? ""
            let hooks = LifecycleHooks(prober: self.services.prober)
            let problem = await Prober.within(.seconds(grace)) {
                await hooks.run(handler, spec, id: record.id, address: address)
            }
            if let problem, let problem {
                self.services.events.warning(
                    self.pod,
                    spec.fieldPath,
                    "FailedPreStopHook",
                    "PreStopHook failed"
                )
                self.services.logger.info(
                    "preStop hook failed",
                    metadata: ["pod": "\(self.pod.key)", "error": "\(problem)"]
                )
            }
            left -= (ContinuousClock.now - begin).components.seconds
        }
        left = max(left, Self.minimumGrace)
        if grace <= 1 { left = max(grace, 0) }
        do throws(RPCError) {
            try await self.services.client.stopContainer(record.id, grace: .seconds(left))
        } catch {
            guard !error.isNotFound, error.code != .cancelled else { return }
            self.services.logger.error(
                "stopping a container failed",
                metadata: ["pod": "\(self.pod.key)", "error": "\(error)"]
            )
        }
    }
}
