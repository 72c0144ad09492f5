// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import KubernetesAPI
import Logging
import MemoryCluster
import Protobuf
import RPC
import ResourceClient
import Testing

@testable import KubeScheduler

@Suite("Idle kube-scheduler") struct SchedulerIdleTests {
    @Test("does nothing while nothing changes", .timeLimit(.minutes(1)))
    func idle() async throws {
        let cluster = MemoryCluster()
        let channel = InProcessChannel(services: [cluster])
        let clock = SimulatedClock()
        let scheduler = KubeScheduler(
            KubeScheduler.Configuration(),
            watching: channel,
            writing: channel,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        _ = try await Client<CoreV1.Node>(channel).create(KubeSchedulerTests.node("n"))
        let pods = Client<CoreV1.Pod>(channel)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await scheduler.run() }
            _ = try await pods.create(KubeSchedulerTests.pod("p", cpu: "1"))
            _ = try await KubeSchedulerTests.wait(pods, "p") { !$0.spec.nodeName.isEmpty }
            _ = try await KubeSchedulerTests.event("Scheduled", channel)
            // What the binding itself causes ends by itself; then there is no timer left.
            await scheduler.waitUntilIdle()
            #expect(clock.nextDeadline == nil)
            let (turns, requests) = (scheduler.turns, cluster.requests)
            for _ in 0..<100 { clock.advance(by: .seconds(60)) }
            // A pod that comes afterwards shows that the loop had the time to run.
            #expect(scheduler.turns == turns)
            #expect(cluster.requests == requests)
            _ = try await pods.create(KubeSchedulerTests.pod("q", cpu: "1"))
            _ = try await KubeSchedulerTests.wait(pods, "q") { !$0.spec.nodeName.isEmpty }
            group.cancelAll()
        }
    }
}
