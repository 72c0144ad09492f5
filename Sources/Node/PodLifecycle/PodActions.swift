// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf

/// What has to be done for a pod's containers to be as its spec wants them.
///
/// A pure decision from the spec, what the runtime has, and what probes say. The order of the work
/// is: kill, make the sandbox, start ephemeral containers, init containers, regular containers.
///
/// Source: upstream `pkg/kubelet/kuberuntime`, `computePodActions`.
package struct PodActions: Sendable, Equatable {
    /// Ends the sandbox and everything in it.
    package var killsPod = false
    /// Makes a sandbox.
    package var createsSandbox = false
    /// The number of the sandbox, counted from 0.
    package var attempt: UInt32 = 0
    /// The sandbox to start containers in, when none is made.
    package var sandboxID: String?
    /// Indices of init containers to start.
    package var initContainers: [Int] = []
    /// Indices of regular containers to start.
    package var containers: [Int] = []
    /// Indices of ephemeral containers to start.
    package var ephemeralContainers: [Int] = []
    /// Containers to end.
    package var kills: [Kill] = []

    package struct Kill: Sendable, Equatable {
        package var id: String
        package var name: String
        package var reason: Reason
        package var message: String
    }

    /// Why a container is ended.
    package enum Reason: Sendable, Equatable { case changed, liveness, startup, unknownState }

    package init() {}

    package var isEmpty: Bool { self == PodActions.nothing(in: self.sandboxID) }

    private static func nothing(in sandbox: String?) -> PodActions {
        var actions = PodActions()
        actions.sandboxID = sandbox
        return actions
    }
}

/// What probes know of a container instance, by its id.
package struct ProbeResults: Sendable {
    package enum Outcome: Sendable { case success, failure, unknown }

    package var liveness: [String: Outcome] = [:]
    package var readiness: [String: Outcome] = [:]
    package var startup: [String: Outcome] = [:]

    package init() {}
}

extension PodActions {
    /// The actions for `pod`.
    package init(
        for pod: CoreV1.Pod,
        runtime: PodRuntimeState,
        probes: ProbeResults = ProbeResults()
    ) {
        let (needsSandbox, attempt) = Self.sandboxChange(pod, runtime)
        self.attempt = attempt
        self.sandboxID = runtime.sandbox?.id
        if needsSandbox {
            self.killsPod = true
            self.createsSandbox = true
            self.startFromScratch(pod, runtime)
            return
        }
        for spec in pod.ephemeralSpecs where runtime.container(named: spec.name) == nil {
            self.ephemeralContainers.append(spec.index)
        }
        guard self.initialise(pod, runtime, probes), !self.killsPod else { return }
        self.keepRegularContainers(pod, runtime, probes)
    }

    /// Whether a sandbox has to be made, and its number.
    private static func sandboxChange(
        _ pod: CoreV1.Pod,
        _ runtime: PodRuntimeState
    ) -> (Bool, UInt32) {
        guard let newest = runtime.sandbox else { return (true, 0) }
        let readyCount = runtime.sandboxes.count { $0.isReady }
        if readyCount != 1 || !newest.isReady { return (true, newest.attempt + 1) }
        if newest.usesHostNetwork != pod.usesHostNetwork { return (true, newest.attempt + 1) }
        if !pod.usesHostNetwork, newest.addresses.isEmpty { return (true, newest.attempt + 1) }
        return (false, newest.attempt)
    }

    private mutating func startFromScratch(_ pod: CoreV1.Pod, _ runtime: PodRuntimeState) {
        let restartsOnFailure = pod.regularSpecs.contains {
            RestartPolicy.policy(of: $0, in: pod) != "Never"
        }
        if !restartsOnFailure, self.attempt != 0, !runtime.containers.isEmpty {
            // The sandbox of a pod that is not restarted is gone: it has ended.
            self.createsSandbox = false
            return
        }
        let wanted = pod.regularSpecs.filter { spec in
            guard let record = runtime.container(named: spec.name), record.state == .exited
            else { return true }
            return RestartPolicy.restarts(spec, exitCode: record.exitCode, in: pod)
        }
        if wanted.isEmpty {
            self.createsSandbox = false
            return
        }
        if pod.spec.initContainers.isEmpty {
            self.containers = wanted.map(\.index)
        } else {
            self.initContainers = [0]
        }
    }

