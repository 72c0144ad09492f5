// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerHarness
import ControllerKit
import KubernetesAPI
import Protobuf
import ResourceClient
import ServiceControllers
import Testing

@Suite("EndpointSlice mirroring")
struct MirroringTests {
    /// Subsets as `ready addresses/unready addresses:port`, with commas.
    static func endpoints(_ subsets: String...) -> CoreV1.Endpoints {
        CoreV1.Endpoints.with {
            $0.metadata.name = "db"
            $0.metadata.namespace = "default"
            $0.metadata.uid = "e"
            $0.metadata.labels["team"] = "blue"
            $0.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
            $0.metadata.annotations["note"] = "kept"
            for text in subsets {
                let parts = text.split(separator: "@", omittingEmptySubsequences: false)
                let lists = parts[0].split(separator: "/", omittingEmptySubsequences: false)
                $0.subsets.append(
                    CoreV1.EndpointSubset.with {
                        $0.addresses = Self.addresses(lists[0])
                        if lists.count > 1 { $0.notReadyAddresses = Self.addresses(lists[1]) }
                        $0.ports.append(
                            CoreV1.EndpointPort.with { $0.port = Int32(parts[1]) ?? 0 }
                        )
                    }
                )
            }
        }
    }

    private static func addresses(_ text: Substring) -> RepeatedField<CoreV1.EndpointAddress> {
        RepeatedField(
            text.split(separator: ",").map { ip in
                CoreV1.EndpointAddress.with { $0.ip = String(ip) }
            }
        )
    }

    /// Slices as `type ready/unready@port`.
    static func text(_ slice: DiscoveryV1.EndpointSlice) -> String {
        func list(_ isReady: Bool) -> String {
            slice.endpoints.filter { ($0.conditions.ready == true) == isReady }
                .flatMap { Array($0.addresses) }.joined(separator: ",")
        }
        return "\(slice.addressType) \(list(true))/\(list(false))@\(slice.ports[0].port ?? 0)"
    }

    @Test(
        "what is mirrored",
        arguments: [
            (["10.0.0.1,10.0.0.2@80"], ["IPv4 10.0.0.1,10.0.0.2/@80"], 0),
            (["10.0.0.1/10.0.0.2@80"], ["IPv4 10.0.0.1/10.0.0.2@80"], 0),
            (["10.0.0.1,fd00::1@80"], ["IPv4 10.0.0.1/@80", "IPv6 fd00::1/@80"], 0),
            (
                ["10.0.0.1@80", "10.0.0.1@443"],
                ["IPv4 10.0.0.1/@80", "IPv4 10.0.0.1/@443"], 0
            ),
            (["10.0.0.1@80", "10.0.0.2@80"], ["IPv4 10.0.0.1,10.0.0.2/@80"], 0),
            (["10.0.0.1,host,10.0.0.300@80"], ["IPv4 10.0.0.1/@80"], 2),
            (["10.0.0.1/10.0.0.1@80"], ["IPv4 10.0.0.1/@80"], 0),
            (["@80"], [], 0), ([], [], 0),
        ] as [([String], [String], Int)]
    )
    func mirrors(_ subsets: [String], _ slices: [String], _ invalid: Int) {
        var endpoints = Self.endpoints()
        for subset in subsets { endpoints.subsets.append(Self.endpoints(subset).subsets[0]) }
        let plan = MirroredSlicePlan(endpoints, slices: [])
        #expect(plan.creations.map(Self.text) == slices)
        #expect(plan.invalidCount == invalid)
        #expect(plan.updates.isEmpty && plan.deletions.isEmpty)
    }

