// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import Processes
import Protobuf
import TestFolders
import Testing

@testable import ServiceRules

/// Scripts in the kernel, in a network namespace of their own, which ends with the shell.
@Suite(
    "Rules in the kernel",
    .enabled(if: geteuid() == 0 && access("/usr/sbin/nft", X_OK) == 0)
)
struct KernelTests {
    private static let here = Sample.Place(address: "10.244.0.2")
    private static let there = Sample.Place(address: "10.244.1.2", node: "b")

    /// Runs shell commands that may name the scripts as `$S0`, `$S1` and so on.
    private static func run(_ scripts: [String], _ commands: String) throws -> String {
        let folder = TemporaryDirectory()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path
        var prelude = "set -e\n"
        for (index, script) in scripts.enumerated() {
            let file = try #require(fopen("\(path)/\(index)", "w"))
            fputs(script, file)
            fclose(file)
            prelude += "S\(index)=\(path)/\(index)\n"
        }
        let shell = ChildProcess.Command(
            "unshare",
            ["-n", "sh", "-c", prelude + commands],
            logPath: "\(path)/log"
        )
        let exit = try ChildProcess.start(shell).waitForExit()
        let file = try #require(fopen("\(path)/log", "r"))
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&buffer, 1, buffer.count, file)
        let log = String(decoding: buffer.prefix(count), as: UTF8.self)
        #expect(exit.isSuccess, "\(log)")
        return log
    }

    private static func options() -> RuleTable.Options {
        var options = RuleTable.Options()
        options.podRange = "10.244.0.0/16"
        options.nodePortAddresses = ["192.0.2.100"]
        return options
    }

    @Test(
        "takes the whole table and each change, of both families",
        arguments: AddressFamily.allCases
    )
    func changes(_ family: AddressFamily) throws {
        let isSix = family == .ipv6
        var options = Self.options()
        if isSix { options.podRange = "fd00:244::/56" }
        var table = RuleTable(family, options)
        let context = RuleContext(family: family, clusterRange: options.podRange, zone: "z1")
        let complex = Sample.service {
            $0.spec.clusterIP = isSix ? "fd00:96::1" : "10.96.1.1"
            $0.spec.type = "LoadBalancer"
            $0.spec.sessionAffinity = "ClientIP"
            $0.spec.externalTrafficPolicy = "Local"
            for range in ["192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "2001:db8:1::/48"] {
                $0.spec.loadBalancerSourceRanges.append(range)
            }
            $0.spec.externalIPs.append(isSix ? "2001:db8::7" : "198.51.100.7")
        }
        var plain = Sample.service {
            $0.spec.clusterIP = isSix ? "fd00:96::2" : "10.96.1.2"
            $0.spec.type = "NodePort"
            $0.spec.ports[0].nodePort = 30081
        }
        plain.metadata.name = "plain"
        let places =
            isSix
            ? [
                Sample.Place(address: "fd00:244::2"),
                Sample.Place(address: "fd00:244:0:1::2", node: "b"),
            ] : [Self.here, Self.there]
        func fragment(_ count: Int) -> RuleFragment? {
            Sample.fragment(plain, Array(places.prefix(count)), context)
        }
        var scripts = [table.script]
        scripts.append(
            table.replace("default/web", by: Sample.fragment(complex, places, context))
        )
        scripts.append(table.replace("default/plain", by: fragment(2)))
        scripts.append(table.script)
        for count in [1, 0, 2] {
            scripts.append(table.replace("default/plain", by: fragment(count)))
        }
        let whole = table.script
        scripts += [whole]
        scripts.append(table.replace("default/web", by: nil))
        scripts.append(table.replace("default/plain", by: nil))
        let commands = scripts.indices.map { "nft -f $S\($0) || { echo script \($0); exit 1; }" }
        _ = try Self.run(scripts, commands.joined(separator: "\n"))
    }

    @Test("changes end at the same rules as the whole table")
    func sameEnd() throws {
        var table = RuleTable(.ipv4, Self.options())
        let service = Sample.service { $0.spec.type = "NodePort" }
        var scripts = [table.script]
        for places in [[Self.here], [Self.here, Self.there], [Self.there], []] {
            scripts.append(
                table.replace("default/web", by: Sample.fragment(service, places))
            )
        }
        scripts.append(
            table.replace("default/web", by: Sample.fragment(service, [Self.here, Self.there]))
        )
        scripts.append(table.script)
        _ = try Self.run(
            scripts,
            """
            words() { nft -s list ruleset | tr -s ' \\t,' '\\n\\n\\n' | sort; }
            for s in $S0 $S1 $S2 $S3 $S4 $S5; do nft -f $s; done
            changed=$(words)
            nft -f $S6
            [ "$changed" = "$(words)" ]
            """
        )
    }

    @Test("leaves the rules of others alone, and its removal leaves nothing")
    func others() throws {
        var table = RuleTable(.ipv4, Self.options())
        let change = table.replace(
            "default/web",
            by: Sample.fragment(Sample.service(), [Self.here])
        )
        let scripts = [
            RuleTable(.ipv4).script, change, RuleTable.removal(.ipv4) + RuleTable.removal(.ipv6),
            """
            table ip filter {
            chain input { type filter hook input priority 0; tcp dport 22 accept; }
            }
            table inet apus-other {
            set s { type ipv4_addr; elements = { 192.0.2.1 }; }
            }
            table ip kube-proxy {
            chain services { ip daddr 10.96.0.1 drop; }
            }
            """,
        ]
        _ = try Self.run(
            scripts,
            """
            nft -f $S3
            before=$(nft list ruleset)
            nft -f $S0
            nft -f $S1
            for t in "ip filter" "inet apus-other" "ip kube-proxy"; do nft list table $t; done \
            > /dev/null
            [ "$(nft list tables | wc -l)" = 4 ]
            nft -f $S2
            [ "$before" = "$(nft list ruleset)" ]
            nft -f $S2
            [ "$before" = "$(nft list ruleset)" ]
            """
        )
    }

    @Test("what it refuses leaves what was there")
    func refused() throws {
        var table = RuleTable(.ipv4)
        let change = table.replace(
            "default/web",
            by: Sample.fragment(Sample.service(), [Self.here])
        )
        // The last command of the transaction fails.
        let scripts = [RuleTable(.ipv4).script, change + "delete chain ip apus-proxy nowhere\n"]
        _ = try Self.run(
            scripts,
            """
            nft -f $S0
            before=$(nft list ruleset)
            ! nft -f $S1 2> /dev/null
            [ "$before" = "$(nft list ruleset)" ]
            """
        )
    }

    @Test("sends packets to endpoints: two namespaces, both addresses of a Service and a node port")
    func packets() throws {
        var options = Self.options()
        options.podRange = ""
        var table = RuleTable(.ipv4, options)
        let service = Sample.service { $0.spec.type = "NodePort" }
        _ = table.replace(
            "default/web",
            by: Sample.fragment(
                service,
                [Sample.Place(address: "10.9.0.2"), Sample.Place(address: "10.9.0.3")]
            )
        )
        // The peer answers with the address that it was asked at.
        let log = try Self.run(
            [table.script],
            #"""
            ip link set lo up
            unshare -n sleep 60 & peer=$!
            trap 'kill $peer' EXIT
            while [ "$(readlink /proc/$peer/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do :; done
            ip link add v0 type veth peer name v1 netns $peer
            ip address add 10.9.0.1/24 dev v0
            ip address add 192.0.2.100/32 dev lo
            ip link set v0 up
            ip route add 10.96.0.0/16 dev v0
            nsenter -t $peer -n sh -c 'ip link set v1 up; ip link set lo up
              ip address add 10.9.0.2/24 dev v1; ip address add 10.9.0.3/24 dev v1'
            nft -f $S0
            nsenter -t $peer -n python3 -c '
            import socket, sys
            s = socket.create_server(("0.0.0.0", 8080))
            print("ready", flush=True)
            while True:
                c, _ = s.accept()
                c.sendall(c.getsockname()[0].encode()); c.close()
            ' > ${S0}.peer & server=$!
            trap 'kill $server $peer; rm -f ${S0}.peer' EXIT
            until grep -q ready ${S0}.peer; do :; done
            python3 -c '
            import socket
            def ask(a, p):
                with socket.create_connection((a, p), 5) as c: return c.recv(99).decode()
            for a, p in (("10.96.1.1", 80), ("192.0.2.100", 30080)):
                seen = {ask(a, p) for _ in range(60)}
                assert seen == {"10.9.0.2", "10.9.0.3"}, (a, seen)
            try:
                ask("127.0.0.1", 30080)
            except ConnectionRefusedError: pass
            else: raise AssertionError("node ports do not serve loopback")
            try:
                ask("10.96.1.1", 81)
            except ConnectionRefusedError: pass
            else: raise AssertionError("a port that no Service has")
            print("done")
            '
            """#
        )
        #expect(log.contains("done"))
    }
}
