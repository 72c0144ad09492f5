// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Testing

@testable import PKI

@Suite("CertificateListing")
struct CertificateListingTests {
    @Test("finds certificates in PEM files, bundles, folders and kubeconfigs")
    func finds() throws {
        let folder = try TemporaryFolder()
        let authorities = try SampleAuthorities.shared.get()
        let root = authorities.root.certificate
        let leaf = try authorities.root.issueKeyPair(.client("c"), at: testTime)
        try File.makeFolders(folder.file("etcd/deep"))
        try folder.write(root.pem, to: "ca.crt")
        try folder.write(leaf.key.pem, to: "ca.key")
        try folder.write(leaf.certificate.pem + root.pem, to: "etcd/deep/bundle.pem")
        try folder.write("not a certificate", to: "notes.txt")
        let base64 = Base64Text.encode(leaf.certificate.pem)
        try folder.write(
            """
            users:
            - name: c
              user:
                client-certificate-data: "\(base64)"
                client-key-data: AAAA
            """,
            to: "admin.conf"
        )
        #expect(symlink("ca.crt", folder.file("current.pem")) == 0)
        let listing = try CertificateListing(folder: folder.path)
        let found = try listing.entries.map { ($0.path, try $0.result.get().subject.commonName) }
        #expect(
            found.map(\.0) == [
                "admin.conf", "ca.crt", "current.pem", "etcd/deep/bundle.pem",
                "etcd/deep/bundle.pem",
            ]
        )
        #expect(found.map(\.1) == ["c", "test root", "test root", "c", "test root"])
        #expect(!listing.hasFailures)
    }

    @Test("a file that is broken is an entry of its own")
    func failures() throws {
        let folder = try TemporaryFolder()
        let root = try SampleAuthorities.shared.get().root.certificate
        try folder.write(root.pem, to: "a.crt")
        try folder.write("-----BEGIN CERTIFICATE-----\n", to: "b.crt")
        try folder.write("", to: "c.crt")
        try folder.write("client-certificate-data: !!!\n", to: "d.conf")
        #expect(symlink("nowhere", folder.file("e.crt")) == 0)
        #expect(mkfifo(folder.file("f.crt"), 0o600) == 0)
        let listing = try CertificateListing(folder: folder.path)
        #expect(listing.hasFailures)
        let failed = listing.entries.filter { (try? $0.result.get()) == nil }.map(\.path)
        #expect(failed == ["b.crt", "c.crt", "d.conf", "e.crt", "f.crt"])
    }

    @Test("a folder that is not there is an error")
    func missing() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("none")
        #expect(
            throws: PKIError.file(.init(operation: "opendir", path: path, errno: ENOENT))
        ) {
            try CertificateListing(folder: path)
        }
        #expect(try CertificateListing(folder: folder.path).entries.isEmpty)
    }
}

/// Base 64 through PEM, which the suite tests on its own.
enum Base64Text {
    static func encode(_ text: String) -> String {
        PEM.encode(label: "X", content: Array(text.utf8)).split(separator: "\n")
            .filter { !$0.hasPrefix("-----") }.joined()
    }
}
