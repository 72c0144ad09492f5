// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import ComponentServer
import HTTP
import JSON
import KubernetesAPI
import Metrics
import Protobuf
import ServiceRules
import Testing
import YAML

@testable import KubeProxy

@Suite("Health, metrics and configuration of kube-proxy")
struct ProxyHealthTests {
    private static func health(_ clock: SimulatedClock) -> ProxyHealth {
        ProxyHealth(clock: clock, families: ["IPv4", "IPv6"])
    }

    @Test("is unhealthy until the rules have been in the kernel once")
    func start() {
        let health = Self.health(SimulatedClock())
        #expect(!health.isHealthy)
        health.updated()
        #expect(health.isHealthy)
    }

    @Test("a change may wait a minute")
    func waiting() {
        let clock = SimulatedClock()
        let health = Self.health(clock)
        health.updated()
        clock.advance(by: .seconds(1000))
        #expect(health.isHealthy, "nothing waits")
        health.queued()
        clock.advance(by: .seconds(59))
        health.queued()
        #expect(health.isHealthy)
        clock.advance(by: .seconds(1))
        #expect(!health.isHealthy, "the first that waits counts")
        health.updated()
        #expect(health.isHealthy)
    }

    @Test("a node that is about to go takes no traffic, but is alive")
    func eligible() {
        let health = Self.health(SimulatedClock())
        health.updated()
        health.setNode(isEligible: false)
        #expect(!health.page(asksForNode: true).isHealthy)
        #expect(health.page(asksForNode: true).body.contains("\"nodeEligible\":false"))
        #expect(health.page(asksForNode: false).isHealthy)
        #expect(!health.page(asksForNode: false).body.contains("nodeEligible"))
        let tainted = CoreV1.Node.with { node in
            node.spec.taints.append(CoreV1.Taint.with { $0.key = ProxyHealth.deletionTaint })
        }
        #expect(!ProxyHealth.isEligible(tainted))
        #expect(ProxyHealth.isEligible(CoreV1.Node()))
    }

    @Test("the page is JSON, with each family")
    func page() throws {
        let health = Self.health(SimulatedClock())
        health.updated()
        let page = try DynamicValue(json: Array(health.page(asksForNode: true).body.utf8))
        #expect(page["healthy"]?.bool == true)
        #expect(page["status"]?["IPv6"]?["healthy"]?.bool == true)
        #expect(page["lastUpdated"]?.string == page["currentTime"]?.string)
    }

