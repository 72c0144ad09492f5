// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import Protobuf
import Quotas
import ResourceClient
import Scalars
import Testing

@Suite("Quota, roles, volumes")
struct QuotaAndRoleTests {
    private static func container(_ cpu: String, restart: String = "") -> CoreV1.Container {
        CoreV1.Container.with {
            if let amount = try? Quantity(parsing: cpu) {
                $0.resources.requests["cpu"] = Resource.Quantity(amount)
            }
            if !restart.isEmpty { $0.restartPolicy = restart }
        }
    }

    @Test("what is seen never takes back what admission has counted, until a while has passed")
    func admission() async throws {
        let harness = ControllerHarness()
        let monitor = ResourceMonitor(harness.context())
        let running = Task { await monitor.run() }
        let controller = ResourceQuotaController(harness.context(), monitor: monitor)
        let quotas = harness.client(CoreV1.ResourceQuota.self)
        let pods = harness.client(CoreV1.Pod.self)
        func used() async throws -> String {
            try await quotas.get("team", in: "default").status.used["pods"]?.string ?? ""
        }
        func pod(_ name: String) -> CoreV1.Pod {
            CoreV1.Pod.with {
                $0.metadata.name = name
                $0.metadata.namespace = "default"
                $0.spec.containers = [Self.container("1")]
            }
        }
        try await harness.run([controller]) {
            _ = try await quotas.create(
                CoreV1.ResourceQuota.with {
                    $0.metadata.name = "team"
                    $0.metadata.namespace = "default"
                    $0.spec.hard["pods"] = Resource.Quantity(Quantity(Int64(5)))
                }
            )
            #expect(try await harness.poll { try await used() == "0" })
            // Admission lets two in; only one of them is there yet.
            var quota = try await quotas.get("team", in: "default")
            quota.status.used["pods"] = Resource.Quantity(Quantity(Int64(2)))
            _ = try await quotas.updateStatus(quota)
            _ = try await pods.create(pod("a"))
            for _ in 0..<50 {
                harness.advance(by: .milliseconds(100))
                try await Task.sleep(for: .milliseconds(1))
                #expect(try await used() == "2")
            }
            // More than it counted have come: that is seen at once.
            _ = try await pods.create(pod("b"))
            _ = try await pods.create(pod("c"))
            #expect(try await harness.poll { try await used() == "3" })
            // One that it counted was never made: that is seen in time.
            quota = try await quotas.get("team", in: "default")
            quota.status.used["pods"] = Resource.Quantity(Quantity(Int64(4)))
            _ = try await quotas.updateStatus(quota)
            let isRight = try await harness.poll {
                harness.advance(by: .seconds(10))
                return try await used() == "3"
            }
            #expect(isRight)
            // What goes is seen at once.
            try await pods.delete("a", in: "default", DeleteOptions(gracePeriodSeconds: 0))
            #expect(try await harness.poll { try await used() == "2" })
        }
        running.cancel()
        await running.value
    }

    @Test("a pod counts with what it needs at most at once")
    func pods() {
        var usage = ObjectUsage.usage(
            CoreV1.Pod.with {
                $0.spec.containers = [Self.container("100m"), Self.container("200m")]
                $0.spec.initContainers = [
                    Self.container("50m", restart: "Always"), Self.container("400m"),
                ]
            }
        )
        let ended = CoreV1.Pod.with { $0.status.phase = "Succeeded" }
        PodResources.add(ObjectUsage.usage(ended), to: &usage)
        #expect(usage["requests.cpu"]?.milliValue == 450)
        #expect(usage["cpu"]?.milliValue == 450)
        #expect(usage["pods"]?.value == 1)
        #expect(usage["count/pods"]?.value == 2)
    }

    @Test("an aggregated role has the rules of those that match, each once")
    func roles() {
        func role(_ name: String, _ verb: String, matches: Bool) -> RbacV1.ClusterRole {
            RbacV1.ClusterRole.with {
                $0.metadata.name = name
                if matches { $0.metadata.labels["aggregate"] = "true" }
                $0.rules = [RbacV1.PolicyRule.with { $0.verbs = [verb] }]
            }
        }
        let admin = RbacV1.ClusterRole.with {
            $0.metadata.name = "admin"
            $0.aggregationRule = RbacV1.AggregationRule.with {
                $0.clusterRoleSelectors = [
                    MetaV1.LabelSelector.with { $0.matchLabels["aggregate"] = "true" }
                ]
            }
        }
        let rules = ClusterRoleAggregationController.rules(
            of: admin,
            among: [
                role("z", "get", matches: true), role("a", "list", matches: true), admin,
                role("b", "get", matches: true), role("c", "delete", matches: false),
            ]
        )
        #expect(rules?.map { Array($0.verbs) } == [["list"], ["get"]])
    }

    @Test("a claim gets the smallest volume that fits, or the one that is reserved for it")
    func volumes() {
        func volume(
            _ name: String,
            _ size: String,
            phase: String = "Available"
        )
            -> CoreV1.PersistentVolume
        {
            CoreV1.PersistentVolume.with {
                $0.metadata.name = name
                $0.spec.accessModes = ["ReadWriteOnce"]
                $0.status.phase = phase
                if let amount = try? Quantity(parsing: size) {
                    $0.spec.capacity["storage"] = Resource.Quantity(amount)
                }
            }
        }
        let claim = CoreV1.PersistentVolumeClaim.with {
            $0.metadata.name = "data"
            $0.metadata.namespace = "default"
            $0.spec.accessModes = ["ReadWriteOnce"]
            if let amount = try? Quantity(parsing: "5Gi") {
                $0.spec.resources.requests["storage"] = Resource.Quantity(amount)
            }
        }
        var volumes = [
            volume("small", "1Gi"), volume("large", "50Gi"), volume("right", "8Gi"),
            volume("used", "5Gi", phase: "Bound"),
        ]
        #expect(VolumeMatch.best(for: claim, among: volumes)?.metadata.name == "right")
        volumes[1].spec.claimRef = CoreV1.ObjectReference.with {
            $0.name = "data"
            $0.namespace = "default"
        }
        #expect(VolumeMatch.best(for: claim, among: volumes)?.metadata.name == "large")
        #expect(VolumeMatch.best(for: claim, among: [volumes[0]]) == nil)
    }
}
