// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import ControllerHarness
import KubernetesAPI
import MemoryCluster
import Protobuf
import ResourceClient
import ServiceControllers

extension ClusterScenario {
    private static let nameLabel = EndpointSlicePlan.serviceLabel
    private static let manual = "manual"

    /// Services, pods and Endpoints made by hand come, go and change. In the end the slices and the
    /// Endpoints of each Service name its ready pods, each once; on the way a Service never had more
    /// slices than the one that is filled and the one that is given up.
    static let services = ClusterScenario(
        name: "services",
        resources: ["services", "pods", "endpoints", "endpointslices.discovery.k8s.io"],
        controllers: { harness, _ in
            [
                EndpointSliceController(harness.context()),
                EndpointSliceMirroringController(harness.context()),
                EndpointsController(harness.context()),
            ]
        },
        disturb: { harness, storm in
            let services = harness.client(CoreV1.Service.self)
            let pods = harness.client(CoreV1.Pod.self)
            let number = storm.random(below: 6)
            let app = number % 2 == 0 ? "a" : "b"
            switch storm.random(below: 8) {
            case 0:
                let name = storm.random(below: 3) == 0 ? Self.manual : app
                _ = try? await services.create(Self.service(name))
            case 1: _ = try? await services.delete(app)
            case 2: try await Self.writeEndpoints(harness, storm)
            case 3:
                let now = DeleteOptions(gracePeriodSeconds: 0)
                _ = try? await pods.delete("pod-\(number)", in: "default", now)
            case 4, 5:
                guard var pod = try? await pods.get("pod-\(number)", in: "default") else { return }
                let isReady = storm.random(below: 2) == 0
                pod.status.conditions = [Self.readiness(isReady)]
                _ = try? await pods.updateStatus(pod)
            default: _ = try? await pods.create(Self.pod(number, app))
            }
        },
        settle: { _ in },
        isDone: { harness in
            let pods = try await harness.client(CoreV1.Pod.self).list().items
            let endpoints = try await harness.client(CoreV1.Endpoints.self).list().items
            let slices = try await harness.client(DiscoveryV1.EndpointSlice.self).list().items
            for service in try await harness.client(CoreV1.Service.self).list().items {
                let name = service.metadata.name
                let own = slices.filter { slice in
                    slice.metadata.labels[Self.nameLabel] == name
                        && slice.metadata.ownerReferences.contains {
                            $0.kind == "Endpoints" || $0.uid == service.metadata.uid
                        }
                }
                let told = own.flatMap { slice in
                    slice.endpoints.filter { $0.conditions.ready == true }
                        .flatMap { Array($0.addresses) }
                }
                let classic = (endpoints.first { $0.metadata.name == name }?.subsets ?? [])
                    .flatMap { $0.addresses.map(\.ip) }
                let wanted =
                    name == Self.manual
                    ? classic
                    : pods.filter { $0.metadata.labels["app"] == name && Self.isReady($0) }
                        .map(\.status.podIP)
                guard told.sorted() == wanted.sorted(), classic.sorted() == wanted.sorted() else {
                    return false
                }
            }
            return true
        },
        problems: { cluster in
            var problems: [String] = []
            var present: [String: [String: String]] = [:]
            for (version, isDeleted, slice) in cluster.history(of: DiscoveryV1.EndpointSlice.self) {
                let owner = slice.metadata.ownerReferences.first?.uid ?? ""
                present[owner, default: [:]][slice.metadata.uid] =
                    isDeleted ? nil : slice.metadata.name
                if let count = present[owner]?.count, count > 2 {
                    problems.append("\(count) slices of \(owner) at \(version)")
                }
            }
            return problems
        }
    )

    private static func service(_ name: String) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.spec.clusterIP = "10.96.0.5"
            $0.spec.ipFamilies = ["IPv4"]
            if name != self.manual { $0.spec.selector = ["app": name] }
            $0.spec.ports = [
                CoreV1.ServicePort.with {
                    $0.port = 80
                    $0.targetPort = 8080
                    $0.protocol = "TCP"
                }
            ]
        }
    }

    private static func pod(_ number: Int, _ app: String) -> CoreV1.Pod {
        CoreV1.Pod.with {
            $0.metadata.name = "pod-\(number)"
            $0.metadata.namespace = "default"
            $0.metadata.labels["app"] = app
            $0.spec.nodeName = "node"
            $0.status.phase = "Running"
            $0.status.podIP = "10.0.0.\(number + 1)"
            $0.status.podIPs = [CoreV1.PodIP.with { $0.ip = "10.0.0.\(number + 1)" }]
            $0.status.conditions = [self.readiness(true)]
        }
    }

    private static func readiness(_ isReady: Bool) -> CoreV1.PodCondition {
        CoreV1.PodCondition.with {
            $0.type = "Ready"
            $0.status = isReady ? "True" : "False"
        }
    }

    private static func isReady(_ pod: CoreV1.Pod) -> Bool {
        pod.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
    }

    /// Makes or changes the Endpoints of the Service that has no selector.
    private static func writeEndpoints(_ harness: ControllerHarness, _ storm: Storm) async throws {
        let client = harness.client(CoreV1.Endpoints.self)
        let old = try? await client.get(self.manual, in: "default")
        var endpoints =
            old
            ?? CoreV1.Endpoints.with {
                $0.metadata.name = self.manual
                $0.metadata.namespace = "default"
            }
        endpoints.subsets = [
            CoreV1.EndpointSubset.with { subset in
                subset.ports = [
                    CoreV1.EndpointPort.with {
                        $0.port = 9000
                        $0.protocol = "TCP"
                    }
                ]
                for _ in 0...storm.random(below: 3) {
                    let address = "10.9.0.\(1 + storm.random(below: 200))"
                    guard !subset.addresses.contains(where: { $0.ip == address }) else { continue }
                    subset.addresses.append(CoreV1.EndpointAddress.with { $0.ip = address })
                }
            }
        ]
        if old == nil {
            _ = try? await client.create(endpoints)
        } else {
            _ = try? await client.update(endpoints)
        }
    }
}
