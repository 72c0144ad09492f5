// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars
import Testing

@testable import PodLifecycle

@Suite("PodStatusBuilder")
struct PodStatusBuilderTests {
    private static let now = Timestamp(seconds: 1_000)

    private static func builder(
        policy: String = "Always",
        _ records: [ContainerRecord]
    ) -> PodStatusBuilder {
        var pod = CoreV1.Pod()
        pod.metadata.name = "p"
        pod.metadata.generation = 3
        pod.spec.restartPolicy = policy
        pod.spec.containers.append(.with { $0.name = "a" })
        let sandbox = SandboxRecord(id: "s", addresses: ["10.0.0.2", "fd00::2"])
        var builder = PodStatusBuilder(
            pod: pod,
            runtime: PodRuntimeState(sandboxes: [sandbox], containers: records),
            previous: CoreV1.PodStatus(),
            now: Self.now
        )
        builder.hostAddresses = ["192.0.2.1"]
        return builder
    }

    private static func record(
        _ state: ContainerRecord.State,
        exitCode: Int32 = 0,
        restarts: Int32 = 0
    ) -> ContainerRecord {
        ContainerRecord(
            id: "c\(restarts)",
            name: "a",
            sandboxID: "s",
            state: state,
            restarts: restarts,
            createdAt: Int64(restarts),
            startedAt: 5_000_000_000,
            finishedAt: 6_000_000_000,
            exitCode: exitCode,
            reason: exitCode == 0 ? "Completed" : "Error"
        )
    }

    @Test("shows a running pod")
    func running() {
        let status = Self.builder([Self.record(.running)]).status()
        #expect(status.phase == "Running")
        #expect(status.podIP == "10.0.0.2")
        #expect(status.podIPs.map(\.ip) == ["10.0.0.2", "fd00::2"])
        #expect(status.hostIP == "192.0.2.1")
        #expect(status.qosClass == "BestEffort")
        #expect(status.observedGeneration == 3)
        let container = status.containerStatuses[0]
        #expect(container.ready)
        #expect(container.started == true)
        #expect(container.containerID == "containerd://c0")
        for type in ["Ready", "ContainersReady", "Initialized", "PodReadyToStartContainers"] {
            let condition = status.conditions.first { $0.type == type }
            #expect(condition?.status == "True", "\(type)")
            #expect(condition?.lastTransitionTime.timestamp == Self.now)
        }
    }

    struct Phase: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var policy: String
        var exitCode: Int32?
        var phase: String
    }

    @Test(
        "derives the phase",
        arguments: [
            Phase(testDescription: "not made", policy: "Always", exitCode: nil, phase: "Pending"),
            Phase(
                testDescription: "over, runs again",
                policy: "Always",
                exitCode: 1,
                phase: "Running"
            ),
            Phase(testDescription: "succeeded", policy: "Never", exitCode: 0, phase: "Succeeded"),
            Phase(testDescription: "failed", policy: "Never", exitCode: 1, phase: "Failed"),
            Phase(
                testDescription: "failed, tried again",
                policy: "OnFailure",
                exitCode: 1,
                phase: "Running"
            ),
            Phase(
                testDescription: "succeeded with OnFailure",
                policy: "OnFailure",
                exitCode: 0,
                phase: "Succeeded"
            ),
        ]
    )
    func phase(test: Phase) {
        let records = test.exitCode.map { [Self.record(.exited, exitCode: $0)] } ?? []
        #expect(Self.builder(policy: test.policy, records).status().phase == test.phase)
    }

    @Test("says why a container does not run")
    func crashLoop() {
        var builder = Self.builder([
            Self.record(.exited, exitCode: 1, restarts: 1), Self.record(.exited, exitCode: 2),
        ])
        builder.failures["a"] = .init(reason: "CrashLoopBackOff", message: "back-off 10s")
        let status = builder.status().containerStatuses[0]
        #expect(status.state.waiting?.reason == "CrashLoopBackOff")
        #expect(status.lastState.terminated?.exitCode == 1)
        #expect(status.restartCount == 1)
        #expect(!status.ready)
    }

    @Test("names containers that are not ready")
    func unready() {
        let status = Self.builder([]).status()
        let ready = status.conditions.first { $0.type == "Ready" }
        #expect(ready?.status == "False")
        #expect(ready?.reason == "ContainersNotReady")
        #expect(ready?.message == "containers with unready status: [a]")
        #expect(status.containerStatuses[0].state.waiting?.reason == "ContainerCreating")
    }

    @Test("keeps an end for good")
    func terminal() {
        var builder = Self.builder([Self.record(.running)])
        builder.previous.phase = "Failed"
        builder.previous.reason = "Evicted"
        let status = builder.status()
        #expect(status.phase == "Failed")
        #expect(status.reason == "Evicted")
    }

    private static func gate(_ status: String) -> CoreV1.PodCondition {
        .with {
            $0.type = "example.com/gate"
            $0.status = status
        }
    }

    @Test("keeps conditions of others and times of transitions")
    func conditions() {
        var builder = Self.builder([Self.record(.running)])
        builder.previous = builder.status()
        builder.pod.status.conditions.append(Self.gate("True"))
        builder.now = Timestamp(seconds: 2_000)
        let status = builder.status()
        #expect(status.conditions.last == Self.gate("True"))
        #expect(status.conditions[0].lastTransitionTime.timestamp == Self.now)
    }

    @Test(
        "is ready when its gates are, as the API server has them now",
        arguments: [
            // what the API server has, what was told last, why not ready
            ("True", nil, nil), ("True", "False", nil),
            (
                "False", "True",
                "the status of pod readiness gate \"example.com/gate\" is not \"True\", but False"
            ),
            (
                nil, "True",
                "corresponding condition of pod readiness gate \"example.com/gate\" does not exist."
            ),
        ] as [(String?, String?, String?)]
    )
    func gates(now: String?, before: String?, problem: String?) throws {
        var builder = Self.builder([Self.record(.running)])
        builder.pod.spec.readinessGates.append(.with { $0.conditionType = "example.com/gate" })
        if let now { builder.pod.status.conditions.append(Self.gate(now)) }
        if let before { builder.previous.conditions.append(Self.gate(before)) }
        let status = builder.status()
        let ready = try #require(status.conditions.first { $0.type == "Ready" })
        #expect(ready.status == (problem == nil ? "True" : "False"))
        #expect(ready.message == problem ?? "")
        #expect(ready.reason == (problem == nil ? "" : "ReadinessGatesNotReady"))
        let others = status.conditions.filter { $0.type == "example.com/gate" }
        #expect(others.map(\.status) == [now].compactMap { $0 })
    }
}
