// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import Processes
import Protobuf
import Testing

@testable import ServiceRules

@Suite("RuleTable")
struct RuleTableTests {
    private static let here = Sample.Place(address: "10.244.0.2")
    private static let there = Sample.Place(address: "10.244.1.2", node: "b")

    @Test("no rules for headless, ExternalName and other proxies' Services")
    func none() {
        let services = [
            Sample.service { $0.spec.clusterIP = "None" },
            Sample.service { $0.spec.type = "ExternalName" },
            Sample.service { $0.metadata.labels[ServiceView.proxyNameLabel] = "other" },
            Sample.service { $0.metadata.labels["service.kubernetes.io/headless"] = "" },
            Sample.service { $0.spec.clusterIP = "10.96.1.1; flush ruleset" },
            Sample.service { $0.spec.clusterIP = "" },
        ]
        for service in services { #expect(Sample.fragment(service, [Self.here]) == nil) }
    }

    /// Texts that must never reach a rule, in every field that a rule is made of.
    static let hostileTexts = [
        "10.0.0.1; flush ruleset", "10.0.0.1 } flush ruleset", "\n", "0.0.0.0", "10.0.0.01",
        "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.256", "1.2.3", "", "$x", "@services",
        "10.0.0.1/24", ":::::::", "10.0.0.1\u{0}", "１０.0.0.1",
        String(repeating: "1", count: 300),
    ]

    @Test("hostile texts never reach a rule", arguments: Self.hostileTexts)
    func hostile(_ text: String) throws {
        let service = Sample.service {
            $0.metadata.name = text
            $0.metadata.namespace = text
            $0.metadata.annotations["service.kubernetes.io/topology-mode"] = text
            $0.spec.type = "LoadBalancer"
            $0.spec.externalIPs.append(text)
            $0.spec.loadBalancerSourceRanges.append("\(text)/8")
            $0.spec.loadBalancerIP = text
            $0.spec.ports[0].name = text
            $0.spec.sessionAffinity = text
            $0.status.loadBalancer.ingress.append(
                CoreV1.LoadBalancerIngress.with {
                    $0.ip = text
                    $0.hostname = text
                }
            )
        }
        var slice = Sample.slice([Sample.Place(address: text, zones: [text]), Self.here])
        slice.ports[0].name = text
        let view = try #require(ServiceView(service, [slice], .ipv4, nodeName: text))
        var table = RuleTable(.ipv4)
        let script = table.replace(view.name, by: RuleFragment(view, Sample.context))
        let allowed = Set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:,{}@-/!=\n []".utf8
        )
        #expect(script.utf8.allSatisfy(allowed.contains))
        #expect(!script.contains("flush"))
        #expect(script.contains("10.244.0.2 . 8080"))
        #expect(script.utf8.count < 2000)
    }

    @Test(
        "ports out of range are left out",
        arguments: [0, -1, 65_536, .max, .min] as [Int32]
    )
    func ports(_ port: Int32) throws {
        let service = Sample.service { $0.spec.ports[0].port = port }
        #expect(ServiceView(service, [], .ipv4, nodeName: "a")?.ports.isEmpty == true)
        let slice = Sample.slice([Self.here], port: port)
        let view = try #require(ServiceView(Sample.service(), [slice], .ipv4, nodeName: "a"))
        #expect(view.ports[0].endpoints.isEmpty)
        let nodePort = Sample.service {
            $0.spec.type = "NodePort"
            $0.spec.ports[0].nodePort = port
        }
        #expect(ServiceView(nodePort, [], .ipv4, nodeName: "a")?.ports[0].nodePort == 0)
    }

    @Test(
        "endpoints that packets must not be sent to are left out",
        arguments: ["127.0.0.1", "224.0.0.1", "0.0.0.0", "fd00::1", "x"]
    )
    func endpoints(_ address: String) throws {
        let slice = Sample.slice([Sample.Place(address: address), Self.here])
        let view = try #require(ServiceView(Sample.service(), [slice], .ipv4, nodeName: "a"))
        #expect(view.ports[0].endpoints.map(\.address) == ["10.244.0.2"])
    }

    @Test(
        "ranges that lie in others are left out, so that the kernel takes the set",
        arguments: [
            (["10.0.0.0/8", "10.1.0.0/16"], ["10.0.0.0/8"]),
            (["10.1.0.0/16", "10.0.0.0/8", "11.0.0.0/8"], ["10.0.0.0/8", "11.0.0.0/8"]),
            (["10.1.2.3/8"], ["10.0.0.0/8"]),
            (["0.0.0.0/0", "1.2.3.4/32"], ["0.0.0.0/0"]),
            (["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0", "fd00::/8", "10.0.0.0/08"], []),
        ]
    )
    func ranges(given: [String], kept: [String]) {
        #expect(AddressFamily.ipv4.ranges(given) == kept)
    }

    @Test(
        "affinity's time has bounds",
        arguments: [(0, 1), (5, 5), (90_000, 86_400), (nil, 10_800)]
    )
    func affinity(given: Int32?, seconds: Int) {
        let service = Sample.service {
            $0.spec.sessionAffinity = "ClientIP"
            guard let given else { return }
            $0.spec.sessionAffinityConfig = CoreV1.SessionAffinityConfig.with {
                $0.clientIP = CoreV1.ClientIPConfig.with { $0.timeoutSeconds = given }
            }
        }
        let sets = Sample.fragment(service, [Self.here])?.affinitySets
        #expect(sets?.values.map(\.self) == [seconds])
    }

    // MARK: - Changes

