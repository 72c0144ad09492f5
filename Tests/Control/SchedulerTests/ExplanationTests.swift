// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Scheduler

@Suite("Explanation") struct ExplanationTests {
    @Test("tells every refusal and every score of every node")
    func explain() throws {
        let core = scheduler(
            [
                node("big", cpu: "8"), node("small", cpu: "4"),
                node("bad", cpu: "1", taints: [("k", "v", "NoSchedule")], unschedulable: true),
            ],
            [pod("p", cpu: "2", memory: "1Gi", on: "small")]
        )
        let result = try #require(
            core.explain(pod("p", cpu: "2", memory: "1Gi", on: "small"))
        )
        #expect(result.map(\.node) == ["big", "small", "bad"])
        #expect(
            result[2].refusals.map(\.plugin) == [
                .nodeUnschedulable, .taintToleration, .nodeResourcesFit,
            ]
        )
        #expect(result[2].total == nil)
        let fit = try #require(result[0].scores.first { $0.plugin == .nodeResourcesFit })
        #expect(fit.normalized == 81)
        #expect(fit.weight == 1)
        // The pod counts as it did before.
        let row = try #require(core.cluster.row("small"))
        #expect(core.cluster.requestedCPU[row] == 2000)
    }
}
