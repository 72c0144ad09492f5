// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerHarness
import ControllerKit
import Glibc
import KubernetesAPI
import MemoryCluster
import Protobuf
import Testing

/// What happens in a run of ``ConvergenceTests``, and what must be true of it.
struct Scenario: Sendable, CustomTestStringConvertible {
    typealias Step = @Sendable (ControllerHarness) async throws -> Void

    var name: String
    /// Resources whose events may come late.
    var resources: [String]
    var controllers: @Sendable (ControllerHarness) -> [any Controller]
    var prepare: Step
    /// What people change once all is as they wanted. The first one is not called: what is wanted at
    /// the start is what `prepare` made.
    var phases: [Step]
    /// What kubelets do in a round.
    var live: @Sendable (ControllerHarness, Storm) async throws -> Void
    var isDone: @Sendable (ControllerHarness, Int) async throws -> Bool
    /// Broken promises, found in all that ever was.
    var problems: @Sendable (MemoryCluster) -> [String]

    var testDescription: String { self.name }

    static var isLong: Bool { getenv("APUS_TEST_LONG") != nil }

    static let all: [Scenario] = [
        .replicaSet, .deployment, .statefulSet, .daemonSet, .job(isIndexed: false),
        .job(isIndexed: true), .cronJob, .endpointSlice,
    ]
}

extension MemoryCluster {
    /// Calls `body` with the pods that there were after each change of one, and the changed pod.
    func replayPods(
        _ body: (_ pods: [String: CoreV1.Pod], _ changed: CoreV1.Pod, _ isNew: Bool) -> Void
    ) {
        var pods: [String: CoreV1.Pod] = [:]
        for (_, isDeleted, pod) in self.history(of: CoreV1.Pod.self) {
            let name = pod.metadata.name
            let isNew = pods[name]?.metadata.uid != pod.metadata.uid && !isDeleted
            pods[name] = isDeleted ? nil : pod
            body(pods, pod, isNew)
        }
    }

    /// The most pods that were active at any time.
    func mostActive(_ isIncluded: (CoreV1.Pod) -> Bool = { _ in true }) -> Int {
        var most = 0
        self.replayPods { pods, _, _ in
            most = max(most, pods.values.filter { $0.isActive && isIncluded($0) }.count)
        }
        return most
    }
}
