// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ClusterControllers
import ControllerHarness
import ControllerKit
import Glibc
import KubernetesAPI
import MemoryCluster
import Scalars
import Testing

/// What people do in a run of ``ClusterConvergenceTests``, and what must be true of it.
struct ClusterScenario: Sendable, CustomTestStringConvertible {
    var name: String
    /// Resources whose events may come late.
    var resources: [String]
    var controllers: @Sendable (ControllerHarness, ResourceMonitor) -> [any Controller]
    /// Something at random, while all goes wrong.
    var disturb: @Sendable (ControllerHarness, Storm) async throws -> Void
    /// Once, when all goes well again.
    var settle: @Sendable (ControllerHarness) async throws -> Void
    /// Whether what people want has come about.
    var isDone: @Sendable (ControllerHarness) async throws -> Bool
    /// Broken promises, found in all that ever was.
    var problems: @Sendable (MemoryCluster) -> [String]

    var testDescription: String { self.name }

    /// Rounds in which things go wrong.
    private static let stormyRounds = 60
    /// What a run is given before it has failed: both so many rounds, which a machine that does much
    /// else takes long for, and so much time, in which a quick one has many rounds, each with little
    /// time for the controllers.
    private static let patience = (rounds: 1000, time: Duration.seconds(120))

    /// Processes begin and end, until all is as it should be.
    func run(_ storm: Storm) async throws -> (cluster: MemoryCluster, isDone: Bool) {
        let cluster = MemoryCluster { storm.fault($0, $1) }
        let clock = SimulatedClock(now: Timestamp(seconds: 1_800_000_000))
        var rounds = 0
        var isDone = false
        let deadline = ContinuousClock.now + Self.patience.time
        var isPatient: Bool {
            rounds < Self.patience.rounds || ContinuousClock.now < deadline
        }
        while !isDone, isPatient {
            storm.revive()
            let harness = ControllerHarness(cluster: cluster, clock: clock)
            let monitor = ResourceMonitor(harness.context())
            let watching = Task { await monitor.run() }
            defer { watching.cancel() }
            try await harness.run(self.controllers(harness, monitor)) {
                while !isDone, isPatient, !storm.isDead {
                    rounds += 1
                    if rounds < Self.stormyRounds {
                        if self.shake(cluster, storm) { return }
                        try await self.disturb(harness, storm)
                    } else if rounds == Self.stormyRounds {
                        storm.calm()
                        cluster.releaseAll()
                        try await self.settle(harness)
                    }
                    harness.advance(by: .seconds(5))
                    // Time for the controllers; how much matters to nobody.
                    try await Task.sleep(for: .milliseconds(1))
                    if rounds > Self.stormyRounds { isDone = try await self.isDone(harness) }
                }
            }
            watching.cancel()
            await watching.value
        }
        return (cluster, isDone)
    }

    /// - Returns: whether the process is to be restarted.
    private func shake(_ cluster: MemoryCluster, _ storm: Storm) -> Bool {
        let resource = self.resources[storm.random(below: self.resources.count)]
        switch storm.random(below: 12) {
        case 0, 1: cluster.hold(resource)
        case 2, 3: cluster.release(resource)
        case 4: cluster.repeatEvents(of: resource)
        case 5: cluster.dropWatches()
        case 6:
            cluster.compact()
            cluster.dropWatches()
        case 7: return true
        default: break
        }
        return false
    }
}

@Suite("Convergence of the cluster's controllers")
struct ClusterConvergenceTests {
    @Test(
        "ends well after late, lost and repeated events, failing writes and restarts",
        arguments: [
            ClusterScenario.certificates, .garbage, .localVolumes, .namespaces, .nodes, .records,
            .schedules, .services, .silence, .tokens, .volumes,
        ]
    )
    func storms(_ scenario: ClusterScenario) async throws {
        for seed in 2...UInt64(getenv("APUS_TEST_LONG") == nil ? 2 : 201) {
            let (cluster, isDone) = try await scenario.run(Storm(seed: seed, failures: 0.2))
            #expect(isDone, "\(scenario.name): seed \(seed)")
            for problem in scenario.problems(cluster) {
                Issue.record("\(scenario.name): seed \(seed): \(problem)")
            }
        }
    }
}
