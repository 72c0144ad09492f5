// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import ClusterControllers
import ControllerHarness
import ControllerKit
import KubernetesAPI
import Protobuf
import ResourceClient
import Scalars
import Testing

@Suite("Bootstrap tokens")
struct BootstrapTokenTests {
    static let now = Timestamp(seconds: 1_800_000_000)

    static func secret(
        _ id: String = "abcdef",
        name: String? = nil,
        _ changes: [String: String?] = [:]
    ) -> CoreV1.Secret {
        var data: [String: String] = [
            "token-id": id, "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true",
        ]
        for (key, value) in changes { data[key] = value }
        return CoreV1.Secret.with {
            $0.metadata.name = name ?? "bootstrap-token-\(id)"
            $0.metadata.namespace = "kube-system"
            $0.type = "bootstrap.kubernetes.io/token"
            for (key, value) in data { $0.data[key] = Bytes(Array(value.utf8)) }
        }
    }

    static func time(_ seconds: Int64) -> String {
        Timestamp(seconds: self.now.seconds + seconds).text(as: .time)
    }

    @Test(
        "which secrets sign",
        arguments: [
            (nil, [:], true),
            (nil, ["expiration": Self.time(1)], true),
            (nil, ["expiration": Self.time(0)], false),
            (nil, ["expiration": Self.time(-1)], false),
            (nil, ["expiration": "tomorrow"], false),
            (nil, ["usage-bootstrap-signing": "false"], false),
            (nil, ["usage-bootstrap-signing": nil], false),
            (nil, ["token-secret": ""], false),
            (nil, ["token-id": "abcdeg"], false),
            ("bootstrap-token-ABCDEF", ["token-id": "ABCDEF"], false),
            ("bootstrap-token-abcde", ["token-id": "abcde"], false),
            ("other-abcdef", [:], false),
        ] as [(String?, [String: String?], Bool)]
    )
    func signs(_ name: String?, _ changes: [String: String?], _ isToken: Bool) {
        let secret = Self.secret(name: name, changes)
        #expect((BootstrapToken(signing: secret, now: Self.now) != nil) == isToken)
    }

    /// Made with Python: `hmac.new(secret, header + "." + payload, sha256)`, base64url.
    @Test("a signature is a detached JSON Web Signature")
    func signature() throws {
        let token = try #require(BootstrapToken(signing: Self.secret(), now: Self.now))
        #expect(
            token.signature(of: "content")
                == "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9.."
                + "psz1NayrXM3IaFzKZGsb5n_mBl7MjtlsZ1xE8MRmF_4"
        )
    }

    @Test("signatures of tokens that are gone go, others stay and come")
    func maps() throws {
        let map = CoreV1.ConfigMap.with {
            $0.data["kubeconfig"] = "content"
            $0.data["jws-kubeconfig-gone00"] = "x"
            $0.data["other"] = "kept"
        }
        let token = try #require(BootstrapToken(signing: Self.secret(), now: Self.now))
        let signed = try #require(BootstrapSigner.signed(map, [token]))
        #expect(signed.data.keys == ["jws-kubeconfig-abcdef", "kubeconfig", "other"])
        #expect(BootstrapSigner.signed(signed, [token]) == nil)
        #expect(BootstrapSigner.signed(signed, [])?.data.keys == ["kubeconfig", "other"])
        #expect(BootstrapSigner.signed(CoreV1.ConfigMap(), [token]) == nil)
    }

    @Test("tokens and their signatures go when they expire")
    func endToEnd() async throws {
        let harness = ControllerHarness()
        let secrets = harness.client(CoreV1.Secret.self)
        let maps = harness.client(CoreV1.ConfigMap.self)
        let controllers: [any Controller] = [
            BootstrapSigner(harness.context()), TokenCleaner(harness.context()),
        ]
        try await harness.run(controllers) {
            func settles(_ keys: [String], _ names: [String]) async throws -> Bool {
                try await harness.poll {
                    let map = try await maps.get("cluster-info", in: "kube-public")
                    let left = try await secrets.list().items.map(\.metadata.name).sorted()
                    return map.data.keys == keys && left == names
                }
            }
            _ = try await maps.create(
                CoreV1.ConfigMap.with {
                    $0.metadata.name = "cluster-info"
                    $0.metadata.namespace = "kube-public"
                    $0.data["kubeconfig"] = "content"
                }
            )
            _ = try await secrets.create(Self.secret("aaaaaa"))
            _ = try await secrets.create(Self.secret("bbbbbb", ["expiration": Self.time(1000)]))
            #expect(
                try await settles(
                    ["jws-kubeconfig-aaaaaa", "jws-kubeconfig-bbbbbb", "kubeconfig"],
                    ["bootstrap-token-aaaaaa", "bootstrap-token-bbbbbb"]
                )
            )
            harness.advance(by: .seconds(800))
            #expect(try await secrets.list().items.count == 2)
            harness.advance(by: .seconds(200))
            #expect(
                try await settles(
                    ["jws-kubeconfig-aaaaaa", "kubeconfig"],
                    ["bootstrap-token-aaaaaa"]
                )
            )
        }
    }
}

@Suite("Node TTL")
struct NodeTTLTests {
    @Test(
        "the time follows the number of nodes, with slack on the way back",
        arguments: [
            ([1], 0), ([100], 0), ([101], 15), ([101, 90], 15), ([101, 89], 0), ([500], 15),
            ([501], 30), ([501, 450], 30), ([501, 449], 15), ([1001], 60), ([1001, 899], 30),
            ([2001], 300), ([2001, 1800], 300), ([2001, 1799], 60), ([10_001], 600),
            ([10_001, 9000], 600), ([10_001, 8999], 300), ([20_000, 1], 0),
        ]
    )
    func steps(_ counts: [Int], _ seconds: Int) {
        var ttl = NodeTTL()
        for count in counts { _ = ttl.follow(count) }
        #expect(ttl.seconds == seconds)
    }

    @Test("all nodes get the time")
    func endToEnd() async throws {
        let harness = ControllerHarness()
        let nodes = harness.client(CoreV1.Node.self)
        try await harness.run([NodeTTLController(harness.context())]) {
            func settles(_ text: String) async throws -> Bool {
                try await harness.poll {
                    try await nodes.list().items.allSatisfy {
                        $0.metadata.annotations[NodeTTLController.annotation] == text
                    }
                }
            }
            for number in 0..<100 {
                _ = try await nodes.create(CoreV1.Node.with { $0.metadata.name = "n\(number)" })
            }
            #expect(try await settles("0"))
            _ = try await nodes.create(CoreV1.Node.with { $0.metadata.name = "more" })
            #expect(try await settles("15"))
        }
    }
}
