// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import Testing

@Suite("GarbageCollector")
struct GarbageTests {
    private static let maps = ResourceName(of: CoreV1.ConfigMap.self)

    private static func node(
        _ name: String,
        owners: [String] = [],
        blocks: Bool = true,
        finalizers: [String] = [],
        isDeleting: Bool = false
    ) -> OwnerGraph.Node {
        var metadata = MetaV1.ObjectMeta.with {
            $0.name = name
            $0.namespace = "default"
            $0.uid = name
            $0.finalizers = RepeatedField(finalizers)
            for owner in owners {
                $0.ownerReferences.append(
                    MetaV1.OwnerReference.with {
                        $0.apiVersion = "v1"
                        $0.kind = "ConfigMap"
                        $0.name = owner
                        $0.uid = owner
                        $0.blockOwnerDeletion = blocks
                    }
                )
            }
        }
        if isDeleting { metadata.deletionTimestamp = MetaV1.Time.with { $0.seconds = 1 } }
        return OwnerGraph.Node(self.maps, metadata)
    }

    @Test(
        "what becomes of an object",
        arguments: [
            ([], [:], .keep),
            (["a"], ["a": .present], .keep),
            (["a", "b"], ["a": .present, "b": .gone], .dropOwners(["b"])),
            (["a", "b"], ["a": .present, "b": .waiting], .dropOwners(["b"])),
            (["a", "b"], ["a": .gone, "b": .gone], .delete(.background)),
            (["a"], ["a": .waiting], .delete(.foreground)),
        ] as [([String], [String: GarbageDecision.OwnerState], GarbageDecision)]
    )
    func decides(
        _ owners: [String],
        _ states: [String: GarbageDecision.OwnerState],
        _ expected: GarbageDecision
    ) {
        let node = Self.node("x", owners: owners)
        #expect(GarbageDecision.decide(node, owners: states, hasDependents: true) == expected)
    }

    @Test("the end of an owner brings its dependents up, whichever was seen first")
    func graph() {
        var graph = OwnerGraph()
        #expect(graph.put(Self.node("child", owners: ["owner"])) == ["child"])
        #expect(graph.put(Self.node("owner")).isEmpty)
        #expect(graph.dependents(of: "owner").map(\.uid) == ["child"])
        #expect(graph.remove("owner") == ["child"])
        #expect(graph.remove("owner").isEmpty)
    }

    @Test("an owner in foreground deletion is looked at again when a blocker goes")
    func foreground() {
        var graph = OwnerGraph()
        _ = graph.put(Self.node("child", owners: ["owner"]))
        _ = graph.put(Self.node("free", owners: ["owner"], blocks: false))
        let owner = Self.node("owner", finalizers: ["foregroundDeletion"], isDeleting: true)
        #expect(graph.put(owner) == ["owner"])
        #expect(graph.blockers(of: "owner").map(\.uid) == ["child"])
        #expect(graph.remove("child") == ["owner"])
        #expect(graph.blockers(of: "owner").isEmpty)
    }