    /// Decides about init containers and sidecars; true when the pod is initialised.
    private mutating func initialise(
        _ pod: CoreV1.Pod,
        _ runtime: PodRuntimeState,
        _ probes: ProbeResults
    ) -> Bool {
        let specs = pod.initSpecs
        if specs.isEmpty { return true }
        let isInitialised = pod.regularSpecs.contains {
            runtime.currentContainer(named: $0.name) != nil
        }
        // Records of init containers that are done may be gone; those before the last that left one
        // must have succeeded.
        let reached = specs.lastIndex { runtime.currentContainer(named: $0.name) != nil } ?? -1
        for spec in specs {
            let record = runtime.currentContainer(named: spec.name)
            guard spec.kind == .sidecar else {
                if isInitialised { continue }
                switch self.step(spec, record, isPassed: spec.index < reached, pod) {
                case .done: continue
                case .waits: return false
                }
            }
            guard let record else {
                self.initContainers.append(spec.index)
                if isInitialised { continue }
                return false
            }
            guard record.state == .running else {
                if record.state != .exited { self.kill(record, .unknownState, "") }
                self.initContainers.append(spec.index)
                if isInitialised { continue }
                return false
            }
            if let kill = Self.fault(of: spec, record, probes, kind: "Init container") {
                self.kill(record, kill.reason, kill.message + ", will be restarted")
                self.initContainers.append(spec.index)
                if isInitialised { continue }
                return false
            }
            let hasStarted =
                spec.container.startupProbe == nil || probes.startup[record.id] == .success
            if !isInitialised, !hasStarted { return false }
        }
        return true
    }

    private enum Step { case done, waits }

    /// Decides about one init container that runs to its end.
    private mutating func step(
        _ spec: ContainerSpec,
        _ record: ContainerRecord?,
        isPassed: Bool,
        _ pod: CoreV1.Pod
    ) -> Step {
        guard let record else {
            if isPassed { return .done }
            self.initContainers.append(spec.index)
            return .waits
        }
        switch record.state {
        case .running: return .waits
        case .exited where record.exitCode == 0: return .done
        case .exited, .unknown, .created:
            let restarts =
                record.state != .exited
                || RestartPolicy.restarts(spec, exitCode: record.exitCode, in: pod)
            guard restarts else {
                self.killsPod = true
                self.initContainers = []
                return .waits
            }
            if record.state != .exited { self.kill(record, .unknownState, "") }
            self.initContainers.append(spec.index)
            return .waits
        }
    }

    private mutating func keepRegularContainers(
        _ pod: CoreV1.Pod,
        _ runtime: PodRuntimeState,
        _ probes: ProbeResults
    ) {
        var kept = 0
        for spec in pod.regularSpecs {
            let record = runtime.container(named: spec.name)
            guard let record, record.state == .running else {
                guard RestartPolicy.restarts(spec, after: record, in: pod) else { continue }
                self.containers.append(spec.index)
                if let record, record.state != .exited {
                    self.kill(record, .unknownState, "")
                }
                continue
            }
            guard let fault = Self.fault(of: spec, record, probes, kind: "Container") else {
                kept += 1
                continue
            }
            let restarts =
                fault.reason == .changed || RestartPolicy.policy(of: spec, in: pod) != "Never"
            self.kill(
                record,
                fault.reason,
                restarts ? fault.message + ", will be restarted" : fault.message
            )
            if restarts { self.containers.append(spec.index) }
        }
        if kept == 0, self.containers.isEmpty {
            self.killsPod = true
            self.initContainers = []
        }
    }

    /// Why a running container has to end.
    private static func fault(
        of spec: ContainerSpec,
        _ record: ContainerRecord,
        _ probes: ProbeResults,
        kind: String
    ) -> (reason: Reason, message: String)? {
        if !record.hash.isEmpty, record.hash != ContainerHash.text(of: spec.container) {
            return (.changed, "\(kind) \(spec.name) definition changed")
        }
        if probes.liveness[record.id] == .failure {
            return (.liveness, "\(kind) \(spec.name) failed liveness probe")
        }
        if probes.startup[record.id] == .failure {
            return (.startup, "\(kind) \(spec.name) failed startup probe")
        }
        return nil
    }

    private mutating func kill(_ record: ContainerRecord, _ reason: Reason, _ message: String) {
        let text =
            message.isEmpty ? "Container \(record.name) is in unknown state" : message
        self.kills.append(
            Kill(id: record.id, name: record.name, reason: reason, message: text)
        )
    }
}

/// What of a container's spec makes it another container when it changes.
package enum ContainerHash {
    /// FNV-1a over name and image, in hexadecimal: the two that a running pod may change.
    package static func text(of container: CoreV1.Container) -> String {
        var hash: UInt32 = 2_166_136_261
        for byte in container.name.utf8 + [0] + container.image.utf8 {
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        return String(hash, radix: 16)
    }
}