    @Test(
        "health check ports answer as upstream's",
        arguments: [(2, true, 200), (0, true, 503), (2, false, 503)]
    )
    func healthCheck(count: Int, isHealthy: Bool, status: Int) {
        let answer = HealthCheckPorts.answer("ns/web", count, isHealthy: isHealthy)
        #expect(answer.status.rawValue == status)
        #expect(
            answer.body == """
                {
                \t"service": {
                \t\t"namespace": "ns",
                \t\t"name": "web"
                \t},
                \t"localEndpoints": \(count),
                \t"serviceProxyHealthy": \(isHealthy)
                }
                """
        )
        #expect(answer.fields.contains { $0.1 == "\(count)" })
    }

    @Test(
        "metrics have upstream's names",
        arguments: [
            "sync_proxy_rules_duration_seconds", "sync_full_proxy_rules_duration_seconds",
            "sync_partial_proxy_rules_duration_seconds", "network_programming_duration_seconds",
            "sync_proxy_rules_last_timestamp_seconds",
            "sync_proxy_rules_last_queued_timestamp_seconds",
            "sync_proxy_rules_nftables_sync_failures_total",
            "sync_proxy_rules_no_local_endpoints_total",
            "sync_proxy_rules_service_changes_total", "sync_proxy_rules_endpoint_changes_total",
            "sync_proxy_rules_service_changes_pending 2",
            "sync_proxy_rules_endpoint_changes_pending 7",
            "conntrack_reconciler_deleted_entries_total",
            "conntrack_reconciler_sync_duration_seconds",
        ]
    )
    func metrics(_ name: String) {
        let metrics = ProxyMetrics()
        let clock = SimulatedClock()
        metrics.lastQueued([.ipv4], clock.now)
        metrics.synced([.ipv4], isWhole: true, took: .milliseconds(3), at: clock.now)
        metrics.synced([.ipv4], isWhole: false, took: .milliseconds(3), at: clock.now)
        metrics.programmed([.ipv4], .seconds(1))
        metrics.failed([.ipv4])
        metrics.pending(2, 7)
        metrics.forgot(.ipv4, 3, took: .milliseconds(1))
        metrics.withoutLocalEndpoints([RuleTable(.ipv4)])
        #expect(metrics.registry.text().contains("\nkubeproxy_\(name)"))
    }

    // MARK: - KubeProxyConfiguration

    private static func file(_ text: String) throws -> ProxyConfigurationFile {
        let head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
        return try ProxyConfigurationFile(
            try DynamicValue(
                json: YAML.json(from: Array((head + text).utf8), duplicateKeys: .refused)
            )
        )
    }

    @Test("reads what kubeadm writes")
    func kubeadm() throws {
        let file = try Self.file(
            """
            bindAddress: 0.0.0.0
            bindAddressHardFail: false
            clientConnection:
              acceptContentTypes: ""
              burst: 0
              contentType: ""
              kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
              qps: 0
            clusterCIDR: 10.244.0.0/16
            configSyncPeriod: 0s
            conntrack:
              maxPerCore: null
              min: null
              tcpBeLiberal: false
              tcpCloseWaitTimeout: null
              tcpEstablishedTimeout: 2h0m0s
              udpStreamTimeout: 0s
              udpTimeout: 0s
            detectLocal: {bridgeInterface: "", interfaceNamePrefix: ""}
            detectLocalMode: ""
            enableProfiling: false
            healthzBindAddress: ""
            hostnameOverride: ""
            iptables: {localhostNodePorts: null, masqueradeAll: false, syncPeriod: 0s}
            ipvs: {excludeCIDRs: null, scheduler: ""}
            logging: {flushFrequency: 0, verbosity: 0}
            metricsBindAddress: "127.0.0.1:10249"
            mode: nftables
            nftables: {masqueradeAll: true, masqueradeBit: 15, minSyncPeriod: 0s, syncPeriod: 0s}
            nodePortAddresses: [192.0.2.0/24]
            oomScoreAdj: null
            portRange: ""
            showHiddenMetricsForVersion: ""
            winkernel: {enableDSR: false}
            """
        )
        #expect(file.kubeconfig == "/var/lib/kube-proxy/kubeconfig.conf")
        #expect(file.clusterCIDR == "10.244.0.0/16")
        #expect(file.mode == "nftables")
        #expect(file.masqueradesAll == true)
        #expect(file.masqueradeBit == 15)
        #expect(file.nodePortAddresses == ["192.0.2.0/24"])
        #expect(file.connections.establishedSeconds == 7200)
        #expect(file.connections.maximumPerCore == 32_768)
        #expect(file.healthzBindAddress == "")
    }

    @Test(
        "refuses what makes no sense, and says what",
        arguments: [
            ("masqueradeAll: true", "strict decoding error: unknown field \"masqueradeAll\""),
            ("nftables: {x: 1}", "strict decoding error: unknown field \"nftables.x\""),
            ("mode: 3", "mode: expected string"),
            ("nftables: []", "nftables: expected object"),
            (
                "nftables: {masqueradeBit: 32}",
                "KubeProxyConfiguration.nftables.masqueradeBit: Invalid value: 32: must be within the "
                    + "range [0, 31]"
            ),
            (
                "conntrack: {min: -1}",
                "KubeProxyConfiguration.conntrack.min: Invalid value: -1: must be greater than or "
                    + "equal to 0"
            ),
            ("conntrack: {udpTimeout: soon}", "conntrack.udpTimeout: expected duration"),
            ("nodePortAddresses: [1]", "nodePortAddresses: expected list of strings"),
        ]
    )
    func refused(text: String, reason: String) {
        #expect {
            try Self.file(text)
        } throws: { error in
            "\(error)" == reason
        }
    }

    @Test("refuses another kind")
    func kind() {
        #expect(throws: ProxyConfigurationFile.Failure.self) {
            try ProxyConfigurationFile(
                DynamicValue(json: Array(#"{"apiVersion":"v1","kind":"Pod"}"#.utf8))
            )
        }
    }

    @Test(
        "the kernel's memory of connections grows with the cores",
        arguments: [(1, 131_072), (4, 131_072), (8, 262_144)]
    )
    func limits(cores: Int, maximum: Int) {
        #expect(ConnectionLimits().maximum(cores: cores) == maximum)
        var none = ConnectionLimits()
        none.maximumPerCore = 0
        #expect(none.maximum(cores: cores) == nil)
    }

    @Test("node ports are served on the first address unless ranges say otherwise")
    func nodePorts() {
        #expect(KubeProxy.NodePortAddresses([]) == .primary)
        #expect(KubeProxy.NodePortAddresses(["primary"]) == .primary)
        let all = KubeProxy.NodePortAddresses(["0.0.0.0/0"])
        #expect(all.isEverything(.ipv4))
        #expect(!all.isEverything(.ipv6))
    }

    // MARK: - Stale connections

    @Test(
        "a connection is stale when nobody of the Service answers it",
        arguments: [
            ("10.96.1.1", 53, "10.244.0.2 . 5353", false),
            ("10.96.1.1", 53, "10.244.0.9 . 5353", true),
            ("10.96.1.1", 53, "10.244.0.2 . 53", true),
            // Not sent anywhere yet: the Service came after the client.
            ("10.96.1.1", 53, "10.96.1.1 . 53", true),
            ("10.96.1.1", 54, "10.96.1.1 . 54", false),
            ("192.0.2.1", 30053, "10.244.0.2 . 5353", false),
            ("192.0.2.1", 30053, "10.244.0.9 . 5353", true),
            ("198.51.100.1", 30053, "198.51.100.1 . 30053", false),
        ] as [(String, UInt16, String, Bool)]
    )
    func stale(destination: String, port: UInt16, place: String, isStale: Bool) throws {
        let service = CoreV1.Service.with {
            $0.metadata.name = "dns"
            $0.spec.type = "NodePort"
            $0.spec.clusterIP = "10.96.1.1"
            $0.spec.ports.append(
                CoreV1.ServicePort.with {
                    $0.protocol = "UDP"
                    $0.port = 53
                    $0.nodePort = 30053
                }
            )
        }
        let slice = DiscoveryV1.EndpointSlice.with {
            $0.addressType = "IPv4"
            $0.ports.append(
                DiscoveryV1.EndpointPort.with {
                    $0.protocol = "UDP"
                    $0.port = 5353
                }
            )
            $0.endpoints.append(DiscoveryV1.Endpoint.with { $0.addresses.append("10.244.0.2") })
        }
        let view = try #require(ServiceView(service, [slice], .ipv4, nodeName: "a"))
        var options = RuleTable.Options()
        options.nodePortAddresses = ["192.0.2.1"]
        var table = RuleTable(.ipv4, options)
        let script = table.replace("x", by: RuleFragment(view, RuleContext(family: .ipv4)))
        #expect(StaleConnections.isNeeded(script))
        #expect(
            StaleConnections.isStale(
                destination: destination,
                port: port,
                place: place,
                table
            ) == isStale
        )
    }

    @Test("the CNI configuration has what was asked for")
    func conflist() throws {
        var network = PodNetworkConfiguration(
            ranges: ["10.244.1.0/24", "fd00::/64"],
            dataDirectory: "/d"
        )
        #expect(!network.json.contains("mtu"))
        network.largestPacket = 1400
        let json = try DynamicValue(json: Array(network.json.utf8))
        let plugins = Array(try #require(json["plugins"]).items)
        #expect(plugins.map { $0["type"]?.string } == ["bridge", "portmap", "bandwidth"])
        #expect(plugins[2]["capabilities"]?["bandwidth"]?.bool == true)
        #expect(plugins[0]["ipam"]?["ranges"]?.items.count == 2)
        #expect(network.json.contains("\"mtu\": 1400,"))
    }
}