    @Test("a change touches what differs alone, and a removed Service leaves nothing")
    func changes() {
        var table = RuleTable(.ipv4)
        let service = Sample.service()
        _ = table.replace("default/web", by: Sample.fragment(service, [Self.here, Self.there]))
        #expect(
            table.replace("default/web", by: Sample.fragment(service, [Self.there, Self.here]))
                .isEmpty
        )
        let other = Sample.Place(address: "10.244.1.9", node: "b")
        let change = table.replace(
            "default/web",
            by: Sample.fragment(service, [Self.here, other])
        )
        #expect(
            change == """
                delete element ip apus-proxy endpoints { 10.96.1.1 . tcp . 80 . 1 }
                add element ip apus-proxy endpoints { 10.96.1.1 . tcp . 80 . 1 : 10.244.1.9 . 8080 }

                """
        )
        _ = table.replace("default/web", by: nil)
        #expect(table.script == RuleTable(.ipv4).script)
    }

    @Test("chains for a few endpoints are there, one for more asks for the whole table once")
    func counts() {
        var table = RuleTable(.ipv4)
        func places(_ count: Int) -> [Sample.Place] {
            (1...count).map { Sample.Place(address: "10.244.0.\($0)") }
        }
        func replace(_ count: Int) -> String {
            table.replace("default/web", by: Sample.fragment(Sample.service(), places(count)))
        }
        let usual = SharedChain.usualCount
        #expect(replace(usual).contains("10.96.1.1 . tcp . 80 : goto inner-\(usual) }"))
        #expect(!table.lacksChains)
        _ = replace(usual + 1)
        #expect(table.lacksChains)
        let whole = table.takeWhole()
        #expect(whole.contains("add chain ip apus-proxy inner-\(usual + 1)\n"))
        _ = replace(1)
        _ = replace(usual + 1)
        #expect(!table.lacksChains, "it stays")
    }

    @Test("what two Services claim is the first's, then the other's, with its endpoints")
    func heirs() {
        var table = RuleTable(.ipv4)
        let key = "192.0.2.9 . tcp . 80"
        func claimant(_ name: String, _ address: String, _ places: [Sample.Place]) {
            let service = Sample.service {
                $0.metadata.name = name
                $0.spec.clusterIP = address
                $0.spec.externalIPs.append("192.0.2.9")
            }
            let script = table.replace("default/\(name)", by: Sample.fragment(service, places))
            #expect(script.contains("192.0.2.9") == (name == "a"))
        }
        claimant("a", "10.96.1.1", [Self.here])
        claimant("c", "10.96.1.3", [Self.here, Self.there])
        claimant("b", "10.96.1.2", [Self.there])
        #expect(table.element(.services, key)?.places == ["10.244.0.2 . 8080"])
        let removal = table.replace("default/a", by: nil)
        #expect(removal.contains("endpoints { 192.0.2.9 . tcp . 80 . 0 : 10.244.1.2 . 8080 }"))
        #expect(table.element(.services, key)?.places == ["10.244.1.2 . 8080"])
        _ = table.replace("default/c", by: nil)
        #expect(table.element(.services, key)?.places == ["10.244.1.2 . 8080"])
        _ = table.replace("default/b", by: nil)
        #expect(table.element(.services, key) == nil)
        #expect(table.owners.values.allSatisfy { $0.isEmpty })
        #expect(table.rivals.values.allSatisfy { $0.isEmpty })
    }

    @Test("changes one after the other end where the whole would: random Services")
    func random() {
        var generator = SplitMix(state: 36)
        var table = RuleTable(.ipv4)
        for _ in 0..<400 {
            let name = "s\(Int.random(in: 0..<6, using: &generator))"
            guard Int.random(in: 0..<5, using: &generator) > 0 else {
                _ = table.replace(name, by: nil)
                continue
            }
            let places = (0..<Int.random(in: 0..<5, using: &generator)).map { index in
                Sample.Place(
                    address: "10.244.\(Int.random(in: 0..<3, using: &generator)).\(index + 2)",
                    node: Bool.random(using: &generator) ? "a" : "b"
                )
            }
            let service = Sample.service {
                $0.metadata.name = name
                $0.spec.clusterIP = "10.96.1.\(name.utf8.last ?? 1)"
                $0.spec.type = Bool.random(using: &generator) ? "NodePort" : "ClusterIP"
                $0.spec.externalTrafficPolicy = Bool.random(using: &generator) ? "Local" : "Cluster"
                $0.spec.sessionAffinity = Bool.random(using: &generator) ? "ClientIP" : "None"
                if Bool.random(using: &generator) { $0.spec.externalIPs.append("192.0.2.9") }
            }
            _ = table.replace(name, by: Sample.fragment(service, places))
            // Every key of every fragment has one owner among those that claim it.
            for collection in RuleFragment.Collection.allCases {
                var claims: [String: Set<String>] = [:]
                for (service, fragment) in table.fragments {
                    for key in fragment.elements[collection]?.keys ?? [:].keys {
                        claims[key, default: []].insert(service)
                    }
                }
                let owned = table.owners[collection] ?? [:]
                #expect(Set(owned.keys) == Set(claims.keys))
                for (key, owner) in owned {
                    let rivals = table.rivals[collection]?[key] ?? []
                    #expect(claims[key] == rivals.union([owner]) && !rivals.contains(owner))
                }
            }
        }
    }

    /// A generator that gives the same numbers in every run.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9e37_79b9_7f4a_7c15
            var value = self.state
            value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
            return value ^ (value >> 31)
        }
    }
}
