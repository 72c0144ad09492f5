// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Testing

@testable import PKI

@Suite("ClusterPKI")
struct ClusterPKITests {
    static let configuration = ClusterPKI.Configuration(
        nodeName: "node-1",
        hosts: ["192.0.2.10", "node-1.example"],
        serviceAddresses: [HostAddress("10.96.0.1")].compactMap { $0 }
    )
    static let pki = ClusterPKI(configuration)

    static let leaves = [
        "apiserver", "kubelet", "apiserver-kubelet-client", "etcd/server", "etcd/peer",
        "etcd/healthcheck-client", "apiserver-etcd-client", "front-proxy-client",
        "clients/admin", "clients/controller-manager", "clients/scheduler",
        "clients/kube-proxy", "clients/cloud-controller-manager", "clients/cluster-dns",
        "clients/kubelet",
    ]

    private func certificate(_ path: String, in folder: TemporaryFolder) throws -> Certificate {
        try Certificate(pem: folder.read("\(path).crt"))
    }

    private func actions(_ changes: [ClusterPKI.Change]) -> [String: ClusterPKI.Change.Action] {
        Dictionary(uniqueKeysWithValues: changes.map { ($0.path, $0.action) })
    }

    @Test("makes everything once, then leaves it alone")
    func ensure() throws {
        let folder = try TemporaryFolder()
        let made = try Self.pki.ensure(in: folder.file("pki"), at: testTime)
        #expect(made.count == 19)
        #expect(made.allSatisfy { $0.action == .created })
        let before = try run("sh", "-c", "cd \(folder.path) && find . -type f | xargs sha256sum")
        let again = try Self.pki.ensure(
            in: folder.file("pki"),
            at: testTime.advanced(by: days(244))
        )
        #expect(again.allSatisfy { $0.action == .kept })
        #expect(again.map(\.notAfter) == made.map(\.notAfter))
        let after = try run("sh", "-c", "cd \(folder.path) && find . -type f | xargs sha256sum")
        #expect(before.output == after.output)
        #expect(!before.output.contains(".tmp"))
    }

    @Test("keys are for their owner alone", .enabled(if: isInstalled("stat")))
    func modes() throws {
        let folder = try TemporaryFolder()
        let old = umask(0)
        defer { umask(old) }
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        let listing = try run(
            "sh",
            "-c",
            "cd \(folder.path) && find . -type f | xargs stat -c '%a %n'"
        )
        for line in listing.output.split(separator: "\n") {
            #expect(line.hasPrefix(line.hasSuffix(".key") ? "600 " : "644 "), "\(line)")
        }
    }

