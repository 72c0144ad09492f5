// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterDNS
import DNSMessages
import KubernetesAPI
import Protobuf
import Testing

/// A few objects in memory.
private struct FixedRecords: ClusterRecords {
    var services: [CoreV1.Service] = []
    var slices: [DiscoveryV1.EndpointSlice] = []

    func service(_ name: String, in namespace: String) -> CoreV1.Service? {
        self.services.first { $0.metadata.name == name && $0.metadata.namespace == namespace }
    }

    func endpointSlices(of service: String, in namespace: String) -> [DiscoveryV1.EndpointSlice] {
        self.slices.filter {
            $0.metadata.labels["kubernetes.io/service-name"] == service
                && $0.metadata.namespace == namespace
        }
    }

    func hasNamespace(_ name: String) -> Bool { name == "default" }

    func services(address: String) -> [CoreV1.Service] {
        self.services.filter { $0.spec.clusterIP == address }
    }

    func endpointSlices(address: String) -> [DiscoveryV1.EndpointSlice] {
        self.slices.filter { $0.endpoints.contains { $0.addresses.contains(address) } }
    }
}

@Suite("ClusterZone")
struct ClusterZoneTests {
    private static func service(
        _ name: String,
        _ address: String,
        type: String = "ClusterIP"
    ) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.name = name
            $0.metadata.namespace = "default"
            $0.spec.type = type
            $0.spec.clusterIP = address
            if type == "ExternalName" { $0.spec.externalName = "example.com" }
            $0.spec.ports.append(
                CoreV1.ServicePort.with {
                    $0.name = "http"
                    $0.protocol = "TCP"
                    $0.port = 80
                }
            )
        }
    }

    private static let slice = DiscoveryV1.EndpointSlice.with {
        $0.metadata.name = "db-1"
        $0.metadata.namespace = "default"
        $0.metadata.labels["kubernetes.io/service-name"] = "db"
        $0.addressType = "IPv4"
        $0.ports.append(
            DiscoveryV1.EndpointPort.with {
                $0.name = "sql"
                $0.protocol = "TCP"
                $0.port = 5432
            }
        )
        $0.endpoints.append(
            DiscoveryV1.Endpoint.with {
                $0.addresses.append("10.244.0.5")
                $0.hostname = "db-0"
            }
        )
        $0.endpoints.append(DiscoveryV1.Endpoint.with { $0.addresses.append("10.244.0.6") })
        $0.endpoints.append(
            DiscoveryV1.Endpoint.with {
                $0.addresses.append("10.244.0.7")
                $0.conditions.ready = false
            }
        )
    }

    private static let zone = ClusterZone(
        domain: DNSName("cluster.local"),
        records: FixedRecords(
            services: [
                Self.service("web", "10.96.0.20"), Self.service("db", "None"),
                Self.service("out", "", type: "ExternalName"), Self.service("empty", "None"),
            ],
            slices: [Self.slice]
        )
    )

    private static func ask(_ name: String, _ type: DNSType) throws -> DNSAnswer? {
        var message: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.split(separator: ".") {
            message.append(UInt8(label.utf8.count))
            message += label.utf8
        }
        message += [0, UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF), 0, 1]
        return self.zone.answer(try DNSQuery(parsing: message))
    }

    /// The records of an answer, as text.
    private static func text(_ answer: DNSAnswer?) -> [String] {
        (answer?.records ?? []).map { record in
            switch record.data {
            case .a(let bytes): bytes.map(String.init).joined(separator: ".")
            case .aaaa(let bytes): "\(bytes)"
            case .cname(let name), .ptr(let name), .ns(let name): name.description
            case .txt(let text): text
            case .srv(_, _, let port, let target): "\(port) \(target)"
            case .soa: "soa"
            }
        }
    }

    struct Case: Sendable, CustomStringConvertible {
        var name: String
        var type: DNSType = .a
        var code: DNSResponseCode = .noError
        var records: [String] = []
        var description: String { "\(self.name) \(self.type.rawValue)" }
    }

    static let cases: [Case] = [
        Case(name: "web.default.svc.cluster.local", records: ["10.96.0.20"]),
        Case(name: "WEB.Default.svc.Cluster.LOCAL", records: ["10.96.0.20"]),
        Case(name: "web.default.svc.cluster.local", type: .aaaa),
        Case(name: "web.other.svc.cluster.local", code: .nameError),
        Case(name: "nobody.default.svc.cluster.local", code: .nameError),
        Case(name: "a.web.default.svc.cluster.local", code: .nameError),
        Case(name: "default.svc.cluster.local"),
        Case(name: "other.svc.cluster.local", code: .nameError),
        Case(name: "svc.cluster.local"),
        Case(name: "cluster.local", type: .soa, records: ["soa"]),
        Case(name: "nothing.cluster.local", code: .nameError),
        Case(name: "dns-version.cluster.local", type: .txt, records: ["1.1.0"]),
        Case(name: "db.default.svc.cluster.local", records: ["10.244.0.5", "10.244.0.6"]),
        Case(name: "db-0.db.default.svc.cluster.local", records: ["10.244.0.5"]),
        Case(name: "10-244-0-6.db.default.svc.cluster.local", records: ["10.244.0.6"]),
        Case(name: "10-244-0-7.db.default.svc.cluster.local", code: .nameError),
        Case(name: "empty.default.svc.cluster.local", code: .nameError),
        Case(name: "out.default.svc.cluster.local", records: ["example.com."]),
        Case(
            name: "_http._tcp.web.default.svc.cluster.local",
            type: .srv,
            records: ["80 web.default.svc.cluster.local."]
        ),
        Case(name: "_http._udp.web.default.svc.cluster.local", type: .srv, code: .nameError),
        Case(
            name: "_sql._tcp.db.default.svc.cluster.local",
            type: .srv,
            records: [
                "5432 db-0.db.default.svc.cluster.local.",
                "5432 10-244-0-6.db.default.svc.cluster.local.",
            ]
        ),
        Case(name: "10-1-2-3.default.pod.cluster.local", records: ["10.1.2.3"]),
        Case(name: "10-1-2-300.default.pod.cluster.local", code: .nameError),
        Case(name: "10-1-2-3.other.pod.cluster.local", code: .nameError),
        Case(
            name: "20.0.96.10.in-addr.arpa",
            type: .ptr,
            records: ["web.default.svc.cluster.local."]
        ),
        Case(
            name: "5.0.244.10.in-addr.arpa",
            type: .ptr,
            records: ["db-0.db.default.svc.cluster.local."]
        ),
    ]

    @Test("answers as the specification says", arguments: Self.cases)
    func answers(_ example: Case) throws {
        let answer = try #require(try Self.ask(example.name, example.type))
        #expect(answer.code == example.code)
        #expect(Self.text(answer) == example.records)
        // What is not there is said with authority.
        #expect(answer.records.isEmpty == !answer.authorities.isEmpty)
    }

    @Test("names of others are not answered", arguments: ["example.com", "4.3.2.1.in-addr.arpa"])
    func others(name: String) throws {
        #expect(try Self.ask(name, name.hasSuffix("arpa") ? .ptr : .a) == nil)
    }

    @Test("takes the host's servers but not itself, at most three")
    func resolverFile() {
        let text = """
            # comment
            search example.com
            nameserver 10.96.0.10
            nameserver 192.0.2.1
            nameserver\t192.0.2.2
            nameserver 192.0.2.1
            nameserver not-an-address
            nameserver 192.0.2.3
            nameserver 192.0.2.4
            """
        #expect(
            ResolverFile(text, own: ["10.96.0.10"]).servers
                == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        )
    }
}
