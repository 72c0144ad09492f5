// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import KubernetesAPI
import PKI
import Protobuf
import Testing

@Suite("Certificate requests")
struct CertificateRulesTests {
    private static let client = ["digital signature", "client auth"]
    private static let serving = ["digital signature", "server auth"]

    private static func request(
        _ name: String,
        _ organization: String,
        hosts: [String] = []
    ) throws -> CertificateRequest {
        var template = CertificateTemplate(
            subject: Subject(commonName: name, organizations: [organization])
        )
        template.alternativeNames = AlternativeNames(hosts: hosts)
        return try CertificateRequest(template, key: PrivateKey())
    }

    private static func csr(
        _ signer: String,
        _ user: String,
        _ usages: [String]
    ) -> CertificatesV1.CertificateSigningRequest {
        CertificatesV1.CertificateSigningRequest.with {
            $0.spec.signerName = signer
            $0.spec.username = user
            $0.spec.usages = RepeatedField(usages)
        }
    }

    @Test(
        "which requests of kubelets are approved, and by which permission",
        arguments: [
            // signer, user, name, organization, usages, hosts, permissions
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:node:a",
                "system:nodes", client, [], ["selfnodeclient", "nodeclient"]
            ),
            (
                CertificateRules.kubeletClientSigner, "system:bootstrap:abcdef", "system:node:a",
                "system:nodes", client, [], ["nodeclient"]
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:node:a",
                "system:nodes", client + ["key encipherment"], [],
                ["selfnodeclient", "nodeclient"]
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:node:a",
                "system:nodes", client + ["server auth"], [], []
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:node:a",
                "system:masters", client, [], []
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "admin", "system:nodes",
                client, [], []
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:node:a",
                "system:nodes", client, ["a.example.com"], []
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:node:a",
                "system:nodes", serving, ["a.example.com"], []
            ),
            (
                CertificateRules.clientSigner, "system:node:a", "system:node:a", "system:nodes",
                client, [], []
            ),
        ] as [(String, String, String, String, [String], [String], [String])]
    )
    func approvals(
        _ signer: String,
        _ user: String,
        _ name: String,
        _ organization: String,
        _ usages: [String],
        _ hosts: [String],
        _ permissions: [String]
    ) throws {
        let request = try Self.request(name, organization, hosts: hosts)
        #expect(
            CertificateRules.approvals(Self.csr(signer, user, usages), request) == permissions
        )
    }

    @Test(
        "what a signer refuses, and how it says so",
        arguments: [
            // signer, name, organization, usages, hosts, refusal
            (CertificateRules.clientSigner, "jane", "devs", client, [], nil),
            (
                CertificateRules.clientSigner, "jane", "devs", serving, [],
                "invalid usage for client certificate: server auth"
            ),
            (
                CertificateRules.clientSigner, "jane", "devs", ["digital signature"], [],
                "missing required usage for client certificate: client auth"
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:nodes", client, [],
                nil
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "devs", client, [],
                "subject organization is not system:nodes"
            ),
            (
                CertificateRules.kubeletClientSigner, "jane", "system:nodes", client, [],
                "subject common name does not begin with system:node:"
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:nodes", client,
                ["a.example.com"], "DNS subjectAltNames are not allowed"
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:nodes", client,
                ["10.0.0.1"], "IP subjectAltNames are not allowed"
            ),
            (
                CertificateRules.kubeletClientSigner, "system:node:a", "system:nodes", serving, [],
                "usages did not match [client auth digital signature key encipherment]"
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:nodes", serving,
                ["10.0.0.1"], nil
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:nodes",
                serving + ["key encipherment"], ["a.example.com"], nil
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "devs", serving,
                ["10.0.0.1"], "subject organization is not system:nodes"
            ),
            (
                CertificateRules.kubeletServingSigner, "jane", "system:nodes", serving,
                ["10.0.0.1"], "subject common name does not begin with system:node:"
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:nodes", serving, [],
                "DNS or IP subjectAltName is required"
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:nodes", client,
                ["10.0.0.1"],
                "usages did not match [digital signature key encipherment server auth]"
            ),
            ("example.com/own", "jane", "devs", client, [], "unknown signer"),
        ] as [(String, String, String, [String], [String], String?)]
    )
    func refusals(
        _ signer: String,
        _ name: String,
        _ organization: String,
        _ usages: [String],
        _ hosts: [String],
        _ refusal: String?
    ) throws {
        let request = try Self.request(name, organization, hosts: hosts)
        #expect(CertificateRules.refusal(Self.csr(signer, "x", usages), request) == refusal)
    }

    @Test(
        "how long a certificate is valid",
        arguments: [
            (nil, 31_536_000, 31_535_700), (nil, 3600, 3600), (1, 31_536_000, 600),
            (600, 31_536_000, 600), (3600, 31_536_000, 3600), (28_799, 31_536_000, 28_799),
            (28_800, 31_536_000, 28_500), (99_999_999, 31_536_000, 31_535_700),
        ] as [(Int32?, Int64, Int64)]
    )
    func validity(_ wanted: Int32?, _ longest: Int64, _ seconds: Int64) {
        #expect(
            CertificateSigner.validity(wanted, longest: .seconds(longest)) == .seconds(seconds)
        )
    }

    private static func node(_ name: String, _ addresses: (String, String)...) -> CoreV1.Node {
        CoreV1.Node.with {
            $0.metadata.name = name
            for (type, address) in addresses {
                $0.status.addresses.append(
                    CoreV1.NodeAddress.with {
                        $0.type = type
                        $0.address = address
                    }
                )
            }
        }
    }

    @Test(
        "serving certificates are granted for the names and addresses of their node alone",
        arguments: [
            // user, hosts, is granted
            ("a", ["a"], true),
            ("a", ["a", "192.0.2.1"], true),
            ("a", ["192.0.2.1", "2001:db8::1", "198.51.100.1"], true),
            ("a", ["a", "192.0.2.9"], false),
            ("a", ["b"], false),
            ("a", ["*.example.com"], false),
            ("a", ["a", "kubernetes.default.svc"], false),
            // What the node says of itself, and others have or nobody may have.
            ("b", ["192.0.2.2"], true),
            ("b", ["192.0.2.1"], false),
            ("c", ["127.0.0.1"], false),
            ("c", ["10.96.0.1"], false),
            ("c", ["10.112.0.1"], true),
            ("kubernetes", ["kubernetes"], false),
            ("localhost", ["localhost"], false),
            ("d", ["d"], false),
        ] as [(String, [String], Bool)]
    )
    func servingApprovals(_ name: String, _ hosts: [String], _ isGranted: Bool) throws {
        let nodes = [
            Self.node(
                "a",
                ("InternalIP", "192.0.2.1"),
                ("InternalIP", "2001:db8::1"),
                ("ExternalIP", "198.51.100.1"),
                ("Hostname", "a"),
                ("InternalDNS", "kubernetes.default.svc")
            ),
            Self.node("b", ("InternalIP", "192.0.2.2"), ("InternalIP", "192.0.2.1")),
            Self.node(
                "c",
                ("InternalIP", "127.0.0.1"),
                ("InternalIP", "10.96.0.1"),
                ("InternalIP", "10.112.0.1")
            ),
            Self.node("kubernetes"), Self.node("localhost"),
        ]
        // Two nodes claim 192.0.2.1: neither gets it unless the other is gone.
        let alone = hosts.contains("192.0.2.1") && name == "a" ? [nodes[0]] : nodes
        let user = "system:node:\(name)"
        var csr = Self.csr(CertificateRules.kubeletServingSigner, user, Self.serving)
        csr.spec.groups = ["system:nodes", "system:authenticated"]
        let request = try Self.request(user, "system:nodes", hosts: hosts)
        let reserved = NetworkRange.loopback + [try #require(NetworkRange("10.96.0.0/12"))]
        func refusal() -> String? {
            ServingCertificateRules.refusal(csr, request, nodes: alone, reserved: reserved)
        }
        #expect((refusal() == nil) == isGranted, "\(refusal() ?? "granted")")
        csr.spec.username = "system:node:other"
        #expect(refusal() != nil, "in the name of another node")
        csr.spec.username = user
        csr.spec.groups = ["system:authenticated"]
        #expect(refusal() != nil, "not of the group of nodes")
    }

    @Test(
        "a range ends where its prefix does",
        arguments: ["10.96.0.0/12", "fd00::/9", "0.0.0.0/0"]
    )
    func ranges(_ text: String) throws {
        let range = try #require(NetworkRange(text))
        for (address, isIn) in [
            ("10.96.0.0", ["10.96.0.0/12", "0.0.0.0/0"]), ("10.111.255.255", ["10.96.0.0/12"]),
            ("10.112.0.0", []), ("10.95.255.255", []), ("fd7f::1", ["fd00::/9"]), ("fd80::", []),
        ] {
            let all = text == "0.0.0.0/0" && !address.contains(":")
            #expect(
                range.contains(try #require(HostAddress(address))) == (isIn.contains(text) || all)
            )
        }
        for bad in ["", "10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/-1", "10.0.0.0/8/8"] {
            #expect(NetworkRange(bad) == nil)
        }
    }
}
