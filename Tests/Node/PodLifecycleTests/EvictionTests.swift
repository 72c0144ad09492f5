// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars
import Testing

@testable import PodLifecycle

@Suite("EvictionThreshold")
struct EvictionThresholdTests {
    @Test(
        "reads amounts and shares",
        arguments: [
            ("100Mi", 104_857_600), ("10%", 100), ("0", 0), ("100%", 1000), ("-1", nil),
            ("101%", nil), ("-5%", nil), ("x", nil), ("%", nil), ("", nil),
        ] as [(String, Int64?)]
    )
    func reads(_ text: String, _ expected: Int64?) {
        #expect(EvictionThreshold.Value(text)?.quantity(of: 1000).value == expected)
    }

    @Test(
        "is met below its value, and with what is to be won back",
        arguments: [
            (99, nil, true), (100, nil, false), (100, "50", true), (150, "50", false),
            (149, "5%", true),
        ] as [(Int64, String?, Bool)]
    )
    func meets(_ available: Int64, _ reclaim: String?, _ expected: Bool) throws {
        let threshold = EvictionThreshold(
            .memory,
            try #require(EvictionThreshold.Value("100")),
            reclaim: reclaim.flatMap { EvictionThreshold.Value($0) }
        )
        let seen = EvictionObservation(available: available, capacity: 1000)
        #expect(threshold.isMet(seen, withReclaim: true) == expected)
    }
}

@Suite("EvictionPolicy")
struct EvictionPolicyTests {
    private func seen(
        _ memory: Int64,
        _ disk: Int64 = 1000
    ) -> [EvictionSignal: EvictionObservation] {
        [
            .memory: EvictionObservation(available: memory, capacity: 1000),
            .nodeFiles: EvictionObservation(available: disk, capacity: 1000),
        ]
    }

    private func value(_ text: String) throws -> EvictionThreshold.Value {
        try #require(EvictionThreshold.Value(text))
    }

    @Test("keeps a condition for the transition's time")
    func keeps() throws {
        let hard = EvictionThreshold(.memory, try self.value("100"))
        var policy = EvictionPolicy(thresholds: [hard], transition: .seconds(300))
        #expect(policy.observe(self.seen(200), now: .seconds(0)) == .init())
        let short = policy.observe(self.seen(50), now: .seconds(10))
        #expect(short == .init(conditions: ["MemoryPressure"], threshold: hard))
        let after = policy.observe(self.seen(200), now: .seconds(309))
        #expect(after == .init(conditions: ["MemoryPressure"], threshold: nil))
        #expect(policy.observe(self.seen(200), now: .seconds(310)) == .init())
    }

    @Test("waits for the grace of a soft threshold, anew after each recovery")
    func waits() throws {
        let soft = EvictionThreshold(.memory, try self.value("100"), grace: .seconds(60))
        var policy = EvictionPolicy(thresholds: [soft], transition: .zero)
        #expect(policy.observe(self.seen(50), now: .seconds(0)).threshold == nil)
        #expect(policy.observe(self.seen(50), now: .seconds(59)).threshold == nil)
        #expect(policy.observe(self.seen(50), now: .seconds(60)).threshold == soft)
        #expect(policy.observe(self.seen(200), now: .seconds(61)) == .init())
        #expect(policy.observe(self.seen(50), now: .seconds(70)).threshold == nil)
    }

    @Test("sees to memory before disks, and wins back what it is told to")
    func orders() throws {
        let memory = EvictionThreshold(
            .memory,
            try self.value("100"),
            reclaim: try self.value("50")
        )
        let disk = EvictionThreshold(.nodeFiles, try self.value("10%"))
        var policy = EvictionPolicy(thresholds: [disk, memory], transition: .zero)
        let both = policy.observe(self.seen(99, 99), now: .zero)
        #expect(both == .init(conditions: ["DiskPressure", "MemoryPressure"], threshold: memory))
        #expect(policy.observe(self.seen(149), now: .seconds(1)).threshold == memory)
        #expect(policy.observe(self.seen(150), now: .seconds(2)).threshold == nil)
        #expect(policy.observe(self.seen(149), now: .seconds(3)).threshold == nil)
    }
}