    private static func map(_ name: String, owner: CoreV1.ConfigMap? = nil) -> CoreV1.ConfigMap {
        CoreV1.ConfigMap.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            if let owner { $0.metadata.ownerReferences = [.controller(owner)] }
        }
    }

    @Test(
        "background, foreground and orphan deletion of three generations",
        arguments: [
            (ApusResource.Propagation.background, []), (.foreground, []), (.orphan, ["b", "c"]),
        ] as [(ApusResource.Propagation, [String])]
    )
    func endToEnd(_ propagation: ApusResource.Propagation, _ left: [String]) async throws {
        let harness = ControllerHarness()
        let monitor = ResourceMonitor(harness.context())
        let running = Task { await monitor.run() }
        let collector = GarbageCollector(harness.context(), monitor: monitor)
        let maps = harness.client(CoreV1.ConfigMap.self)
        try await harness.run([collector]) {
            let a = try await maps.create(Self.map("a"))
            let b = try await maps.create(Self.map("b", owner: a))
            _ = try await maps.create(Self.map("c", owner: b))
            await monitor.waitForSync()
            try await maps.delete("a", in: "default", DeleteOptions(propagation: propagation))
            let isDone = try await harness.poll {
                try await maps.list().items.map(\.metadata.name).sorted() == left
            }
            #expect(isDone)
            if !left.isEmpty {
                #expect(try await maps.get("b", in: "default").metadata.ownerReferences.isEmpty)
            }
        }
        running.cancel()
        await running.value
    }

    @Test("thousands of objects that go cost a namespace few writes of its conditions")
    func conditions() async throws {
        let harness = ControllerHarness()
        let monitor = ResourceMonitor(harness.context())
        let running = Task { await monitor.run() }
        let controller = NamespaceController(harness.context(), monitor: monitor)
        let namespaces = harness.client(CoreV1.Namespace.self)
        let maps = harness.client(CoreV1.ConfigMap.self)
        try await harness.run([controller]) {
            _ = try await namespaces.create(CoreV1.Namespace.with { $0.metadata.name = "ns" })
            for number in 0..<200 {
                var map = Self.map("map-\(number)")
                map.metadata.namespace = "ns"
                // Held, so that each goes by an event of its own.
                map.metadata.finalizers = ["example.com/hold"]
                _ = try await maps.create(map)
            }
            try await namespaces.delete("ns")
            let areAsked = try await harness.poll {
                try await maps.list(in: "ns").items
                    .allSatisfy { $0.metadata.deletionTimestamp != nil }
            }
            #expect(areAsked)
            for var map in try await maps.list(in: "ns").items {
                map.metadata.finalizers = []
                _ = try await maps.update(map)
            }
            #expect(try await harness.poll { try await namespaces.list().items.isEmpty })
        }
        running.cancel()
        await running.value
        // The phase, and what remains at most twice a second; time went on by less than that.
        #expect((harness.cluster.requests["update namespaces"] ?? 0) < 20)
    }

    @Test("a namespace goes with everything in it")
    func namespace() async throws {
        let harness = ControllerHarness()
        let monitor = ResourceMonitor(harness.context())
        let running = Task { await monitor.run() }
        let controllers: [any Controller] = [
            NamespaceController(harness.context(), monitor: monitor),
            ServiceAccountController(harness.context()),
            RootCAPublisher(harness.context(), authority: "CA"),
        ]
        let namespaces = harness.client(CoreV1.Namespace.self)
        let maps = harness.client(CoreV1.ConfigMap.self)
        let accounts = harness.client(CoreV1.ServiceAccount.self)
        try await harness.run(controllers) {
            _ = try await namespaces.create(CoreV1.Namespace.with { $0.metadata.name = "ns" })
            let isSetUp = try await harness.poll {
                let ca = try await maps.list(in: "ns").items.first
                return try await accounts.list(in: "ns").items.count == 1
                    && ca?.data["ca.crt"] == "CA"
            }
            #expect(isSetUp)
            var held = Self.map("held")
            held.metadata.namespace = "ns"
            held.metadata.finalizers = ["example.com/hold"]
            _ = try await maps.create(held)
            try await namespaces.delete("ns")
            let isTold = try await harness.poll {
                let namespace = try await namespaces.get("ns")
                return namespace.status.conditions.contains {
                    $0.type == "NamespaceFinalizersRemaining" && $0.status == "True"
                        && $0.message.contains("example.com/hold in 1 resource instances")
                }
            }
            #expect(isTold)
            var live = try await maps.get("held", in: "ns")
            live.metadata.finalizers = []
            _ = try await maps.update(live)
            let isGone = try await harness.poll {
                try await namespaces.list().items.isEmpty
            }
            #expect(isGone)
            #expect(try await maps.list(in: "ns").items.isEmpty)
        }
        running.cancel()
        await running.value
    }
}
