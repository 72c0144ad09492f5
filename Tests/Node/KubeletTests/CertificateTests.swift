// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Glibc
import KubernetesAPI
import NodeHost
import PKI
import Protobuf
import Synchronization
import TestFolders
import Testing

@testable import Kubelet

@Suite("Certificates of the kubelet")
struct CertificateTests {
    private static let begin = CertificateTime(secondsSinceEpoch: 1_800_000_000)

    /// A pair valid for a day from `begin` on, as a cluster's authority issues it.
    private static func pair(_ template: CertificateTemplate) throws -> KeyPair {
        var template = template
        template.validity = .seconds(86_400)
        let authority = try CertificateAuthority.root(
            .authority("test"),
            key: PrivateKey(),
            at: Self.begin
        )
        return try authority.issueKeyPair(template, at: Self.begin)
    }

    @Test(
        "is asked for anew when it is over, another's, without a name, or 70 to 90% of its life are",
        arguments: [
            // hosts now, name now, part of the life, jitter, reason
            (["n", "192.0.2.1"], "n", 0.5, 0.0, nil),
            (["n"], "n", 0.5, 0.0, nil),
            (["n", "192.0.2.1"], "n", 0.69, 0.0, nil),
            (["n", "192.0.2.1"], "n", 0.71, 0.0, .due),
            (["n", "192.0.2.1"], "n", 0.79, 0.5, nil),
            (["n", "192.0.2.1"], "n", 0.81, 0.5, .due),
            (["n", "192.0.2.1"], "n", 0.89, 1.0, nil),
            (["n", "192.0.2.1"], "n", 0.91, 1.0, .due),
            (["n", "192.0.2.1"], "n", 1.01, 1.0, .missing),
            (["n", "192.0.2.1"], "n", -0.01, 1.0, nil),
            (["n", "192.0.2.1"], "n", -400.0, 1.0, nil),
            (["n", "192.0.2.2"], "n", 0.1, 0.0, .otherNames),
            (["m", "192.0.2.1"], "m", 0.1, 0.0, .otherSubject),
        ] as [([String], String, Double, Double, CertificateRotation.Reason?)]
    )
    func rotation(
        _ hosts: [String],
        _ name: String,
        _ part: Double,
        _ jitter: Double,
        _ reason: CertificateRotation.Reason?
    ) throws {
        let certificate = try Self.pair(.node("n", hosts: ["n", "192.0.2.1"])).certificate
        let life = certificate.notBefore.duration(to: certificate.notAfter).components.seconds
        let found = CertificateRotation.reason(
            current: certificate,
            template: .node(name, hosts: hosts),
            jitter: jitter,
            at: certificate.notBefore.advanced(by: .seconds(Int64(Double(life) * part)))
        )
        #expect(found == reason)
    }

    @Test("none at all is asked for")
    func missing() {
        let found = CertificateRotation.reason(
            current: nil,
            template: .node("n"),
            jitter: 0,
            at: Self.begin
        )
        #expect(found == .missing)
    }

    @Test("the store shows the newest, keeps it to its owner, and forgets older ones")
    func store() throws {
        let folder = TemporaryDirectory()
        let store = CertificateStore(folder: "\(folder.path)/pki", prefix: "kubelet-client")
        #expect(store.current() == nil)
        let (first, second) = (try Self.pair(.node("a")), try Self.pair(.node("b")))
        try store.save(first, at: CertificateTime(secondsSinceEpoch: 1_796_000_000))
        #expect(store.current()?.certificate == first.certificate)
        try store.save(second, at: CertificateTime(secondsSinceEpoch: 1_796_000_061))
        #expect(store.current()?.certificate == second.certificate)
        #expect(store.current()?.key.pem == second.key.pem)
        let files = HostFiles.list(store.folder)
        #expect(
            files == ["kubelet-client-2026-11-30-00-54-21.pem", "kubelet-client-current.pem"]
        )
        let mode = try #require(HostFiles.status(store.currentPath)).st_mode
        #expect(mode & 0o777 == 0o600)
        try HostFiles.write(Array("nothing".utf8), to: store.currentPath)
        #expect(store.current() == nil)
    }

    @Test("a request that is not answered is gone on with, unless it was refused")
    func pendingKey() throws {
        let folder = TemporaryDirectory()
        let store = CertificateStore(folder: "\(folder.path)/pki", prefix: "kubelet-client")
        let key = try store.pendingKey()
        #expect(try store.pendingKey().pem == key.pem)
        func name(_ key: PrivateKey) throws -> String {
            CertificateSigningClient.name(of: try CertificateRequest(.node("n"), key: key))
        }
        #expect(try name(key) == name(try store.pendingKey()))
        #expect(try name(key).hasPrefix("node-csr-"))
        store.forgetPendingKey()
        #expect(try name(key) != name(try store.pendingKey()))
        try store.save(Self.pair(.node("n")), at: Self.begin)
        #expect(!HostFiles.list(store.folder).contains { $0.hasSuffix(".tmp") })
    }

    @Test("an answer is a certificate, a refusal, or not there yet")
    func answers() throws {
        var csr = CertificatesV1.CertificateSigningRequest()
        csr.metadata.name = "x"
        #expect(try CertificateSigningClient.answer(csr) == nil)
        let pair = try Self.pair(.node("n"))
        csr.status.certificate = Bytes(utf8: pair.chainPEM)
        #expect(try CertificateSigningClient.answer(csr) == pair.chain)
        for type in ["Denied", "Failed"] {
            csr.status.conditions = [
                CertificatesV1.CertificateSigningRequestCondition.with {
                    $0.type = type
                    $0.status = "True"
                    $0.message = "because"
                }
            ]
            let error = #expect(throws: CertificateFailure.self) {
                try CertificateSigningClient.answer(csr)
            }
            #expect(error?.description.hasSuffix("x was refused: because") == true)
        }
    }

    @Test("addresses follow the machine unless they are given")
    func addresses() {
        let now = Mutex<String?>("192.0.2.1")
        let followed = NodeAddresses(fixed: []) { now.withLock { $0 } }
        #expect(followed.all == ["192.0.2.1"])
        #expect(!followed.refresh())
        now.withLock { $0 = nil }
        #expect(!followed.refresh())
        #expect(followed.all == ["192.0.2.1"])
        now.withLock { $0 = "192.0.2.2" }
        #expect(followed.refresh())
        #expect(followed.all == ["192.0.2.2"])
        let fixed = NodeAddresses(fixed: ["192.0.2.9"]) { "192.0.2.1" }
        #expect(!fixed.refresh())
        #expect(fixed.all == ["192.0.2.9"])
    }
}
