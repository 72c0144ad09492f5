// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

@Suite("CertificateTable")
struct CertificateTableTests {
    @Test(
        "shows what is left in the largest unit of which there are two",
        arguments: [
            (365 * 86_400, "365d"), (2 * 86_400, "2d"), (2 * 86_400 - 1, "47h"),
            (2 * 3_600, "2h"), (2 * 3_600 - 1, "119m"), (120, "2m"), (119, "119s"), (0, "0s"),
            (-1, "expired"), (366 * 86_400, "not yet valid"),
        ]
    )
    func residual(seconds: Int, text: String) throws {
        let root = try SampleAuthorities.shared.get().root
        let leaf = try root.issueKeyPair(.client("c"), at: testTime).certificate
        let now = leaf.notAfter.advanced(by: .seconds(-seconds))
        #expect(CertificateTable.residual(leaf, at: now) == text)
    }

    @Test("lists files, broken ones too, without control characters")
    func listing() throws {
        let folder = try TemporaryFolder()
        let root = try SampleAuthorities.shared.get().root
        let odd = try root.issueKeyPair(.client("a\u{1B}[2Jb"), at: testTime).certificate
        try folder.write(odd.pem, to: "odd.crt")
        try folder.write(root.certificate.pem, to: "ca.crt")
        try folder.write("nothing", to: "bad.crt")
        let listing = try CertificateListing(folder: folder.path)
        #expect(
            CertificateTable.text(of: listing, at: testTime) == """
                FILE      SUBJECT        ISSUER         EXPIRES                RESIDUAL   CA
                bad.crt   error: no CERTIFICATE in PEM
                ca.crt    CN=test root   CN=test root   2035-12-30T00:00:00Z   3650d      yes
                odd.crt   CN=a\u{FFFD}[2Jb      CN=test root   2027-01-01T00:00:00Z   365d       no

                """
        )
        #expect(!listing.isHealthy(at: testTime))
    }

    @Test("lists what was done")
    func changes() {
        let changes: [ClusterPKI.Change] = [
            .init(path: "ca", action: .kept, notAfter: testTime),
            .init(path: "etcd/server", action: .renewed(.expiring), notAfter: testTime),
            .init(path: "sa", action: .created, notAfter: nil),
        ]
        #expect(
            CertificateTable.text(of: changes) == """
                NAME          ACTION               EXPIRES
                ca            kept                 2026-01-01T00:00:00Z
                etcd/server   renewed (expiring)   2026-01-01T00:00:00Z
                sa            created              -

                """
        )
    }
}
