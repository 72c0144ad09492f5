// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import NameRules
import ObjectModel
import Protobuf
import Testing

@testable import Registry

@Suite("ServiceFields")
struct ServiceFieldsTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var families = ["IPv4"]
        var before: @Sendable (inout CoreV1.ServiceSpec) -> Void = { _ in }
        var isUpdate = false
        var spec: @Sendable (inout CoreV1.ServiceSpec) -> Void = { _ in }
        /// Policy, families and addresses; or the faults.
        var expected: String
        var testDescription: String { self.name }
    }

    private static func service(
        _ build: (inout CoreV1.ServiceSpec) -> Void
    ) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.name = "s"
            $0.spec.type = "ClusterIP"
            $0.spec.selector = ["a": "b"]
            build(&$0.spec)
        }
    }

    private static let dual = ["IPv4", "IPv6"]

    private static func give(
        _ policy: String,
        _ families: [String],
        _ addresses: [String]
    ) -> @Sendable (inout CoreV1.ServiceSpec) -> Void {
        { spec in
            spec.ipFamilyPolicy = policy
            for family in families { spec.ipFamilies.append(family) }
            for address in addresses { spec.clusterIPs.append(address) }
            spec.clusterIP = addresses.first ?? ""
        }
    }

    static let cases: [Case] = [
        Case(name: "nothing said", expected: "SingleStack IPv4 -"),
        Case(
            name: "the default family is the first",
            families: ["IPv6", "IPv4"],
            expected: "SingleStack IPv6 -"
        ),
        Case(
            name: "an address decides the family",
            families: dual,
            spec: { $0.clusterIP = "fd00::5" },
            expected: "SingleStack IPv6 fd00::5"
        ),
        Case(
            name: "prefers two, has one",
            spec: { $0.ipFamilyPolicy = "PreferDualStack" },
            expected: "PreferDualStack IPv4 -"
        ),
        Case(
            name: "prefers two, has two",
            families: dual,
            spec: { $0.ipFamilyPolicy = "PreferDualStack" },
            expected: "PreferDualStack IPv4,IPv6 -"
        ),
        Case(
            name: "requires two, has one",
            spec: { $0.ipFamilyPolicy = "RequireDualStack" },
            expected:
                #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#
        ),
        Case(
            name: "requires two",
            families: dual,
            spec: {
                $0.ipFamilyPolicy = "RequireDualStack"
                $0.ipFamilies = ["IPv6"]
            },
            expected: "RequireDualStack IPv6,IPv4 -"
        ),
        Case(
            name: "two families, one stack",
            families: dual,
            spec: { $0.ipFamilies = ["IPv6", "IPv4"] },
            expected:
                #"spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"#
        ),
        Case(
            name: "two addresses, one stack",
            families: dual,
            spec: give("SingleStack", [], ["10.0.0.1", "fd00::1"]),
            expected:
                #"spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"#
        ),
        Case(
            name: "a family that the cluster has not",
            spec: { $0.ipFamilies = ["IPv6"] },
            expected: #"spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#
        ),
        Case(
            name: "an address of a family that the cluster has not",
            spec: { $0.clusterIP = "fd00::1" },
            expected:
                #"spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster"#
        ),
        Case(
            name: "two addresses of one family",
            families: dual,
            spec: give("PreferDualStack", [], ["10.0.0.1", "10.0.0.2"]),
            expected:
                #"spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family"#
        ),
        Case(
            name: "an address of the other family",
            families: dual,
            spec: give("SingleStack", ["IPv6"], ["10.0.0.1"]),
            expected:
                #"spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`"#
        ),
        Case(
            name: "headless",
            families: dual,
            spec: { $0.clusterIP = "None" },
            expected: "SingleStack IPv4 None"
        ),
        Case(
            name: "headless without selector",
            spec: {
                $0.clusterIP = "None"
                $0.selector = [:]
            },
            expected: "RequireDualStack IPv4,IPv6 None"
        ),
        Case(
            name: "headless without selector, single",
            spec: {
                $0.clusterIP = "None"
                $0.selector = [:]
                $0.ipFamilyPolicy = "SingleStack"
            },
            expected: "SingleStack IPv4 None"
        ),
        Case(
            name: "an external name",
            families: dual,
            spec: { $0.type = "ExternalName" },
            expected: "- - -"
        ),
        Case(
            name: "an update keeps what it leaves out",
            families: dual,
            before: give("PreferDualStack", dual, ["10.0.0.1", "fd00::1"]),
            isUpdate: true,
            spec: {
                $0.ipFamilyPolicy = "PreferDualStack"
                $0.ipFamilies.append(contentsOf: dual)
            },
            expected: "PreferDualStack IPv4,IPv6 10.0.0.1,fd00::1"
        ),
        Case(
            name: "the policy of before holds",
            families: dual,
            before: give("SingleStack", ["IPv4"], ["10.0.0.1"]),
            isUpdate: true,
            expected: "SingleStack IPv4 10.0.0.1"
        ),
        Case(
            name: "upgrade",
            families: dual,
            before: give("SingleStack", ["IPv4"], ["10.0.0.1"]),
            isUpdate: true,
            spec: give("PreferDualStack", ["IPv4"], ["10.0.0.1"]),
            expected: "PreferDualStack IPv4,IPv6 10.0.0.1"
        ),
        Case(
            name: "downgrade",
            families: dual,
            before: give("PreferDualStack", dual, ["10.0.0.1", "fd00::1"]),
            isUpdate: true,
            spec: give("SingleStack", dual, ["10.0.0.1", "fd00::1"]),
            expected: "SingleStack IPv4 10.0.0.1"
        ),
        Case(
            name: "downgrade without saying so",
            families: dual,
            before: give("RequireDualStack", dual, ["10.0.0.1", "fd00::1"]),
            isUpdate: true,
            spec: give("RequireDualStack", ["IPv4"], ["10.0.0.1"]),
            expected:
                #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary cluster IP"#
        ),
        Case(
            name: "a preference is left alone when the cluster gets another family",
            families: dual,
            before: give("PreferDualStack", ["IPv4"], ["10.0.0.1"]),
            isUpdate: true,
            spec: give("PreferDualStack", ["IPv4"], ["10.0.0.1"]),
            expected: "PreferDualStack IPv4 10.0.0.1"
        ),
        Case(
            name: "to an external name",
            families: dual,
            before: give("PreferDualStack", dual, ["10.0.0.1", "fd00::1"]),
            isUpdate: true,
            spec: { spec in
                give("PreferDualStack", dual, ["10.0.0.1", "fd00::1"])(&spec)
                spec.type = "ExternalName"
            },
            expected: "- - -"
        ),
        Case(
            name: "from an external name",
            families: dual,
            before: { $0.type = "ExternalName" },
            isUpdate: true,
            expected: "SingleStack IPv4 -"
        ),
    ]

    @Test("completes families", arguments: cases)
    func families(test: Case) {
        var service = Self.service(test.spec)
        let before = test.isUpdate ? Self.service(test.before) : nil
        let errors = ServiceFields.complete(&service, before, families: test.families)
        func text(_ values: [String]) -> String {
            values.isEmpty ? "-" : values.joined(separator: ",")
        }
        let found =
            errors.isEmpty
            ? "\(service.spec.ipFamilyPolicy ?? "-") \(text(Array(service.spec.ipFamilies))) "
                + text(Array(service.spec.clusterIPs))
            : errors.list.map(\.description).joined(separator: "; ")
        #expect(found == test.expected || errors.list.first?.description == test.expected)
    }

    @Test("drops what goes with the type")
    func drops() {
        let before = Self.service {
            $0.type = "LoadBalancer"
            $0.allocateLoadBalancerNodePorts = true
            $0.loadBalancerClass = "example.com/lb"
            $0.externalTrafficPolicy = "Local"
            $0.healthCheckNodePort = 31_000
            $0.ports = [
                CoreV1.ServicePort.with {
                    $0.port = 80
                    $0.nodePort = 30_080
                }
            ]
        }
        var service = before
        service.spec.type = "ClusterIP"
        #expect(ServiceFields.complete(&service, before, families: ["IPv4"]).isEmpty)
        #expect(service.spec.allocateLoadBalancerNodePorts == nil)
        #expect(service.spec.loadBalancerClass == nil)
        #expect(service.spec.externalTrafficPolicy.isEmpty)
        #expect(service.spec.healthCheckNodePort == 0)
        #expect(service.spec.ports[0].nodePort == 0)
        // What the writer changes too is his to hear of.
        service = before
        service.spec.type = "ClusterIP"
        service.spec.healthCheckNodePort = 31_001
        service.spec.ports[0].nodePort = 30_081
        _ = ServiceFields.complete(&service, before, families: ["IPv4"])
        #expect(service.spec.healthCheckNodePort == 31_001)
        #expect(service.spec.ports[0].nodePort == 30_081)
    }

    private static func ports(_ ports: [(Int32, String, Int32)]) -> CoreV1.Service {
        self.service { spec in
            spec.type = "NodePort"
            for (port, name, nodePort) in ports {
                spec.ports.append(
                    CoreV1.ServicePort.with {
                        $0.port = port
                        $0.protocol = name
                        $0.nodePort = nodePort
                    }
                )
            }
        }
    }

    @Test("counts a port of two protocols once, of one protocol as often as it is there")
    func nodePorts() {
        let both = Self.ports([(53, "UDP", 30_053), (53, "TCP", 30_053)])
        #expect(ServiceFields.nodePorts(of: both) == [30_053])
        let same = Self.ports([(53, "UDP", 30_053), (54, "UDP", 30_053)])
        #expect(ServiceFields.nodePorts(of: same) == [30_053, 30_053])
    }

    @Test("a new Service has one port on nodes for both protocols")
    func shared() throws {
        for requested in [0, 30_053] as [Int32] {
            var service = Self.ports([(53, "UDP", requested), (53, "TCP", 0)])
            var allocations = PortAllocations(range: 30_000...30_100)
            let taken = try ServiceAllocator.assign(
                &service,
                own: [],
                isNew: true,
                from: &allocations
            )
            #expect(taken.count == 1)
            #expect(service.spec.ports[0].nodePort == service.spec.ports[1].nodePort)
            #expect(requested == 0 || service.spec.ports[0].nodePort == requested)
        }
    }

    @Test("a port that is taken is refused with its path")
    func refused() throws {
        var service = Self.ports([(1, "TCP", 0), (2, "TCP", 30_001)])
        var allocations = PortAllocations(range: 30_000...30_100, ports: [30_001])
        do {
            _ = try ServiceAllocator.assign(
                &service,
                own: [],
                isNew: true,
                from: &allocations
            )
            Issue.record("nothing is refused")
        } catch {
            #expect(
                error.message.contains(
                    "spec.ports[1].nodePort: Invalid value: 30001: provided port is already "
                        + "allocated"
                )
            )
        }
    }
}
