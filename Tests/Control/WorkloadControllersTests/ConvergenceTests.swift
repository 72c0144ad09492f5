// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ControllerHarness
import ControllerKit
import KubernetesAPI
import MemoryCluster
import Protobuf
import Scalars
import Testing

/// Controllers that are stopped at any write, and whose watches and writes are as bad as can be, come
/// to the state that is wanted, and do not break their promises on the way.
@Suite("Convergence")
struct ConvergenceTests {
    /// Far more rounds than any scenario needs.
    private static let maximumRounds = 1000

    /// A run of a scenario: processes begin and end until everything is as it should be.
    private static func run(
        _ scenario: Scenario,
        _ storm: Storm,
        disorder: Bool
    ) async throws -> (cluster: MemoryCluster, isDone: Bool) {
        let cluster = MemoryCluster { storm.fault($0, $1) }
        let clock = SimulatedClock(now: Samples.now)
        var phase = 0
        var rounds = 0
        let stormyRounds = disorder ? 60 : 0
        while phase <= scenario.phases.count, rounds < Self.maximumRounds {
            storm.revive()
            let harness = ControllerHarness(cluster: cluster, clock: clock)
            try await harness.run(scenario.controllers(harness)) {
                if phase == 0 {
                    try await scenario.prepare(harness)
                    phase = 1
                }
                while phase <= scenario.phases.count, rounds < Self.maximumRounds, !storm.isDead {
                    rounds += 1
                    if rounds < stormyRounds {
                        if Self.disturb(cluster, storm, scenario) { return }
                    } else if rounds == stormyRounds {
                        storm.calm()
                        cluster.releaseAll()
                    }
                    try await scenario.live(harness, storm)
                    harness.advance(by: .seconds(5))
                    // Time for the controllers; how much matters to nobody.
                    try await Task.sleep(for: .milliseconds(1))
                    guard rounds >= stormyRounds, try await scenario.isDone(harness, phase) else {
                        continue
                    }
                    if phase < scenario.phases.count { try await scenario.phases[phase](harness) }
                    phase += 1
                }
            }
        }
        return (cluster, phase > scenario.phases.count)
    }

    /// - Returns: whether the process is to be restarted.
    private static func disturb(
        _ cluster: MemoryCluster,
        _ storm: Storm,
        _ scenario: Scenario
    ) -> Bool {
        let resource = scenario.resources[storm.random(below: scenario.resources.count)]
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

    private static var isLong: Bool { Scenario.isLong }

    @Test("ends well whichever write is the last of a process", arguments: Scenario.all)
    func crashes(_ scenario: Scenario) async throws {
        let clean = Storm(seed: 1)
        let (cluster, isDone) = try await Self.run(scenario, clean, disorder: false)
        #expect(isDone, "\(scenario.name): without faults")
        for problem in scenario.problems(cluster) { Issue.record("\(scenario.name): \(problem)") }
        let stride = Self.isLong ? 1 : max(clean.writeCount / 4, 1)
        for write in Swift.stride(from: 1, through: clean.writeCount, by: stride) {
            for crash in [Storm.Crash.before(write), .after(write)] {
                let storm = Storm(seed: 1, crash: crash)
                let (cluster, isDone) = try await Self.run(scenario, storm, disorder: false)
                #expect(isDone, "\(scenario.name): \(crash)")
                for problem in scenario.problems(cluster) {
                    Issue.record("\(scenario.name): \(crash): \(problem)")
                }
            }
        }
    }

    @Test(
        "ends well after late, lost and repeated events and failing writes",
        arguments: Scenario.all
    )
    func storms(_ scenario: Scenario) async throws {
        for seed in 0..<UInt64(Self.isLong ? 200 : 2) {
            let storm = Storm(seed: seed, failures: 0.2)
            let (cluster, isDone) = try await Self.run(scenario, storm, disorder: true)
            #expect(isDone, "\(scenario.name): seed \(seed)")
            for problem in scenario.problems(cluster) {
                Issue.record("\(scenario.name): seed \(seed): \(problem)")
            }
        }
    }
}
