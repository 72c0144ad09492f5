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
        "what a signer refuses",
        arguments: [
            // signer, user, name, organization, usages, hosts, is signed
            (CertificateRules.clientSigner, "jane", "jane", "devs", client, [], true),
            (CertificateRules.clientSigner, "jane", "jane", "devs", serving, [], false),
            (
                CertificateRules.clientSigner, "jane", "jane", "devs", ["digital signature"], [],
                false
            ),
            (
                CertificateRules.kubeletClientSigner, "x", "system:node:a", "system:nodes", client,
                [], true
            ),
            (CertificateRules.kubeletClientSigner, "x", "jane", "devs", client, [], false),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:node:a",
                "system:nodes", serving, ["10.0.0.1"], true
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:b", "system:node:a",
                "system:nodes", serving, ["10.0.0.1"], false
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:node:a",
                "system:nodes", serving, [], false
            ),
            (
                CertificateRules.kubeletServingSigner, "system:node:a", "system:node:a",
                "system:nodes", client, ["10.0.0.1"], false
            ),
            ("example.com/own", "jane", "jane", "devs", client, [], false),
        ] as [(String, String, String, String, [String], [String], Bool)]
    )
    func refusals(
        _ signer: String,
        _ user: String,
        _ name: String,
        _ organization: String,
        _ usages: [String],
        _ hosts: [String],
        _ isSigned: Bool
    ) throws {
        let request = try Self.request(name, organization, hosts: hosts)
        let refusal = CertificateRules.refusal(Self.csr(signer, user, usages), request)
        #expect((refusal == nil) == isSigned)
    }
}