    @Test("every leaf verifies under its own CA and under no other", arguments: leaves)
    func verifies(path: String) throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        let leaf = try self.certificate(path, in: folder)
        let key = try PrivateKey(pem: folder.read("\(path).key"))
        #expect(key.publicKey == leaf.publicKey)
        let isClient = path.contains("client") || path == "etcd/peer"
        for authority in ["ca", "etcd/ca", "front-proxy-ca"] {
            let verifier = CertificateVerifier(
                roots: [try self.certificate(authority, in: folder)]
            )
            let issuer =
                path.hasPrefix("etcd/") || path == "apiserver-etcd-client"
                ? "etcd/ca" : path.hasPrefix("front-proxy") ? "front-proxy-ca" : "ca"
            if authority == issuer {
                let purpose: CertificatePurpose = isClient ? .client : .server
                let found = try verifier.verify(leaf, purpose: purpose, at: testTime)
                #expect(found.count == 2)
            } else {
                #expect(throws: VerificationError.self) {
                    try verifier.verify(leaf, purpose: .any, at: testTime)
                }
            }
        }
    }

    @Test("identities are the ones that Kubernetes knows")
    func identities() throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        let subjects = [
            "ca": "CN=kubernetes-ca",
            "etcd/ca": "CN=etcd-ca",
            "front-proxy-ca": "CN=kubernetes-front-proxy-ca",
            "apiserver": "CN=kube-apiserver",
            "apiserver-kubelet-client": "CN=kube-apiserver-kubelet-client,O=system:masters",
            "clients/admin": "CN=kubernetes-admin,O=system:masters",
            "clients/controller-manager": "CN=system:kube-controller-manager",
            "clients/scheduler": "CN=system:kube-scheduler",
            "clients/kubelet": "CN=system:node:node-1,O=system:nodes",
            "kubelet": "CN=system:node:node-1,O=system:nodes",
        ]
        for (path, subject) in subjects {
            #expect(try self.certificate(path, in: folder).subject.description == subject)
        }
        let server = try self.certificate("apiserver", in: folder)
        for host in [
            "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local", "10.96.0.1", "node-1", "localhost",
            "127.0.0.1", "::1", "192.0.2.10", "node-1.example",
        ] {
            #expect(server.vouches(for: .init(host: host)), "\(host)")
        }
        #expect(!server.vouches(for: .init(host: "node-2")))
        let privateKey = try PrivateKey(pem: folder.read("sa.key"))
        #expect(try PublicKey(pem: folder.read("sa.pub")) == privateKey.publicKey)
    }

    @Test("issues anew what is near its end, with a new key")
    func expiring() throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        let old = try self.certificate("apiserver", in: folder)
        let later = testTime.advanced(by: days(246))
        let actions = self.actions(try Self.pki.ensure(in: folder.path, at: later))
        for path in Self.leaves { #expect(actions[path] == .renewed(.expiring), "\(path)") }
        for path in ["ca", "etcd/ca", "front-proxy-ca", "sa"] { #expect(actions[path] == .kept) }
        let new = try self.certificate("apiserver", in: folder)
        #expect(new.notAfter == later.advanced(by: days(365)))
        #expect(new.publicKey != old.publicKey)
    }

    @Test("a certificate that ends with its CA is not issued over and over")
    func endOfAuthority() throws {
        let folder = try TemporaryFolder()
        let short = ClusterPKI(
            .init(nodeName: "n", authorityValidity: days(100), validity: days(365))
        )
        _ = try short.ensure(in: folder.path, at: testTime)
        let later = testTime.advanced(by: days(99))
        let actions = try short.ensure(in: folder.path, at: later)
        #expect(actions.allSatisfy { $0.action == .kept })
        #expect(throws: PKIError.authorityNotValid(subject: "CN=kubernetes-ca")) {
            try short.ensure(in: folder.path, at: testTime.advanced(by: days(101)))
        }
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        var name: String
        /// A shell line, run in the folder.
        var command: String
        var path: String
        var action: ClusterPKI.Change.Action
        var testDescription: String { self.name }
    }

    @Test(
        "mends what is missing or damaged, and only that",
        arguments: [
            Damage(
                name: "no certificate",
                command: "rm apiserver.crt",
                path: "apiserver",
                action: .created
            ),
            Damage(
                name: "no key",
                command: "rm apiserver.key",
                path: "apiserver",
                action: .renewed(.keyMismatch)
            ),
            Damage(
                name: "another's key, as after a crash between the two writes",
                command: "cp kubelet.key apiserver.key",
                path: "apiserver",
                action: .renewed(.keyMismatch)
            ),
            Damage(
                name: "half a certificate",
                command: "head -c 300 apiserver.crt > x && mv x apiserver.crt",
                path: "apiserver",
                action: .renewed(.unreadable)
            ),
            Damage(
                name: "an empty certificate",
                command: ": > etcd/server.crt",
                path: "etcd/server",
                action: .renewed(.unreadable)
            ),
            Damage(
                name: "a certificate of another CA",
                command: "cp etcd/peer.crt apiserver.crt",
                path: "apiserver",
                action: .renewed(.otherAuthority)
            ),
            Damage(
                name: "a certificate of somebody else",
                command: "cp kubelet.crt apiserver.crt && cp kubelet.key apiserver.key",
                path: "apiserver",
                action: .renewed(.otherContent)
            ),
            Damage(name: "no public key", command: "rm sa.pub", path: "sa", action: .kept),
            Damage(
                name: "no service account key",
                command: "rm sa.key",
                path: "sa",
                action: .created
            ),
        ]
    )
    func mends(_ damage: Damage) throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        try run("sh", "-c", "cd \(folder.path) && \(damage.command)")
        let changes = self.actions(try Self.pki.ensure(in: folder.path, at: testTime))
        for (path, action) in changes {
            #expect(action == (path == damage.path ? damage.action : .kept), "\(path)")
        }
        let again = try Self.pki.ensure(in: folder.path, at: testTime)
        #expect(again.allSatisfy { $0.action == .kept })
        let key = try PrivateKey(pem: folder.read("sa.key"))
        #expect(try PublicKey(pem: folder.read("sa.pub")) == key.publicKey)
    }

    @Test("a new name of the machine gets into the certificates of its servers")
    func newName() throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        var configuration = Self.configuration
        configuration.hosts.append("198.51.100.1")
        let changes = self.actions(
            try ClusterPKI(configuration).ensure(in: folder.path, at: testTime)
        )
        let changed = changes.filter { $0.value == .renewed(.otherContent) }.map(\.key)
        #expect(Set(changed) == ["apiserver", "kubelet", "etcd/server", "etcd/peer"])
        #expect(changes.values.filter { $0 == .kept }.count == changes.count - 4)
        let server = try self.certificate("apiserver", in: folder)
        #expect(server.vouches(for: .init(host: "198.51.100.1")))
    }

    @Test("issues anew what somebody asks for, as it is")
    func renew() throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        let old = try self.certificate("apiserver", in: folder)
        let later = testTime.advanced(by: days(10))
        // Another configuration: what it says must not get into the certificate.
        let other = ClusterPKI(.init(nodeName: "other"))
        let one = try other.renew(["apiserver"], in: folder.path, at: later)
        #expect(self.actions(one) == ["apiserver": .renewed(.requested)])
        let new = try self.certificate("apiserver", in: folder)
        #expect(CertificateTemplate(new) == CertificateTemplate(old))
        #expect(new.publicKey != old.publicKey)
        #expect(new.notAfter == old.notAfter.advanced(by: days(10)))
        let all = self.actions(try other.renew(in: folder.path, at: later))
        #expect(Set(all.keys) == Set(Self.leaves))
        #expect(all.values.allSatisfy { $0 == .renewed(.requested) })
        let kept = try Self.pki.ensure(in: folder.path, at: later)
        #expect(kept.allSatisfy { $0.action == .kept })
    }

    @Test("does not issue anew what is not there")
    func renewMissing() throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        unlink(folder.file("kubelet.crt"))
        #expect(
            throws: PKIError.file(
                .init(operation: "open", path: folder.file("kubelet.crt"), errno: ENOENT)
            )
        ) {
            try Self.pki.renew(["kubelet"], in: folder.path, at: testTime)
        }
    }

    @Test("a CA whose key is kept elsewhere is used and never replaced")
    func externalAuthority() throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        unlink(folder.file("ca.key"))
        let before = try folder.read("ca.crt")
        #expect(
            try Self.pki.ensure(in: folder.path, at: testTime).allSatisfy { $0.action == .kept }
        )
        unlink(folder.file("apiserver.crt"))
        #expect(throws: PKIError.authorityKeyMissing(path: folder.file("ca.key"))) {
            try Self.pki.ensure(in: folder.path, at: testTime)
        }
        #expect(try folder.read("ca.crt") == before)
    }

    @Test("a damaged CA is an error and stays as it is")
    func damagedAuthority() throws {
        let folder = try TemporaryFolder()
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        try folder.write("-----BEGIN CERTIFICATE-----", to: "ca.crt")
        #expect(throws: PKIError.self) { try Self.pki.ensure(in: folder.path, at: testTime) }
        #expect(try folder.read("ca.crt") == Array("-----BEGIN CERTIFICATE-----".utf8))
    }

    @Test("a CA's key without its certificate is taken up: a crash between the two writes")
    func authorityKeyAlone() throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey()
        try folder.write(key.pem, to: "ca.key")
        _ = try Self.pki.ensure(in: folder.path, at: testTime)
        #expect(try self.certificate("ca", in: folder).publicKey == key.publicKey)
        #expect(try PrivateKey(pem: folder.read("ca.key")).publicKey == key.publicKey)
    }

    @Test("a folder that cannot be written is an error with its path")
    func unwritable() throws {
        let folder = try TemporaryFolder()
        try folder.write("a file", to: "pki")
        #expect(
            throws: PKIError.file(
                .init(operation: "open", path: folder.file("pki/ca.crt"), errno: ENOTDIR)
            )
        ) {
            try Self.pki.ensure(in: folder.file("pki"), at: testTime)
        }
    }
}
