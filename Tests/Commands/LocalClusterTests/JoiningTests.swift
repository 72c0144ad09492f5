// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import PKI
import Processes
import Protobuf
import Scalars
import Testing

@testable import LocalCluster

@Suite("Joining a cluster")
struct JoiningTests {
    @Test(
        "tokens have six and sixteen small letters and digits",
        arguments: [
            ("abcdef.0123456789abcdef", true), ("000000.zzzzzzzzzzzzzzzz", true),
            ("abcdef.0123456789abcde", false), ("abcde.0123456789abcdef", false),
            ("ABCDEF.0123456789abcdef", false), ("abcdef.0123456789abcdef.", false),
            ("abcdef0123456789abcdef", false), ("", false), (".", false),
            ("abcdéf.0123456789abcdef", false), ("abc_ef.0123456789abcdef", false),
        ]
    )
    func tokens(_ text: String, _ isToken: Bool) {
        #expect((JoinToken(text) != nil) == isToken)
        #expect(JoinToken(text)?.description ?? text == text)
    }

    @Test("new tokens are tokens, each another")
    func newTokens() {
        let made = (0..<50).map { _ in JoinToken() }
        #expect(made.allSatisfy { JoinToken($0.description) == $0 })
        #expect(Set(made).count == made.count)
    }

    private static func token() throws -> JoinToken {
        try #require(JoinToken("abcdef.0123456789abcdef"))
    }

