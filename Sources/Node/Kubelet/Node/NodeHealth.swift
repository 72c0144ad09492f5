// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NodeAPI
import PodLifecycle
import Protobuf
import RPCInterface
import Scalars
import Synchronization

/// What the node's conditions say.
///
/// Source: upstream `pkg/kubelet/nodestatus/setters.go`.
final class NodeHealth: Sendable {
    private struct State {
        var runtimeProblem: String?
        var networkProblem: String? = "container runtime status check may not have completed yet"
        var pressures: Set<String> = []
    }

    private let client: RuntimeClient
    private let observer: RuntimeObserver
    private let state = Mutex(State())

    init(client: RuntimeClient, observer: RuntimeObserver) {
        self.client = client
        self.observer = observer
    }

    /// Why pods with a network of their own cannot be started; nil when they can.
    var networkProblem: String? { self.state.withLock { $0.networkProblem } }

    var isReady: Bool {
        self.observer.problem == nil
            && self.state.withLock { $0.networkProblem == nil && $0.runtimeProblem == nil }
    }

    /// Pressures that hold: `MemoryPressure`, `DiskPressure`, `PIDPressure`.
    var pressures: Set<String> { self.state.withLock { $0.pressures } }

    /// Notes which pressures hold.
    func set(pressures: Set<String>) {
        self.state.withLock { $0.pressures = pressures }
    }

    /// Asks the runtime how it is.
    func check() async {
        do throws(RPCError) {
            let status = try await self.client.status().status
            let conditions = Array(status?.conditions ?? [])
            let problem = { (type: String) -> String? in
                guard let condition = conditions.first(where: { $0.type == type }) else {
                    return "\(type) is not reported"
                }
                if condition.status { return nil }
                return "\(type)=false reason:\(condition.reason) message:\(condition.message)"
            }
            self.state.withLock {
                $0.runtimeProblem = problem("RuntimeReady").map {
                    "container runtime not ready: \($0)"
                }
                $0.networkProblem = problem("NetworkReady").map {
                    "container runtime network not ready: \($0)"
                }
            }
        } catch {
            self.state.withLock {
                $0.runtimeProblem = "container runtime is down"
            }
        }
    }

    /// The conditions; transitions keep their times.
    func conditions(
        before: [CoreV1.NodeCondition],
        now: Timestamp
    ) -> RepeatedField<CoreV1.NodeCondition> {
        let pressures = self.pressures
        let problems =
            self.state.withLock { state in
                [state.runtimeProblem, state.networkProblem].compactMap { $0 }
            } + [self.observer.problem].compactMap { $0 }
        var list: [CoreV1.NodeCondition] = [
            Self.pressure(
                "MemoryPressure",
                pressures,
                ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
                ("KubeletHasSufficientMemory", "kubelet has sufficient memory available")
            ),
            Self.pressure(
                "DiskPressure",
                pressures,
                ("KubeletHasDiskPressure", "kubelet has disk pressure"),
                ("KubeletHasNoDiskPressure", "kubelet has no disk pressure")
            ),
            Self.pressure(
                "PIDPressure",
                pressures,
                ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
                ("KubeletHasSufficientPID", "kubelet has sufficient PID available")
            ),
            CoreV1.NodeCondition.with {
                $0.type = "Ready"
                $0.status = problems.isEmpty ? "True" : "False"
                $0.reason = problems.isEmpty ? "KubeletReady" : "KubeletNotReady"
                $0.message =
                    problems.isEmpty
                    ? "kubelet is posting ready status"
                    : problems.count == 1
                        ? problems[0] : "[\(problems.joined(separator: ", "))]"
            },
        ]
        for index in list.indices {
            let old = before.first { $0.type == list[index].type }
            list[index].lastHeartbeatTime = MetaV1.Time(now)
            list[index].lastTransitionTime =
                old?.status == list[index].status
                ? old?.lastTransitionTime ?? MetaV1.Time(now) : MetaV1.Time(now)
        }
        let own = Set(list.map(\.type))
        list += before.filter { !own.contains($0.type) }
        return RepeatedField(list)
    }

    private static func pressure(
        _ type: String,
        _ pressures: Set<String>,
        _ holds: (String, String),
        _ free: (String, String)
    ) -> CoreV1.NodeCondition {
        let isHeld = pressures.contains(type)
        return CoreV1.NodeCondition.with {
            $0.type = type
            $0.status = isHeld ? "True" : "False"
            ($0.reason, $0.message) = isHeld ? holds : free
        }
    }
}
