// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import Processes
import Protobuf
import ServiceRules
import Testing

@Suite("RuleTable")
struct RuleTableTests {
    private static func service(_ change: (inout CoreV1.Service) -> Void) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.namespace = "default"
            $0.metadata.name = "web"
            $0.spec.type = "ClusterIP"
            $0.spec.clusterIP = "10.96.1.1"
            $0.spec.ports.append(
                CoreV1.ServicePort.with {
                    $0.name = "http"
                    $0.protocol = "TCP"
                    $0.port = 80
                    $0.nodePort = 30080
                }
            )
            change(&$0)
        }
    }

    private struct Place {
        var address: String
        var node = "a"
        var ready = true
        var terminating = false
        var zones: [String] = []
    }

    private static func slice(_ places: [Place]) -> DiscoveryV1.EndpointSlice {
        DiscoveryV1.EndpointSlice.with {
            $0.addressType = "IPv4"
            $0.ports.append(
                DiscoveryV1.EndpointPort.with {
                    $0.name = "http"
                    $0.protocol = "TCP"
                    $0.port = 8080
                }
            )
            for place in places {
                $0.endpoints.append(
                    DiscoveryV1.Endpoint.with {
                        $0.addresses.append(place.address)
                        $0.nodeName = place.node
                        $0.conditions.ready = place.ready
                        $0.conditions.serving = place.ready || place.terminating
                        $0.conditions.terminating = place.terminating
                        if !place.zones.isEmpty {
                            $0.hints = DiscoveryV1.EndpointHints.with { hints in
                                for zone in place.zones {
                                    hints.forZones.append(
                                        DiscoveryV1.ForZone.with { $0.name = zone }
                                    )
                                }
                            }
                        }
                    }
                )
            }
        }
    }

    private static let context = RuleContext(
        family: .ipv4,
        clusterRange: "10.244.0.0/16",
        zone: "z1"
    )

    private static func fragment(
        _ service: CoreV1.Service,
        _ places: [Place]
    ) -> RuleFragment? {
        ServiceView(service, [self.slice(places)], .ipv4, nodeName: "a").map {
            RuleFragment($0, self.context)
        }
    }

    /// The addresses that a packet to a key of a collection may be sent to, by walking the rules.
    private static func destinations(
        _ fragment: RuleFragment?,
        _ collection: RuleFragment.Collection,
        _ key: String
    ) -> Set<String> {
        guard let fragment, let verdict = fragment.elements[collection]?[key] else { return [] }
        if verdict == "drop" || verdict == "goto refuse" { return [verdict] }
        var found: Set<String> = []
        var queue = [verdict]
        var seen: Set<String> = []
        while let next = queue.popLast() {
            guard let at = next.range(of: "goto ") else { continue }
            let chain = String(next[at.upperBound...].prefix { $0 != " " && $0 != "," })
            guard seen.insert(chain).inserted else { continue }
            for rule in fragment.chains[chain] ?? ["no chain \(chain)"] {
                if let dnat = rule.range(of: "dnat ") {
                    found.formUnion(
                        rule[dnat.upperBound...].split { !"0123456789.".contains($0) }
                            .map(String.init).filter { $0.split(separator: ".").count == 4 }
                    )
                } else if rule == "drop" {
                    found.insert("drop")
                }
                for part in rule.components(separatedBy: "goto ").dropFirst() {
                    queue.append("goto \(part)")
                }
            }
        }
        return found
    }

    private struct Case: CustomStringConvertible, Sendable {
        var description: String
        var service: @Sendable (inout CoreV1.Service) -> Void = { _ in }
        var places: [Place]
        var cluster: Set<String>
        var nodePort: Set<String> = []
    }

    private static let cases: [Case] = [
        Case(
            description: "ready endpoints only",
            places: [Place(address: "10.244.0.2"), Place(address: "10.244.0.3", ready: false)],
            cluster: ["10.244.0.2"]
        ),
        Case(
            description: "terminating ones when nothing is ready",
            places: [Place(address: "10.244.0.2", ready: false, terminating: true)],
            cluster: ["10.244.0.2"]
        ),
        Case(
            description: "refused without endpoints",
            service: { $0.spec.type = "NodePort" },
            places: [],
            cluster: ["goto refuse"]
        ),
        Case(
            description: "internal policy Local drops when the endpoints are elsewhere",
            service: { $0.spec.internalTrafficPolicy = "Local" },
            places: [Place(address: "10.244.1.2", node: "b")],
            cluster: ["drop"]
        ),
        Case(
            description: "the zone's endpoints",
            places: [
                Place(address: "10.244.0.2", zones: ["z1"]),
                Place(address: "10.244.1.2", node: "b", zones: ["z2"]),
            ],
            cluster: ["10.244.0.2"]
        ),
        Case(
            description: "all when one has no hint",
            places: [
                Place(address: "10.244.0.2", zones: ["z1"]),
                Place(address: "10.244.1.2", node: "b"),
            ],
            cluster: ["10.244.0.2", "10.244.1.2"]
        ),
        Case(
            description: "node ports reach all endpoints",
            service: { $0.spec.type = "NodePort" },
            places: [Place(address: "10.244.0.2"), Place(address: "10.244.1.2", node: "b")],
            cluster: ["10.244.0.2", "10.244.1.2"],
            nodePort: ["10.244.0.2", "10.244.1.2"]
        ),
        Case(
            description: "affinity reaches all endpoints",
            service: { $0.spec.sessionAffinity = "ClientIP" },
            places: [Place(address: "10.244.0.2"), Place(address: "10.244.0.3")],
            cluster: ["10.244.0.2", "10.244.0.3"]
        ),
    ]

    @Test("sends packets where they belong", arguments: Self.cases)
    private func walk(_ example: Case) {
        let fragment = Self.fragment(Self.service(example.service), example.places)
        #expect(
            Self.destinations(fragment, .services, "10.96.1.1 . tcp . 80")
                .union(Self.destinations(fragment, .refused, "10.96.1.1 . tcp . 80"))
                == example.cluster
        )
        if !example.nodePort.isEmpty {
            #expect(Self.destinations(fragment, .nodePorts, "tcp . 30080") == example.nodePort)
        }
    }

    @Test("no rules for headless, ExternalName and other proxies' Services")
    func none() {
        let services = [
            Self.service { $0.spec.clusterIP = "None" },
            Self.service { $0.spec.type = "ExternalName" },
            Self.service { $0.metadata.labels[ServiceView.proxyNameLabel] = "other" },
            Self.service { $0.spec.clusterIP = "10.96.1.1; flush ruleset" },
        ]
        for service in services {
            #expect(Self.fragment(service, [Place(address: "10.244.0.2")]) == nil)
        }
    }

    @Test("hostile addresses never reach a rule")
    func hostile() {
        let service = Self.service {
            $0.spec.type = "LoadBalancer"
            $0.spec.externalIPs.append("1.2.3.4 . tcp . 80 : accept }\nflush ruleset")
            $0.spec.loadBalancerSourceRanges.append("0.0.0.0/0 } accept")
            $0.status.loadBalancer.ingress.append(
                CoreV1.LoadBalancerIngress.with { $0.ip = "x\"y" }
            )
        }
        var table = RuleTable(.ipv4)
        let script = table.replace(
            "default/web",
            by: Self.fragment(
                service,
                [Place(address: "10.244.0.2;"), Place(address: "10.244.0.3")]
            )
        )
        #expect(!script.contains("flush ruleset"))
        #expect(!script.contains("accept"))
        #expect(!script.contains("\""))
        #expect(!script.contains("10.244.0.2;"))
        #expect(script.contains("10.244.0.3"))
    }

    @Test("a change touches what differs alone, and a removed Service leaves nothing")
    func changes() {
        var table = RuleTable(.ipv4)
        let service = Self.service { _ in }
        _ = table.replace("default/web", by: Self.fragment(service, [Place(address: "10.244.0.2")]))
        #expect(
            table.replace("default/web", by: Self.fragment(service, [Place(address: "10.244.0.2")]))
                .isEmpty
        )
        let change = table.replace(
            "default/web",
            by: Self.fragment(service, [Place(address: "10.244.0.9")])
        )
        #expect(!change.contains("services"))
        #expect(change.contains("flush chain"))
        _ = table.replace("default/web", by: nil)
        #expect(table.script == RuleTable(.ipv4).script)
    }

    @Test("an address that two Services claim passes to the other when its owner goes")
    func heirs() {
        var table = RuleTable(.ipv4)
        let first = Self.service { $0.spec.externalIPs.append("192.0.2.9") }
        var second = first
        second.metadata.name = "other"
        second.spec.clusterIP = "10.96.1.2"
        let places = [Place(address: "10.244.0.2")]
        _ = table.replace("default/web", by: Self.fragment(first, places))
        let script = table.replace("default/other", by: Self.fragment(second, places))
        #expect(!script.contains("192.0.2.9"))
        let removal = table.replace("default/web", by: nil)
        #expect(removal.contains("add element ip apus-proxy services { 192.0.2.9 . tcp . 80"))
    }

    @Test(
        "the kernel takes the whole table and each change",
        .enabled(if: geteuid() == 0 && access("/usr/sbin/nft", X_OK) == 0)
    )
    func kernel() throws {
        var table = RuleTable(.ipv4)
        let service = Self.service {
            $0.spec.type = "LoadBalancer"
            $0.spec.sessionAffinity = "ClientIP"
            $0.spec.externalTrafficPolicy = "Local"
            $0.spec.loadBalancerSourceRanges.append("192.0.2.0/24")
            $0.status.loadBalancer.ingress.append(
                CoreV1.LoadBalancerIngress.with { $0.ip = "198.51.100.7" }
            )
        }
        let places = [Place(address: "10.244.0.2"), Place(address: "10.244.1.2", node: "b")]
        var plain = Self.service { $0.spec.clusterIP = "10.96.1.2" }
        plain.metadata.name = "plain"
        var scripts = [table.script]
        scripts.append(table.replace("default/web", by: Self.fragment(service, places)))
        scripts.append(table.replace("default/plain", by: Self.fragment(plain, places)))
        scripts.append(table.script)
        scripts.append(table.replace("default/plain", by: Self.fragment(plain, [places[0]])))
        scripts.append(table.replace("default/plain", by: Self.fragment(plain, [])))
        scripts.append(table.replace("default/web", by: nil))
        let path = "/tmp/apus-rules-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        for (index, script) in scripts.enumerated() {
            let file = try #require(fopen("\(path)-\(index)", "w"))
            fputs(script, file)
            fclose(file)
        }
        defer { for index in scripts.indices { unlink("\(path)-\(index)") } }
        defer { unlink("\(path).log") }
        // In a network namespace of its own, which ends with the shell.
        let commands = scripts.indices.map {
            "nft -f \(path)-\($0) || { echo script \($0); exit 1; }"
        }
        let shell = ChildProcess.Command(
            "unshare",
            ["-n", "sh", "-c", commands.joined(separator: "\n")],
            logPath: "\(path).log"
        )
        let exit = try ChildProcess.start(shell).waitForExit()
        var log = "no output"
        if let file = fopen("\(path).log", "r") {
            var buffer = [UInt8](repeating: 0, count: 4096)
            log = String(decoding: buffer.prefix(fread(&buffer, 1, 4096, file)), as: UTF8.self)
            fclose(file)
        }
        #expect(exit.isSuccess, "\(log)")
    }
}

extension String {
    /// The parts between occurrences of `separator`.
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.range(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}

extension StringProtocol {
    /// The first occurrence of `text`.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = self.startIndex
        while start < self.endIndex {
            if self[start...].hasPrefix(text) {
                return start..<self.index(start, offsetBy: text.count)
            }
            start = self.index(after: start)
        }
        return nil
    }
}