    @Test("a slice carries labels, notes and owner of its Endpoints")
    func metadata() throws {
        let plan = MirroredSlicePlan(Self.endpoints("10.0.0.1@80"), slices: [])
        let metadata = try #require(plan.creations.first).metadata
        #expect(metadata.generateName == "db-")
        #expect(metadata.labels["team"] == "blue")
        #expect(metadata.labels["kubernetes.io/service-name"] == "db")
        #expect(
            metadata.labels["endpointslice.kubernetes.io/managed-by"]
                == "endpointslicemirroring-controller.k8s.io"
        )
        #expect(metadata.annotations.keys == ["note"])
        #expect(metadata.ownerReferences[0].kind == "Endpoints")
        #expect(metadata.ownerReferences[0].controller == true)
    }

    private static func stored(_ slices: [DiscoveryV1.EndpointSlice]) -> [DiscoveryV1.EndpointSlice]
    {
        slices.enumerated().map { index, slice in
            var slice = slice
            slice.metadata.name = "db-\(index)"
            slice.metadata.uid = "s\(index)"
            return slice
        }
    }

    @Test(
        "changes are written with as few slices as there are",
        arguments: [
            // before, after, created, updated, deleted
            (["10.0.0.1@80"], ["10.0.0.1@80"], 0, 0, 0),
            (["10.0.0.1,10.0.0.2@80"], ["10.0.0.2,10.0.0.1@80"], 0, 0, 0),
            (["10.0.0.1@80"], ["10.0.0.2@80"], 0, 1, 0),
            (["10.0.0.1@80"], ["/10.0.0.1@80"], 0, 1, 0),
            (["10.0.0.1@80"], ["10.0.0.1@81"], 0, 1, 0),
            (["10.0.0.1@80", "10.0.0.1@81"], ["10.0.0.1@80"], 0, 0, 1),
            (["10.0.0.1@80"], ["10.0.0.1@80", "10.0.0.1@81"], 1, 0, 0),
            (["10.0.0.1@80"], ["fd00::1@80"], 1, 0, 1),
            (["10.0.0.1@80"], [], 0, 0, 1),
        ] as [([String], [String], Int, Int, Int)]
    )
    func changes(
        _ before: [String],
        _ after: [String],
        _ created: Int,
        _ updated: Int,
        _ deleted: Int
    ) {
        func make(_ subsets: [String]) -> CoreV1.Endpoints {
            var endpoints = Self.endpoints()
            for subset in subsets { endpoints.subsets.append(Self.endpoints(subset).subsets[0]) }
            return endpoints
        }
        let slices = Self.stored(MirroredSlicePlan(make(before), slices: []).creations)
        let plan = MirroredSlicePlan(make(after), slices: slices)
        #expect(plan.creations.count == created)
        #expect(plan.updates.count == updated)
        #expect(plan.deletions.count == deleted)
    }

    @Test("of a subset a thousand addresses are mirrored", arguments: [999, 1000, 1001])
    func limit(_ count: Int) {
        let list = (0..<count).map { "10.0.\($0 / 250).\($0 % 250)" }.joined(separator: ",")
        let plan = MirroredSlicePlan(Self.endpoints("\(list)@80"), slices: [])
        #expect(plan.creations[0].endpoints.count == min(count, 1000))
        #expect(plan.skippedCount == max(count - 1000, 0))
    }

    @Test(
        "which Endpoints are mirrored",
        arguments: [
            ("", "", "none", true), ("", "", "a", false), ("", "", "missing", false),
            ("true", "", "none", false), ("false", "", "none", true),
            ("", "leader", "none", false),
        ]
    )
    func which(_ skip: String, _ leader: String, _ selector: String, _ isMirrored: Bool) {
        var endpoints = Self.endpoints("10.0.0.1@80")
        if !skip.isEmpty { endpoints.metadata.labels[MirroredSlicePlan.skipLabel] = skip }
        if !leader.isEmpty {
            endpoints.metadata.annotations["control-plane.alpha.kubernetes.io/leader"] = "{}"
        }
        let service = CoreV1.Service.with {
            if selector != "none" { $0.spec.selector["app"] = selector }
        }
        #expect(
            MirroredSlicePlan.isMirrored(endpoints, of: selector == "missing" ? nil : service)
                == isMirrored
        )
    }

    @Test("follows Endpoints and their Service, and leaves other slices alone")
    func endToEnd() async throws {
        let harness = ControllerHarness()
        let services = harness.client(CoreV1.Service.self)
        let endpoints = harness.client(CoreV1.Endpoints.self)
        let slices = harness.client(DiscoveryV1.EndpointSlice.self)
        let controller = EndpointSliceMirroringController(harness.context())
        try await harness.run([controller]) {
            func settles(_ texts: [String]) async throws -> Bool {
                try await harness.poll {
                    try await slices.list().items.map(Self.text).sorted() == texts
                }
            }
            _ = try await endpoints.create(Self.endpoints("10.0.0.1@80"))
            var service = CoreV1.Service.with {
                $0.metadata.name = "db"
                $0.metadata.namespace = "default"
            }
            service = try await services.create(service)
            #expect(try await settles(["IPv4 10.0.0.1/@80"]))
            var live = try await endpoints.get("db", in: "default")
            live.subsets = Self.endpoints("10.0.0.1/10.0.0.2@80").subsets
            _ = try await endpoints.update(live)
            #expect(try await settles(["IPv4 10.0.0.1/10.0.0.2@80"]))
            service.spec.selector["app"] = "db"
            service = try await services.update(service)
            #expect(try await settles([]))
            service.spec.selector = MapField()
            _ = try await services.update(service)
            #expect(try await settles(["IPv4 10.0.0.1/10.0.0.2@80"]))
            try await endpoints.delete("db", in: "default")
            #expect(try await settles([]))
        }
    }
}
