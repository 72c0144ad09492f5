// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars
import Testing

@testable import HollowNodes

@Suite("Hollow nodes") struct HollowNodesStateTests {
    static func pod(
        _ name: String = "p",
        on node: String = "hollow-node-1",
        phase: String = "Pending",
        restarts: String = "Always",
        deleted: Int64? = nil
    ) -> CoreV1.Pod {
        .with {
            $0.metadata.name = name
            $0.metadata.uid = name
            $0.spec.nodeName = node
            $0.spec.restartPolicy = restarts
            $0.status.phase = phase
            if let deleted {
                $0.metadata.deletionTimestamp = .with { $0.seconds = 1 }
                $0.metadata.deletionGracePeriodSeconds = deleted
            }
        }
    }

    static func state(
        _ change: (inout HollowNodesState.Delays) -> Void = { _ in }
    )
        -> HollowNodesState
    {
        var delays = HollowNodesState.Delays()
        change(&delays)
        return HollowNodesState(HollowNodeTemplate(), count: 2, delays: delays)
    }

    /// What is done with pods when.
    static func words(_ actions: [HollowNodesState.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .run(let pod): "run \(pod.metadata.name)"
            case .end(let pod): "end \(pod.metadata.name)"
            case .remove(let pod): "remove \(pod.metadata.name)"
            case .renewLease(let number): "lease \(number)"
            case .reportStatus(let number): "status \(number)"
            }
        }
    }

    @Test("run pods after a while, once")
    func running() {
        var state = Self.state { $0.start = .seconds(2) }
        state.setPod(Self.pod(), now: .zero)
        state.setPod(Self.pod(), now: .seconds(1))
        state.setPod(Self.pod("other", on: "elsewhere"), now: .zero)
        #expect(state.nextDeadline == .seconds(2))
        #expect(state.due(now: .seconds(1), limit: 9).isEmpty)
        #expect(Self.words(state.due(now: .seconds(2), limit: 9)) == ["run p"])
        state.setPod(Self.pod(phase: "Running"), now: .seconds(3))
        #expect(state.due(now: .seconds(100), limit: 9).isEmpty)
        #expect(state.podCount == 1)
    }

    @Test(
        "remove deleted pods within their grace period",
        arguments: [
            (30, 5), (3, 3), (0, 0),
        ] as [(Int64, Int64)]
    )
    func removal(_ grace: Int64, _ seconds: Int64) {
        var state = Self.state { $0.termination = .seconds(5) }
        state.setPod(Self.pod(phase: "Running"), now: .zero)
        state.setPod(Self.pod(phase: "Running", deleted: grace), now: .zero)
        #expect(state.nextDeadline == .seconds(seconds))
        #expect(Self.words(state.due(now: .seconds(seconds), limit: 9)) == ["remove p"])
        state.removePod("p")
        #expect(state.podCount == 0)
    }

    @Test("end pods that are not to be restarted")
    func jobs() {
        var state = Self.state { $0.job = .seconds(4) }
        state.setPod(Self.pod(phase: "Running"), now: .zero)
        state.setPod(Self.pod("job", phase: "Running", restarts: "Never"), now: .zero)
        #expect(Self.words(state.due(now: .seconds(4), limit: 9)) == ["end job"])
    }

    @Test("try again what failed")
    func failure() {
        var state = Self.state()
        state.setPod(Self.pod(), now: .zero)
        #expect(Self.words(state.due(now: .zero, limit: 9)) == ["run p"])
        state.failed("p", now: .zero)
        #expect(Self.words(state.due(now: .seconds(1), limit: 9)) == ["run p"])
        state.removePod("p")
        state.failed("p", now: .seconds(1))
        #expect(state.nextDeadline == nil)
    }

    @Test("renew leases and report status, spread over the time between")
    func leases() {
        var state = Self.state()
        state.begin(now: .zero)
        #expect(Self.words(state.due(now: .zero, limit: 9)) == ["lease 0"])
        #expect(Self.words(state.due(now: .seconds(5), limit: 9)) == ["lease 1"])
        #expect(Self.words(state.due(now: .seconds(10), limit: 9)) == ["lease 0"])
        #expect(state.nextDeadline == .seconds(15))
        let later = Self.words(state.due(now: .seconds(150), limit: 9))
        #expect(later.contains("status 0"))
    }

    @Test("do no more at once than they may")
    func limit() {
        var state = Self.state()
        for number in 0..<5 { state.setPod(Self.pod("\(number)"), now: .zero) }
        #expect(state.due(now: .zero, limit: 2).count == 2)
        #expect(state.due(now: .zero, limit: 9).count == 3)
    }

    @Test("look like nodes")
    func template() {
        var template = HollowNodeTemplate()
        template.zones = 3
        let node = template.node(70_000, now: Timestamp(seconds: 1000))
        #expect(node.metadata.name == "hollow-node-70000")
        #expect(node.metadata.labels["topology.kubernetes.io/zone"] == "zone-1")
        #expect(node.status.allocatable["cpu"]?.string == "4")
        #expect(node.status.conditions.last?.type == "Ready")
        #expect(template.address(70_000) == "10.201.17.112")
    }
}
