// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle
import Protobuf
import Synchronization

/// Runs the probes of running containers and keeps what they found.
///
/// Source: upstream `pkg/kubelet/prober`.
final class ProbeManager: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case liveness = "Liveness"
        case readiness = "Readiness"
        case startup = "Startup"
    }

    private struct Key: Hashable {
        var containerID: String
        var kind: Kind
    }

    private struct Running {
        var uid: String
        var task: Task<Void, Never>
    }

    private struct State {
        var results = ProbeResults()
        var running: [Key: Running] = [:]
    }

    private let prober: Prober
    private let events: any EventSink
    private let state = Mutex(State())
    private let onChange: @Sendable (String) -> Void

    /// - Parameter onChange: called with a pod's UID when a result has changed.
    init(
        prober: Prober,
        events: any EventSink,
        onChange: @escaping @Sendable (String) -> Void
    ) {
        self.prober = prober
        self.events = events
        self.onChange = onChange
    }

    var results: ProbeResults { self.state.withLock { $0.results } }

    /// Makes the probes that run be those of the containers that run.
    ///
    /// Liveness and readiness are asked for only once the startup probe has succeeded.
    func update(_ pod: CoreV1.Pod, _ runtime: PodRuntimeState, address: String) {
        let uid = pod.metadata.uid
        var wanted: [Key: (ContainerSpec, CoreV1.Probe, ContainerRecord)] = [:]
        for spec in pod.initSpecs + pod.regularSpecs where spec.kind != .initial {
            guard let record = runtime.container(named: spec.name), record.state == .running
            else { continue }
            let startup = spec.container.startupProbe
            if let startup {
                wanted[Key(containerID: record.id, kind: .startup)] = (spec, startup, record)
            }
            let hasStarted =
                startup == nil
                || self.state.withLock { $0.results.startup[record.id] } == .success
            guard hasStarted else { continue }
            if let probe = spec.container.livenessProbe {
                wanted[Key(containerID: record.id, kind: .liveness)] = (spec, probe, record)
            }
            if let probe = spec.container.readinessProbe {
                wanted[Key(containerID: record.id, kind: .readiness)] = (spec, probe, record)
            }
        }
        self.state.withLock { state in
            for (key, running) in state.running
            where running.uid == uid && wanted[key] == nil {
                running.task.cancel()
                state.running[key] = nil
            }
            for (key, (spec, probe, record)) in wanted where state.running[key] == nil {
                if state.results[key.kind, key.containerID] == nil {
                    // Until it is known: alive, not ready, not started.
                    state.results[key.kind, key.containerID] =
                        key.kind == .liveness
                        ? .success : key.kind == .readiness ? .failure : .unknown
                }
                let task = Task {
                    await self.run(key.kind, probe, spec, record, pod, address)
                }
                state.running[key] = Running(uid: uid, task: task)
            }
        }
    }

    /// Ends the probes of a pod and forgets their results.
    ///
    /// - Parameter keeping: kinds that go on.
    func stop(uid: String, containers: [String]) {
        self.state.withLock { state in
            for (key, running) in state.running where running.uid == uid {
                running.task.cancel()
                state.running[key] = nil
            }
            for id in containers {
                for kind in Kind.allCases { state.results[kind, id] = nil }
            }
        }
    }

    /// What is left of a probe's first delay: never more than all of it, wherever the clock was set.
    static func delay(_ initial: Duration, startedAt: Int64, now: Int64) -> Duration {
        max(.zero, initial - .nanoseconds(max(0, now - startedAt)))
    }

    private func run(
        _ kind: Kind,
        _ probe: CoreV1.Probe,
        _ spec: ContainerSpec,
        _ record: ContainerRecord,
        _ pod: CoreV1.Pod,
        _ address: String
    ) async {
        let delay = Self.delay(
            .seconds(Int(probe.initialDelaySeconds)),
            startedAt: record.startedAt,
            now: WallClock.now
        )
        if delay > .zero { try? await Task.sleep(for: delay) }
        let period = Duration.seconds(max(1, Int(probe.periodSeconds)))
        let needed = (
            success: max(1, Int(probe.successThreshold)),
            failure: probe.failureThreshold > 0 ? Int(probe.failureThreshold) : 3
        )
        var last: Bool?
        var count = 0
        var next = ContinuousClock.now
        while !Task.isCancelled {
            let answer = await self.prober.run(probe, spec, id: record.id, address: address)
            if Task.isCancelled { return }
            count = answer.isHealthy == last ? count + 1 : 1
            last = answer.isHealthy
            if !answer.isHealthy {
                self.events.warning(
                    pod,
                    spec.fieldPath,
                    "Unhealthy",
                    "\(kind.rawValue) probe failed: \(answer.output)"
                )
            }
            if count >= (answer.isHealthy ? needed.success : needed.failure) {
                self.set(kind, record.id, answer.isHealthy, uid: pod.metadata.uid)
                // The container is replaced; and a start is over once.
                if !answer.isHealthy, kind != .readiness { return }
                if answer.isHealthy, kind == .startup { return }
            }
            next += period
            let now = ContinuousClock.now
            if next < now { next = now }
            try? await Task.sleep(until: next, clock: .continuous)
        }
    }

    private func set(_ kind: Kind, _ id: String, _ isHealthy: Bool, uid: String) {
        let outcome: ProbeResults.Outcome = isHealthy ? .success : .failure
        let isNew = self.state.withLock { state in
            guard state.results[kind, id] != outcome else { return false }
            state.results[kind, id] = outcome
            return true
        }
        if isNew { self.onChange(uid) }
    }
}

extension ProbeResults {
    subscript(kind: ProbeManager.Kind, id: String) -> Outcome? {
        get {
            switch kind {
            case .liveness: self.liveness[id]
            case .readiness: self.readiness[id]
            case .startup: self.startup[id]
            }
        }
        set {
            switch kind {
            case .liveness: self.liveness[id] = newValue
            case .readiness: self.readiness[id] = newValue
            case .startup: self.startup[id] = newValue
            }
        }
    }
}
