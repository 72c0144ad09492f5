// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars
import Testing

@testable import Registry

@Suite("Repair of what Services have")
struct RepairTests {
    private static let now = Timestamp(seconds: 1_000_000)

    private static func service(
        _ name: String,
        _ addresses: [String] = [],
        ports: [Int32] = []
    ) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.spec.type = ports.isEmpty ? "ClusterIP" : "NodePort"
            $0.spec.clusterIP = addresses.first ?? "None"
            for address in addresses { $0.spec.clusterIPs.append(address) }
            for port in ports {
                $0.spec.ports.append(
                    CoreV1.ServicePort.with {
                        $0.protocol = "TCP"
                        $0.nodePort = port
                    }
                )
            }
        }
    }

    private static func address(
        _ name: String,
        of service: String,
        resource: String = "services",
        age: Int64 = 1000,
        family: String = "IPv4"
    ) -> NetworkingV1.IPAddress {
        NetworkingV1.IPAddress.with {
            $0.metadata.name = name
            $0.metadata.labels = [
                ServiceAllocator.familyLabel: family,
                ServiceAllocator.managerLabel: ServiceAllocator.manager,
            ]
            $0.metadata.creationTimestamp = MetaV1.Time(
                Timestamp(seconds: self.now.seconds - age)
            )
            $0.spec.parentRef = NetworkingV1.ParentReference.with {
                $0.resource = resource
                $0.namespace = "default"
                $0.name = service
            }
        }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var services: [CoreV1.Service] = []
        var addresses: [NetworkingV1.IPAddress] = []
        var expected: [String] = []
        var isPending = false
        var testDescription: String { self.name }
    }

    static let cases: [Case] = [
        Case(
            name: "all is well",
            services: [service("a", ["10.0.0.1", "fd00::1"]), service("headless")],
            addresses: [address("10.0.0.1", of: "a"), address("fd00::1", of: "a", family: "IPv6")]
        ),
        Case(
            name: "not allocated",
            services: [service("a", ["10.0.0.1"])],
            expected: ["repair ClusterIPNotAllocated +10.0.0.1"]
        ),
        Case(
            name: "out of range",
            services: [service("a", ["10.9.0.1"])],
            expected: ["outOfRange ClusterIPOutOfRange"]
        ),
        Case(
            name: "no address",
            services: [service("a", ["x"])],
            expected: ["invalid ClusterIPNotValid"]
        ),
        Case(
            name: "twice",
            services: [service("a", ["10.0.0.1"]), service("b", ["10.0.0.1"])],
            addresses: [address("10.0.0.1", of: "a")],
            expected: ["duplicate ClusterIPAlreadyAllocated"]
        ),
        Case(
            name: "of a Service that is gone",
            services: [service("a", ["10.0.0.1"])],
            addresses: [address("10.0.0.1", of: "gone")],
            expected: ["repair ClusterIPNotAllocated ±10.0.0.1"]
        ),
        Case(
            name: "of something else",
            services: [service("a", ["10.0.0.1"])],
            addresses: [address("10.0.0.1", of: "a", resource: "pods")],
            expected: ["repair ClusterIPNotAllocated ±10.0.0.1"]
        ),
        Case(
            name: "without its family",
            services: [service("a", ["10.0.0.1"])],
            addresses: [address("10.0.0.1", of: "a", family: "IPv6")],
            expected: ["repair  ±10.0.0.1"]
        ),
        Case(
            name: "leaked",
            addresses: [address("10.0.0.1", of: "gone")],
            expected: ["leak IPAddressNotAllocated -10.0.0.1"]
        ),
        Case(
            name: "its Service may be on its way",
            addresses: [address("10.0.0.1", of: "gone", age: 60)],
            isPending: true
        ),
        Case(
            name: "its Service has another",
            services: [service("a", ["10.0.0.1"])],
            addresses: [address("10.0.0.1", of: "a"), address("10.0.0.2", of: "a")],
            expected: ["leak IPAddressWrongReference -10.0.0.2"]
        ),
    ]

    private static func text(_ finding: RepairFinding) -> String {
        let head = "\(finding.kind.rawValue) \(finding.reason)"
        switch finding.remedy {
        case .none: return head
        case .create(let address, _, let isReplacing):
            return "\(head) \(isReplacing ? "±" : "+")\(address)"
        case .remove(let address): return "\(head) -\(address)"
        }
    }

    @Test("of addresses", arguments: cases)
    func addresses(test: Case) throws {
        let ranges = try ["10.0.0.0/24", "fd00::/120"].map { try #require(AddressRange($0)) }
        let (findings, isPending) = AddressRepair.findings(
            test.services,
            test.addresses,
            ranges: ranges,
            now: Self.now
        )
        #expect(findings.map(Self.text) == test.expected)
        #expect(isPending == test.isPending)
    }

    @Test("of ports: not allocated, twice, out of range")
    func ports() {
        var repair = PortRepair()
        let (allocations, findings) = repair.step(
            PortAllocations(range: 30_000...30_010, ports: [30_001]),
            [
                Self.service("a", ports: [30_001, 30_002]), Self.service("b", ports: [30_002]),
                Self.service("c", ports: [80]),
            ]
        )
        #expect(allocations.ports == [30_001, 30_002])
        #expect(
            findings.map(Self.text) == [
                "repair PortNotAllocated", "duplicate PortAlreadyAllocated",
                "outOfRange PortOutOfRange",
            ]
        )
        #expect(!repair.isPending)
    }

    @Test("a port that no Service has is given back in the third round")
    func leak() {
        var repair = PortRepair()
        var allocations = PortAllocations(range: 30_000...30_010, ports: [30_005])
        for _ in 1..<PortRepair.rounds {
            let step = repair.step(allocations, [])
            #expect(step.findings.isEmpty)
            #expect(step.allocations == allocations)
            #expect(repair.isPending)
            allocations = step.allocations
        }
        let last = repair.step(allocations, [])
        #expect(last.findings.map(Self.text) == ["leak "])
        #expect(last.allocations.ports.isEmpty)
        #expect(!repair.isPending)
    }

    @Test("a leak that gets its Service in time is none")
    func late() {
        var repair = PortRepair()
        let allocations = PortAllocations(range: 30_000...30_010, ports: [30_005])
        _ = repair.step(allocations, [])
        let step = repair.step(allocations, [Self.service("a", ports: [30_005])])
        #expect(step.findings.isEmpty)
        #expect(step.allocations == allocations)
        #expect(!repair.isPending)
    }
}
