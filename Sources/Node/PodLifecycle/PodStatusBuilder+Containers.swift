// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars

extension PodStatusBuilder {
    /// The status of one container.
    package func containerStatus(of spec: ContainerSpec) -> CoreV1.ContainerStatus {
        var status = CoreV1.ContainerStatus()
        let old = self.previousStatus(of: spec)
        status.name = spec.name
        status.image = spec.container.image
        if let record = self.runtime.container(named: spec.name) {
            self.describe(record, spec, &status)
        } else {
            self.describeMissing(spec, old, &status)
        }
        self.applyFailure(spec, &status)
        self.setReadiness(spec, &status)
        return status
    }

    private func previousStatus(of spec: ContainerSpec) -> CoreV1.ContainerStatus? {
        let list =
            switch spec.kind {
            case .initial, .sidecar: self.previous.initContainerStatuses
            case .regular: self.previous.containerStatuses
            case .ephemeral: self.previous.ephemeralContainerStatuses
            }
        return list.first { $0.name == spec.name }
    }

    private func describe(
        _ record: ContainerRecord,
        _ spec: ContainerSpec,
        _ status: inout CoreV1.ContainerStatus
    ) {
        status.restartCount = record.restarts
        status.imageID = record.imageID
        if !record.image.isEmpty { status.image = record.image }
        status.containerID = ContainerID.text(record.id)
        status.state = Self.state(of: record)
        if let before = self.runtime.previousContainer(named: spec.name), before.state == .exited {
            status.lastState = Self.state(of: before)
        }
        if record.state == .running {
            if !spec.container.resources.requests.isEmpty {
                status.allocatedResources = spec.container.resources.requests
            }
            status.resources = spec.container.resources
            if let user = record.user {
                status.user = CoreV1.ContainerUser.with {
                    $0.linux = CoreV1.LinuxContainerUser.with {
                        $0.uid = user.uid
                        $0.gid = user.gid
                        $0.supplementalGroups = RepeatedField(user.groups)
                    }
                }
            }
        }
        for mount in spec.container.volumeMounts {
            status.volumeMounts.append(
                CoreV1.VolumeMountStatus.with {
                    $0.name = mount.name
                    $0.mountPath = mount.mountPath
                    $0.readOnly = mount.readOnly
                    if mount.readOnly { $0.recursiveReadOnly = "Disabled" }
                }
            )
        }
    }

    /// A container that the runtime does not have: not made yet, or lost.
    private func describeMissing(
        _ spec: ContainerSpec,
        _ old: CoreV1.ContainerStatus?,
        _ status: inout CoreV1.ContainerStatus
    ) {
        if let old {
            status.restartCount = old.restartCount
            status.lastState = old.lastState
        }
        if let old, old.state.terminated != nil {
            // Its record may be gone; what was said of its end stays true.
            status.state = old.state
            status.imageID = old.imageID
            status.containerID = old.containerID
            return
        }
        if let old, let running = old.state.running {
            let lost = CoreV1.ContainerStateTerminated.with {
                $0.exitCode = 137
                $0.reason = "ContainerStatusUnknown"
                $0.message =
                    self.pod.isDeleted
                    ? "The container could not be located when the pod was deleted.  "
                        + "The container used to be Running"
                    : "The container could not be located when the pod was terminated"
                $0.startedAt = running.startedAt
                $0.containerID = old.containerID
            }
            if self.isTerminal || self.pod.isDeleted {
                status.state.terminated = lost
            } else {
                status.restartCount = old.restartCount + 1
                status.lastState.terminated = lost
                status.state.waiting = self.initialWaiting(spec)
            }
            return
        }
        if self.isTerminal, self.ending != nil || old != nil, spec.kind != .ephemeral(target: "") {
            status.state.terminated = CoreV1.ContainerStateTerminated.with {
                $0.exitCode = 137
                $0.reason = "ContainerStatusUnknown"
                $0.message = "The container could not be located when the pod was terminated"
            }
            return
        }
        status.state.waiting = self.initialWaiting(spec)
    }

    private func initialWaiting(_ spec: ContainerSpec) -> CoreV1.ContainerStateWaiting {
        let waitsForInit = !self.pod.spec.initContainers.isEmpty
        return CoreV1.ContainerStateWaiting.with {
            $0.reason = waitsForInit ? "PodInitializing" : "ContainerCreating"
        }
    }

    /// Shows why a container that should run does not.
    private func applyFailure(_ spec: ContainerSpec, _ status: inout CoreV1.ContainerStatus) {
        guard !self.isTerminal, let failure = self.failures[spec.name],
            status.state.running == nil
        else { return }
        if let terminated = status.state.terminated {
            guard RestartPolicy.restarts(spec, exitCode: terminated.exitCode, in: self.pod)
            else { return }
            status.lastState = status.state
        }
        status.state = CoreV1.ContainerState.with {
            $0.waiting = CoreV1.ContainerStateWaiting.with {
                $0.reason = failure.reason
                $0.message = failure.message
            }
        }
    }

    private func setReadiness(_ spec: ContainerSpec, _ status: inout CoreV1.ContainerStatus) {
        let record = self.runtime.container(named: spec.name)
        let isRunning = status.state.running != nil
        let id = record?.id ?? ""
        var hasStarted = false
        if isRunning {
            hasStarted =
                spec.container.startupProbe == nil || self.probes.startup[id] == .success
        }
        switch spec.kind {
        case .initial:
            status.started = false
            status.ready = status.state.terminated?.exitCode == 0
        case .sidecar, .regular:
            status.started = hasStarted
            status.ready =
                hasStarted
                && (spec.container.readinessProbe == nil || self.probes.readiness[id] == .success)
        case .ephemeral:
            status.ready = false
        }
    }

    private static func state(of record: ContainerRecord) -> CoreV1.ContainerState {
        var state = CoreV1.ContainerState()
        switch record.state {
        case .created:
            state.waiting = CoreV1.ContainerStateWaiting()
        case .running:
            state.running = CoreV1.ContainerStateRunning.with {
                $0.startedAt = Self.time(record.startedAt)
            }
        case .exited:
            state.terminated = CoreV1.ContainerStateTerminated.with {
                $0.exitCode = record.exitCode
                $0.reason = record.reason
                $0.message = record.message
                $0.startedAt = Self.time(record.startedAt)
                $0.finishedAt = Self.time(record.finishedAt)
                $0.containerID = ContainerID.text(record.id)
            }
        case .unknown:
            state.terminated = CoreV1.ContainerStateTerminated.with {
                $0.exitCode = 137
                $0.reason = "ContainerStatusUnknown"
                $0.message = "The container status is unknown"
                $0.containerID = ContainerID.text(record.id)
            }
        }
        return state
    }

    private static func time(_ nanoseconds: Int64) -> MetaV1.Time {
        nanoseconds <= 0
            ? MetaV1.Time()
            : MetaV1.Time(Timestamp(seconds: nanoseconds / 1_000_000_000))
    }
}

/// The text of a container's id in a status.
package enum ContainerID {
    private static let scheme = "containerd://"

    package static func text(_ id: String) -> String { Self.scheme + id }

    /// The runtime's id; nil when the text is none.
    package static func id(_ text: String) -> String? {
        text.hasPrefix(Self.scheme) ? String(text.dropFirst(Self.scheme.count)) : nil
    }
}
