// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerHarness
import ControllerKit
import KubernetesAPI
import Protobuf
import ResourceClient
import ServiceControllers
import Testing

@Suite("Endpoints")
struct EndpointTests {
    static func service(
        port: IntStr.IntOrString = 8080,
        headless: Bool = false
    ) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.name = "web"
            $0.metadata.namespace = "default"
            $0.spec.clusterIP = headless ? "None" : "10.96.0.5"
            $0.spec.ipFamilies = ["IPv4"]
            $0.spec.selector = ["app": "web"]
            $0.spec.ports = [
                CoreV1.ServicePort.with {
                    $0.name = "http"
                    $0.port = 80
                    $0.targetPort = port
                    $0.protocol = "TCP"
                }
            ]
        }
    }

    static func pod(
        _ index: Int,
        ready: Bool = true,
        namedPort: Int32 = 8080,
        isTerminating: Bool = false
    ) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = "p\(index)"
            $0.metadata.namespace = "default"
            $0.metadata.uid = "u\(index)"
            $0.metadata.labels["app"] = "web"
            if isTerminating { $0.metadata.deletionTimestamp = MetaV1.Time.with { $0.seconds = 1 } }
            $0.spec.nodeName = "n"
            $0.spec.containers = [
                CoreV1.Container.with {
                    $0.ports = [
                        CoreV1.ContainerPort.with {
                            $0.name = "http"
                            $0.containerPort = namedPort
                            $0.protocol = "TCP"
                        }
                    ]
                }
            ]
            $0.status.phase = "Running"
            $0.status.podIP = "10.0.\(index / 250).\(index % 250 + 1)"
            $0.status.podIPs = [
                CoreV1.PodIP.with { $0.ip = "10.0.\(index / 250).\(index % 250 + 1)" }
            ]
            $0.status.conditions = [
                CoreV1.PodCondition.with {
                    $0.type = "Ready"
                    $0.status = ready ? "True" : "False"
                }
            ]
        }
    }

    private static func stored(_ slices: [DiscoveryV1.EndpointSlice]) -> [DiscoveryV1.EndpointSlice]
    {
        slices.enumerated().map { index, slice in
            var slice = slice
            slice.metadata.name = "web-\(index)"
            slice.metadata.uid = "s\(index)"
            return slice
        }
    }

    @Test("a hundred endpoints to a slice, and a change rewrites one of them")
    func slices() {
        var pods = (0..<250).map { Self.pod($0) }
        let first = EndpointSlicePlan(Self.service(), pods: pods, nodes: [:], slices: [])
        #expect(first.creations.map(\.endpoints.count) == [100, 100, 50])
        #expect(first.creations[0].metadata.labels["kubernetes.io/service-name"] == "web")
        let slices = Self.stored(first.creations)
        let same = EndpointSlicePlan(Self.service(), pods: pods, nodes: [:], slices: slices)
        #expect(same.creations.isEmpty && same.updates.isEmpty && same.deletions.isEmpty)
        pods[120] = Self.pod(120, ready: false)
        pods.append(Self.pod(300))
        let next = EndpointSlicePlan(Self.service(), pods: pods, nodes: [:], slices: slices)
        #expect(next.creations.isEmpty)
        #expect(next.updates.count == 2)
        let none = EndpointSlicePlan(Self.service(), pods: [], nodes: [:], slices: slices)
        #expect(none.updates.count == 1)
        #expect(none.updates.first?.endpoints.isEmpty == true)
        #expect(none.deletions.count == 2)
    }

    @Test("conditions of ready, unready and terminating pods")
    func conditions() {
        let pods = [
            Self.pod(0), Self.pod(1, ready: false), Self.pod(2, isTerminating: true),
        ]
        let plan = EndpointSlicePlan(Self.service(), pods: pods, nodes: [:], slices: [])
        let states = plan.creations.first?.endpoints.map { endpoint in
            [
                endpoint.conditions.ready, endpoint.conditions.serving,
                endpoint.conditions.terminating,
            ]
        }
        #expect(
            states == [
                [true, true, false], [false, false, false], [false, true, true],
            ]
        )
        var service = Self.service()
        service.spec.publishNotReadyAddresses = true
        let open = EndpointSlicePlan(service, pods: pods, nodes: [:], slices: [])
        #expect(open.creations.first?.endpoints.allSatisfy { $0.conditions.ready == true } == true)
    }

    @Test("pods whose named ports differ are in different slices")
    func namedPorts() {
        let plan = EndpointSlicePlan(
            Self.service(port: "http"),
            pods: [Self.pod(0), Self.pod(1, namedPort: 9090), Self.pod(2)],
            nodes: [:],
            slices: []
        )
        #expect(plan.creations.map { $0.ports.first?.port } == [8080, 9090])
        #expect(plan.creations.map(\.endpoints.count) == [2, 1])
    }

    @Test("Endpoints hold ready and unready addresses, and are cut at a thousand")
    func endpoints() {
        let few = EndpointsPlan.endpoints(
            Self.service(),
            pods: [Self.pod(0), Self.pod(1, ready: false), Self.pod(2, isTerminating: true)],
            current: nil
        )
        #expect(few.subsets.count == 1)
        #expect(few.subsets.first?.addresses.map(\.ip) == ["10.0.0.1"])
        #expect(few.subsets.first?.notReadyAddresses.map(\.ip) == ["10.0.0.2"])
        #expect(few.subsets.first?.ports.first?.port == 8080)
        let many = EndpointsPlan.endpoints(
            Self.service(),
            pods: (0..<1200).map { Self.pod($0, ready: $0 % 2 == 0) },
            current: nil
        )
        let subset = many.subsets.first
        #expect(subset?.addresses.count == 600)
        #expect(subset?.notReadyAddresses.count == 400)
        #expect(many.metadata.annotations[EndpointsPlan.overCapacity] == "truncated")
    }

    @Test("slices and Endpoints follow pods")
    func endToEnd() async throws {
        let harness = ControllerHarness()
        let controllers: [any Controller] = [
            EndpointSliceController(harness.context()), EndpointsController(harness.context()),
        ]
        let slices = harness.client(DiscoveryV1.EndpointSlice.self)
        let endpoints = harness.client(CoreV1.Endpoints.self)
        let pods = harness.client(CoreV1.Pod.self)
        try await harness.run(controllers) {
            _ = try await harness.client(CoreV1.Service.self).create(Self.service())
            for index in 0..<3 { _ = try await pods.create(Self.pod(index)) }
            try await harness.runPods()
            let isThere = try await harness.poll {
                let ready = try await slices.list().items.flatMap(\.endpoints)
                    .filter { $0.conditions.ready == true }
                let addresses = try await endpoints.list().items.flatMap(\.subsets)
                    .flatMap(\.addresses)
                return ready.count == 3 && addresses.count == 3
            }
            #expect(isThere)
            try await pods.delete("p0", in: "default", DeleteOptions(gracePeriodSeconds: 0))
            let isGone = try await harness.poll {
                try await slices.list().items.flatMap(\.endpoints).count == 2
            }
            #expect(isGone)
        }
    }
}
