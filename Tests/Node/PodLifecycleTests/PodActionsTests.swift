// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import PodLifecycle

@Suite("PodActions")
struct PodActionsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var policy = "Always"
        var initial: [(name: String, isSidecar: Bool)] = []
        var sandbox: SandboxRecord? = SandboxRecord(id: "s", addresses: ["10.0.0.2"])
        /// Name, state, exit code.
        var records: [(String, ContainerRecord.State, Int32)] = []
        var liveness: ProbeResults.Outcome?
        var expect: @Sendable (PodActions) -> Bool
    }

    static let cases: [Case] = [
        Case(
            testDescription: "a new pod gets a sandbox and its containers",
            sandbox: nil,
            expect: { $0.createsSandbox && $0.attempt == 0 && $0.containers == [0, 1] }
        ),
        Case(
            testDescription: "init containers come first",
            initial: [("i", false)],
            sandbox: nil,
            expect: { $0.createsSandbox && $0.initContainers == [0] && $0.containers.isEmpty }
        ),
        Case(
            testDescription: "a running init container is waited for",
            initial: [("i", false)],
            records: [("i", .running, 0)],
            expect: { $0.isEmpty }
        ),
        Case(
            testDescription: "after the last init container the others start",
            initial: [("i", false)],
            records: [("i", .exited, 0)],
            expect: { $0.containers == [0, 1] && $0.initContainers.isEmpty }
        ),
        Case(
            testDescription: "a failed init container is repeated",
            initial: [("i", false)],
            records: [("i", .exited, 1)],
            expect: { $0.initContainers == [0] && $0.containers.isEmpty }
        ),
        Case(
            testDescription: "a failed init container ends a pod that is not restarted",
            policy: "Never",
            initial: [("i", false)],
            records: [("i", .exited, 1)],
            expect: { $0.killsPod && $0.initContainers.isEmpty && !$0.createsSandbox }
        ),
        Case(
            testDescription: "a sidecar that runs lets the next one start",
            initial: [("side", true), ("i", false)],
            records: [("side", .running, 0)],
            expect: { $0.initContainers == [1] }
        ),
        Case(
            testDescription: "a sidecar that ended is started again beside running containers",
            initial: [("side", true)],
            records: [("side", .exited, 0), ("a", .running, 0), ("b", .running, 0)],
            expect: { $0.initContainers == [0] && $0.containers.isEmpty }
        ),
        Case(
            testDescription: "a container that ended runs again",
            records: [("a", .exited, 0), ("b", .running, 0)],
            expect: { $0.containers == [0] && !$0.killsPod }
        ),
        Case(
            testDescription: "one that succeeded does not with OnFailure",
            policy: "OnFailure",
            records: [("a", .exited, 0), ("b", .running, 0)],
            expect: { $0.isEmpty }
        ),
        Case(
            testDescription: "one that failed does with OnFailure",
            policy: "OnFailure",
            records: [("a", .exited, 2), ("b", .running, 0)],
            expect: { $0.containers == [0] }
        ),
        Case(
            testDescription: "a pod whose containers are all over is ended",
            policy: "Never",
            records: [("a", .exited, 0), ("b", .exited, 1)],
            expect: { $0.killsPod && !$0.createsSandbox }
        ),
        Case(
            testDescription: "a sandbox that is gone is made again",
            sandbox: SandboxRecord(id: "s", attempt: 3, isReady: false, addresses: ["10.0.0.2"]),
            records: [("a", .exited, 0)],
            expect: { $0.createsSandbox && $0.killsPod && $0.attempt == 4 }
        ),
        Case(
            testDescription: "but not for a pod that is not restarted",
            policy: "Never",
            sandbox: SandboxRecord(id: "s", isReady: false, addresses: ["10.0.0.2"]),
            records: [("a", .exited, 0)],
            expect: { !$0.createsSandbox && $0.killsPod }
        ),
        Case(
            testDescription: "a container that fails its liveness probe is replaced",
            records: [("a", .running, 0), ("b", .running, 0)],
            liveness: .failure,
            expect: {
                $0.containers == [0] && $0.kills.map(\.name) == ["a"]
                    && $0.kills.first?.message
                        == "Container a failed liveness probe, will be restarted"
            }
        ),
    ]

    static func pod(_ test: Case) -> CoreV1.Pod {
        var pod = CoreV1.Pod()
        pod.metadata.name = "p"
        pod.spec.restartPolicy = test.policy
        for name in ["a", "b"] { pod.spec.containers.append(.with { $0.name = name }) }
        for initial in test.initial {
            pod.spec.initContainers.append(
                .with {
                    $0.name = initial.name
                    if initial.isSidecar { $0.restartPolicy = "Always" }
                }
            )
        }
        return pod
    }

    @Test("decides", arguments: Self.cases)
    func decides(test: Case) {
        let records = test.records.enumerated().map { index, record in
            ContainerRecord(
                id: "id-\(record.0)",
                name: record.0,
                sandboxID: "s",
                state: record.1,
                createdAt: Int64(index),
                exitCode: record.2
            )
        }
        var probes = ProbeResults()
        if let liveness = test.liveness { probes.liveness["id-a"] = liveness }
        let actions = PodActions(
            for: Self.pod(test),
            runtime: PodRuntimeState(
                sandboxes: test.sandbox.map { [$0] } ?? [],
                containers: records
            ),
            probes: probes
        )
        #expect(test.expect(actions), "\(actions)")
    }

    @Test("gives the same decision again: nothing depends on what was decided before")
    func isPure() {
        for test in Self.cases {
            let runtime = PodRuntimeState(sandboxes: test.sandbox.map { [$0] } ?? [])
            let pod = Self.pod(test)
            #expect(
                PodActions(for: pod, runtime: runtime) == PodActions(for: pod, runtime: runtime)
            )
        }
    }
}