    @Test("a token is the Secret that kubeadm makes, and is read from it")
    func secrets() throws {
        let record = JoinTokenRecord(
            try Self.token(),
            about: "for ann",
            expiration: Timestamp(seconds: 1_800_000_000),
            groups: [JoinTokenRecord.defaultGroup, "system:bootstrappers:more"]
        )
        let secret = record.secret
        #expect(secret.metadata.name == "bootstrap-token-abcdef")
        #expect(secret.metadata.namespace == "kube-system")
        #expect(secret.type == "bootstrap.kubernetes.io/token")
        var data: [String: String] = [:]
        for (key, value) in secret.data { data[key] = String(decoding: value, as: UTF8.self) }
        #expect(
            data == [
                "token-id": "abcdef", "token-secret": "0123456789abcdef",
                "description": "for ann", "expiration": "2027-01-15T08:00:00Z",
                "usage-bootstrap-signing": "true", "usage-bootstrap-authentication": "true",
                "auth-extra-groups":
                    "system:bootstrappers:kubeadm:default-node-token,system:bootstrappers:more",
            ]
        )
        var read = try #require(JoinTokenRecord(secret))
        #expect(read.usages == ["authentication", "signing"])
        read.usages = record.usages
        #expect(read == record)
        for (key, value) in [("token-id", "bbbbbb"), ("token-secret", "x"), ("expiration", "x")] {
            var bad = secret
            bad.data[key] = Bytes(utf8: value)
            #expect(JoinTokenRecord(bad) == nil, "\(key)")
        }
        var other = secret
        other.type = "Opaque"
        #expect(JoinTokenRecord(other) == nil)
    }

    @Test(
        "usages and groups are checked",
        arguments: [
            (["signing", "authentication"], ["system:bootstrappers:a"], true),
            (["signing"], [], true),
            (["signing"], ["system:bootstrappers:a"], false),
            (["reading"], [], false),
            (["authentication"], ["system:masters"], false),
            (["authentication"], ["system:bootstrappers:"], false),
            (["authentication"], ["system:bootstrappers:a:"], false),
            (["authentication"], ["system:bootstrappers:A"], false),
            (
                ["authentication"],
                ["system:bootstrappers:" + String(repeating: "a", count: 256)], true
            ),
            (
                ["authentication"],
                ["system:bootstrappers:" + String(repeating: "a", count: 257)], false
            ),
        ] as [([String], [String], Bool)]
    )
    func problems(_ usages: [String], _ groups: [String], _ isGood: Bool) throws {
        let record = JoinTokenRecord(
            try Self.token(),
            expiration: nil,
            usages: usages,
            groups: groups
        )
        #expect((record.problem == nil) == isGood)
    }

    @Test("the table is kubeadm's")
    func table() throws {
        let now = Timestamp(seconds: 1_800_000_000)
        let records = [
            JoinTokenRecord(
                try Self.token(),
                expiration: Timestamp(seconds: now.seconds + 86_399)
            ),
            JoinTokenRecord(
                try Self.token(),
                about: "ci",
                expiration: nil,
                usages: ["signing"],
                groups: []
            ),
        ]
        let text = JoinTokenRecord.table(records, at: now)
        let lines = text.split(separator: "\n").map { line in
            line.split(separator: " ").map(String.init)
        }
        #expect(
            lines[0] == ["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA", "GROUPS"]
        )
        #expect(
            lines[1] == [
                "abcdef.0123456789abcdef", "23h", "2027-01-16T07:59:59Z",
                "signing,authentication", "<none>", JoinTokenRecord.defaultGroup,
            ]
        )
        #expect(
            lines[2] == [
                "abcdef.0123456789abcdef", "<forever>", "<never>", "signing", "ci", "<none>",
            ]
        )
    }

    // MARK: - Discovery

    private static func authority() throws -> Certificate {
        try CertificateAuthority.root(.authority("kubernetes-ca"), key: PrivateKey(), at: .now())
            .certificate
    }

    private static func map(
        _ info: ClusterInfo,
        signedBy token: JoinToken
    ) -> CoreV1.ConfigMap {
        CoreV1.ConfigMap.with {
            $0.data["kubeconfig"] = info.kubeconfig
            $0.data["jws-kubeconfig-\(token.id)"] = token.signature(of: info.kubeconfig)
        }
    }

    @Test("a cluster is believed that knows the token and has the authority of the hash")
    func discovery() throws {
        let token = try Self.token()
        let (own, other) = (try Self.authority(), try Self.authority())
        let info = ClusterInfo(server: "https://192.0.2.1:6443", authority: Array(own.pem.utf8))
        let pin = try #require(try info.pins().first)
        #expect(ClusterInfo.isPin(pin) && info.address == "192.0.2.1:6443")
        let map = Self.map(info, signedBy: token)
        #expect(try ClusterInfo(map, token: token, pins: [pin]) == info)
        #expect(try ClusterInfo(map, token: token, pins: [pin.uppercasedDigits]) == info)
        #expect(try ClusterInfo(map, token: token, pins: []) == info)
        // Another authority.
        let otherPin = ClusterInfo.pin(other)
        #expect(throws: ClusterInfo.Doubt.wrongAuthority(found: [pin])) {
            try ClusterInfo(map, token: token, pins: [otherPin])
        }
        // One more authority than is trusted.
        let both = ClusterInfo(
            server: info.server,
            authority: Array((own.pem + other.pem).utf8)
        )
        #expect(throws: ClusterInfo.Doubt.self) {
            try ClusterInfo(Self.map(both, signedBy: token), token: token, pins: [pin])
        }
        // A server that only knows the public part.
        let guess = try #require(JoinToken("abcdef.aaaaaaaaaaaaaaaa"))
        #expect(throws: ClusterInfo.Doubt.wrongSignature("abcdef")) {
            try ClusterInfo(Self.map(info, signedBy: guess), token: token, pins: [pin])
        }
        // A text that was changed after it was signed.
        var changed = map
        changed.data["kubeconfig"] = info.kubeconfig + "\n"
        #expect(throws: ClusterInfo.Doubt.wrongSignature("abcdef")) {
            try ClusterInfo(changed, token: token, pins: [pin])
        }
        let unknown = try #require(JoinToken("bbbbbb.0123456789abcdef"))
        #expect(throws: ClusterInfo.Doubt.unsigned("bbbbbb")) {
            try ClusterInfo(map, token: unknown, pins: [pin])
        }
    }

    @Test(
        "what is signed has to be a description of a cluster",
        arguments: [
            "x: [", "clusters: []",
            "clusters: [{name: a, cluster: {server: 'http://x', certificate-authority-data: eA==}}]",
            "clusters: [{name: a, cluster: {server: 'https://x', certificate-authority: /etc/x}}]",
            "clusters: [{name: a, cluster: {server: 'https://x', certificate-authority-data: eA==}}]",
        ]
    )
    func unreadable(_ text: String) throws {
        let token = try Self.token()
        let map = CoreV1.ConfigMap.with {
            $0.data["kubeconfig"] = text
            $0.data["jws-kubeconfig-abcdef"] = token.signature(of: text)
        }
        let doubt = #expect(throws: ClusterInfo.Doubt.self) {
            try ClusterInfo(map, token: token, pins: [])
        }
        guard case .unreadable = doubt else {
            Issue.record("\(String(describing: doubt))")
            return
        }
    }

    @Test(
        "pins",
        arguments: ["", "sha256:", "sha256:zz", "sha1:" + String(repeating: "a", count: 64)]
    )
    func badPins(_ text: String) {
        #expect(!ClusterInfo.isPin(text))
    }

    // MARK: - The node

    private static func options() -> ClusterOptions {
        var options = ClusterOptions(
            layout: ClusterLayout(dataDirectory: "/data", portOffset: 7),
            nodeName: "second",
            nodeAddress: "",
            clusterDomain: "example.org",
            extraArguments: ["kubelet": ["--max-pods=5"]],
            verbosity: 2
        )
        options.server = "https://192.0.2.1:6443"
        return options
    }

    @Test("a node remembers what it joined with")
    func remembers() {
        let options = Self.options()
        let json = JoinedNode.json(options)
        #expect(JoinedNode.options(json: json, dataDirectory: "/data") == options)
        for end in 0..<json.count {
            #expect(JoinedNode.options(json: Array(json[..<end]), dataDirectory: "/data") == nil)
        }
    }

    @Test("a node that joined has the processes of a node, which wait for its certificate")
    func components() throws {
        let components = ComponentPlan(Self.options(), executable: "/apus").components
        #expect(
            components.map(\.name) == ["containerd", "kubelet", "kube-proxy", "cluster-dns"]
        )
        let kubelet = components[1].command.arguments
        #expect(kubelet.contains("--rotate-server-certificates=true"))
        #expect(kubelet.last == "--max-pods=5")
        #expect(!kubelet.contains { $0.hasPrefix("--node-ip") || $0.hasPrefix("--tls-cert-file") })
        #expect(components[2].after == ["kubelet"] && components[3].after == ["kubelet"])
    }

    @Test("what is applied names what it is, once each")
    func objects() {
        var options = Self.options()
        options.server = nil
        options.nodeAddress = "192.0.2.1"
        let objects = ClusterObjects(options, authority: [1]).all
        let names = objects.map { object in
            "\(object["kind"]?.string ?? "") \(object[path: ["metadata", "name"]]?.string ?? "")"
        }
        #expect(Set(names).count == objects.count)
        let info = objects[0][path: ["data", "kubeconfig"]]?.string ?? ""
        #expect(info.contains("server: https://192.0.2.1:6450"))
    }
}

extension String {
    /// A pin as some programs write it.
    fileprivate var uppercasedDigits: String { "sha256:" + self.dropFirst(7).uppercased() }
}
