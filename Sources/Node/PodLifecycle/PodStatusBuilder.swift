// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
package import Scalars

/// Makes the status of a pod from its spec, what the runtime has, and what probes and the last
/// attempts to start containers say.
///
/// Source: upstream `pkg/kubelet/kubelet_pods.go` (`generateAPIPodStatus`) and
/// `pkg/kubelet/status/generate.go`.
package struct PodStatusBuilder: Sendable {
    /// An attempt to start a container that failed.
    package struct StartFailure: Sendable, Equatable {
        package var reason: String
        package var message: String

        package init(reason: String, message: String) {
            self.reason = reason
            self.message = message
        }
    }

    /// Why the kubelet itself ended a pod, such as `Evicted`.
    package struct Ending: Sendable, Equatable {
        package var reason: String
        package var message: String

        package init(reason: String, message: String) {
            self.reason = reason
            self.message = message
        }
    }

    package var pod: CoreV1.Pod
    package var runtime: PodRuntimeState
    package var probes = ProbeResults()
    /// By name of the container.
    package var failures: [String: StartFailure] = [:]
    /// The status that was last reported.
    package var previous: CoreV1.PodStatus
    /// The node's addresses, the first one first.
    package var hostAddresses: [String] = []
    package var ending: Ending?
    /// Whether all containers are over and will not run again.
    package var isTerminal = false
    package var now: Timestamp

    package init(
        pod: CoreV1.Pod,
        runtime: PodRuntimeState,
        previous: CoreV1.PodStatus,
        now: Timestamp
    ) {
        self.pod = pod
        self.runtime = runtime
        self.previous = previous
        self.now = now
    }

    /// The status.
    package func status() -> CoreV1.PodStatus {
        var status = CoreV1.PodStatus()
        let specs = self.pod.initSpecs
        status.initContainerStatuses = RepeatedField(
            specs.map { self.containerStatus(of: $0) }
        )
        status.containerStatuses = RepeatedField(
            self.pod.regularSpecs.map { self.containerStatus(of: $0) }
        )
        status.ephemeralContainerStatuses = RepeatedField(
            self.pod.ephemeralSpecs.map { self.containerStatus(of: $0) }
        )
        status.qosClass = QOSClass(of: self.pod).rawValue
        status.observedGeneration = self.pod.metadata.generation
        status.nominatedNodeName = self.previous.nominatedNodeName
        status.resourceClaimStatuses = self.previous.resourceClaimStatuses
        status.startTime = self.previous.startTime ?? MetaV1.Time(self.now)
        self.setPhase(&status)
        self.setAddresses(&status)
        self.setConditions(&status)
        return status
    }

    // MARK: - Phase

    private func setPhase(_ status: inout CoreV1.PodStatus) {
        let previous = self.previous.phase
        if previous == PodPhase.failed || previous == PodPhase.succeeded {
            // An end is for good.
            status.phase = previous
            status.reason = self.previous.reason
            status.message = self.previous.message
            return
        }
        if let ending = self.ending {
            status.phase = PodPhase.failed
            status.reason = ending.reason
            status.message = ending.message
            return
        }
        status.phase = self.phase(of: status)
        if previous == PodPhase.running, status.phase == PodPhase.pending {
            status.phase = PodPhase.running
        }
    }

    /// Source: upstream `getPhase`.
    private func phase(of status: CoreV1.PodStatus) -> String {
        var pendingInit = 0
        var failedInit = 0
        for (spec, state) in zip(self.pod.initSpecs, status.initContainerStatuses) {
            let started =
                state.state.running != nil && (state.started ?? false)
            if spec.kind == .sidecar {
                if !started, state.state.terminated == nil, state.lastState.terminated == nil {
                    pendingInit += state.state.running != nil ? 0 : 1
                }
                continue
            }
            if let terminated = state.state.terminated {
                if terminated.exitCode != 0 {
                    failedInit += 1
                }
            } else if state.state.running != nil {
                pendingInit += 1
            } else if let last = state.lastState.terminated {
                if last.exitCode != 0 { failedInit += 1 }
                pendingInit += 1
            } else {
                pendingInit += 1
            }
        }
        var waiting = 0
        var running = 0
        var stopped = 0
        var succeeded = 0
        var unknown = 0
        for state in status.containerStatuses {
            if state.state.running != nil {
                running += 1
            } else if let terminated = state.state.terminated {
                stopped += 1
                succeeded += terminated.exitCode == 0 ? 1 : 0
            } else if state.state.waiting != nil {
                if state.lastState.terminated != nil { stopped += 1 } else { waiting += 1 }
            } else {
                unknown += 1
            }
        }
        let runsSidecar = zip(self.pod.initSpecs, status.initContainerStatuses).contains {
            $0.kind == .sidecar && $1.state.running != nil
        }
        if failedInit > 0, self.pod.spec.restartPolicy == "Never" { return PodPhase.failed }
        let specs = self.pod.regularSpecs
        let isInitialised = specs.contains {
            self.runtime.container(named: $0.name) != nil
        }
        if pendingInit > 0, !isInitialised { return PodPhase.pending }
        if waiting > 0 { return PodPhase.pending }
        if running > 0, unknown == 0 { return PodPhase.running }
        if running == 0, stopped > 0, unknown == 0 {
            let restarts = zip(specs, status.containerStatuses).contains { spec, state in
                guard !self.isTerminal else { return false }
                guard
                    let code = state.state.terminated?.exitCode
                        ?? state.lastState.terminated?
                        .exitCode
                else { return true }
                return RestartPolicy.restarts(spec, exitCode: code, in: self.pod)
            }
            // Sidecars are ended after the others; only then the pod has ended.
            if restarts || runsSidecar && !self.isTerminal { return PodPhase.running }
            return stopped == succeeded ? PodPhase.succeeded : PodPhase.failed
        }
        return PodPhase.pending
    }

    // MARK: - Addresses

    private func setAddresses(_ status: inout CoreV1.PodStatus) {
        guard let host = self.hostAddresses.first else { return }
        status.hostIP = host
        status.hostIPs = RepeatedField(
            self.hostAddresses.map { address in CoreV1.HostIP.with { $0.ip = address } }
        )
        var addresses = self.runtime.addresses
        if self.pod.usesHostNetwork, !self.runtime.sandboxes.isEmpty {
            addresses = self.hostAddresses
        } else if addresses.isEmpty {
            // A pod keeps its last addresses in its status after its end.
            addresses = self.previous.podIPs.map(\.ip)
        }
        status.podIP = addresses.first ?? ""
        status.podIPs = RepeatedField(
            addresses.map { address in CoreV1.PodIP.with { $0.ip = address } }
        )
    }
}