@Suite("EvictionCandidate")
struct EvictionCandidateTests {
    private func pod(
        _ name: String,
        memory: String? = nil,
        priority: Int32? = nil
    ) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = name
            $0.metadata.uid = name
            $0.spec.priority = priority
            $0.spec.containers = [
                CoreV1.Container.with {
                    $0.name = "main"
                    if let memory {
                        let amount = (try? Scalars.Quantity(parsing: memory)) ?? .zero
                        $0.resources.requests["memory"] = Resource.Quantity(amount)
                    }
                }
            ]
        }
    }

    @Test("ranks by excess over requests, then priority, then how much")
    func ranks() {
        let candidates = [
            EvictionCandidate(pod: self.pod("within", memory: "100"), use: 90),
            EvictionCandidate(pod: self.pod("over", memory: "10"), use: 50),
            EvictionCandidate(pod: self.pod("more"), use: 60),
            EvictionCandidate(pod: self.pod("important", priority: 10), use: 1000),
        ]
        let order = EvictionCandidate.ranked(candidates, for: .memory).map(\.pod.metadata.name)
        #expect(order == ["more", "over", "important", "within"])
        let processes = EvictionCandidate.ranked(candidates, for: .processes)
        #expect(processes.map(\.pod.metadata.name) == ["within", "more", "over", "important"])
    }

    @Test(
        "leaves what the cluster cannot do without",
        arguments: [(nil, true), (1_999_999_999, true), (2_000_000_000, false)]
            as [(Int32?, Bool)]
    )
    func spares(_ priority: Int32?, _ isEvictable: Bool) {
        let pod = self.pod("p", priority: priority)
        #expect(EvictionCandidate(pod: pod, use: 0).isEvictable == isEvictable)
        var fixed = pod
        fixed.metadata.annotations[PodAnnotation.source] = PodSource.file
        #expect(!EvictionCandidate(pod: fixed, use: 0).isEvictable)
    }

    @Test("says why in upstream's words")
    func explains() throws {
        let threshold = EvictionThreshold(.memory, try #require(EvictionThreshold.Value("100Mi")))
        let candidate = EvictionCandidate(
            pod: self.pod("p", memory: "1Mi"),
            use: 2 << 20,
            containerUse: ["main": 2 << 20]
        )
        let seen = EvictionObservation(available: 50 << 20, capacity: 1 << 30)
        #expect(
            candidate.message(threshold, seen)
                == "The node was low on resource: memory. Threshold quantity: 100Mi, available: "
                + "50Mi. Container main was using 2Mi, request is 1Mi, has larger consumption of "
                + "memory. "
        )
        let pids = EvictionThreshold(.processes, try #require(EvictionThreshold.Value("10")))
        #expect(
            candidate.message(pids, EvictionObservation(available: 5, capacity: 100))
                == "The node was low on resource: pids. Threshold quantity: 10, available: 5. "
        )
    }
}

@Suite("LocalStorageLimits")
struct LocalStorageLimitsTests {
    private static let pod = CoreV1.Pod.with {
        $0.spec.volumes = [
            CoreV1.Volume.with {
                $0.name = "cache"
                $0.volumeSource.emptyDir = .with {
                    $0.sizeLimit = Resource.Quantity(.init(1 << 20, format: .binarySI))
                }
            },
            CoreV1.Volume.with {
                $0.name = "memory"
                $0.volumeSource.emptyDir = .with {
                    $0.medium = "Memory"
                    $0.sizeLimit = Resource.Quantity(.init(1))
                }
            },
        ]
        $0.spec.containers = [
            CoreV1.Container.with {
                $0.name = "main"
                $0.resources.limits["ephemeral-storage"] = Resource.Quantity(
                    .init(2 << 20, format: .binarySI)
                )
            }
        ]
    }

    @Test(
        "holds volumes, the pod and containers to their limits",
        arguments: [
            (1 << 20, 2 << 20, 2 << 20, nil),
            (
                (1 << 20) + 1, 0, 0,
                "Usage of EmptyDir volume \"cache\" exceeds the limit \"1Mi\". "
            ),
            (
                0, (2 << 20) + 1, 0,
                "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "
            ),
            (
                0, 0, (2 << 20) + 1,
                "Container main exceeded its local ephemeral storage limit \"2Mi\". "
            ),
        ] as [(Int64, Int64, Int64, String?)]
    )
    func holds(_ volume: Int64, _ total: Int64, _ container: Int64, _ expected: String?) {
        var use = LocalStorageLimits.Use()
        use.total = total
        use.containers = ["main": container]
        use.emptyDirectories = ["cache": volume, "memory": 100]
        #expect(LocalStorageLimits(of: Self.pod).violation(use) == expected)
    }

    @Test("has nothing to say without limits")
    func ignores() {
        #expect(LocalStorageLimits(of: CoreV1.Pod()).isEmpty)
        #expect(!LocalStorageLimits(of: Self.pod).isEmpty)
    }
}
