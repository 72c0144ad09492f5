// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

@Suite("Certificate")
struct CertificateTests {
    /// A template that uses everything.
    static let full = CertificateTemplate(
        subject: Subject(
            commonName: "system:node:a.example",
            organizations: ["system:nodes", "zürich"],
            organizationalUnits: ["unit"]
        ),
        alternativeNames: AlternativeNames(
            dnsNames: ["a.example", "*.b.example"],
            addresses: ["192.0.2.7", "2001:db8::7"].compactMap { HostAddress($0) },
            emailAddresses: ["x@example.org"],
            uris: ["spiffe://cluster.local/ns/a/sa/b"]
        ),
        keyUsage: [.digitalSignature, .keyAgreement, .decipherOnly],
        extendedKeyUsages: [
            .serverAuthentication, .clientAuthentication, .init(rawValue: "1.2.3.4"),
        ],
        validity: days(30)
    )

    @Test("says what its template says, also after PEM", arguments: PrivateKeyTests.quickKinds)
    func roundTrip(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let root = try CertificateAuthority.root(.authority("r"), key: key, at: testTime)
        let issued = try root.issue(Self.full, for: key.publicKey, at: testTime)
        let read = try Certificate(pem: issued.pem)
        #expect(read == issued)
        #expect(read.subject == Self.full.subject)
        #expect(read.issuer == Subject(commonName: "r"))
        #expect(read.alternativeNames == Self.full.alternativeNames)
        #expect(read.keyUsage == Self.full.keyUsage)
        #expect(read.extendedKeyUsages == Self.full.extendedKeyUsages)
        #expect(read.authority == nil)
        #expect(read.publicKey == key.publicKey)
        #expect(read.notBefore == testTime.advanced(by: .seconds(-300)))
        #expect(read.notAfter == testTime.advanced(by: days(30)))
        #expect(read.authorityKeyIdentifier == root.certificate.subjectKeyIdentifier)
        #expect(read.subjectKeyIdentifier?.count == 20)
        #expect(read.serialNumber.count <= 20)
    }

    @Test("a CA's certificate is its own issuer")
    func root() throws {
        let template = CertificateTemplate.authority("root", pathLength: 2)
        let root = try CertificateAuthority.root(template, key: PrivateKey(), at: testTime)
        #expect(root.certificate.isSelfIssued)
        #expect(root.certificate.authority == Certificate.Authority(pathLength: 2))
        #expect(root.hasIssued(root.certificate))
        #expect(
            root.certificate.authorityKeyIdentifier == root.certificate.subjectKeyIdentifier
        )
        #expect(root.certificate.notAfter == testTime.advanced(by: days(3_650)))
    }

    @Test("serial numbers differ and are positive")
    func serialNumbers() throws {
        let authorities = try SampleAuthorities.shared.get()
        let key = try PrivateKey().publicKey
        let numbers = try (0..<100).map { _ in
            try authorities.root.issue(.client("c"), for: key, at: testTime).serialNumber
        }
        #expect(Set(numbers).count == numbers.count)
        #expect(numbers.allSatisfy { $0.contains { $0 != 0 } })
    }

    @Test("ends with its CA at the latest")
    func clipped() throws {
        let root = try CertificateAuthority.root(
            .authority("short", validity: days(10)),
            key: PrivateKey(),
            at: testTime
        )
        let leaf = try root.issueKeyPair(.client("c"), at: testTime).certificate
        #expect(leaf.notAfter == root.certificate.notAfter)
        #expect(leaf.notBefore == root.certificate.notBefore)
    }

    @Test("a CA that is over does not issue")
    func expiredAuthority() throws {
        let root = try SampleAuthorities.shared.get().root
        let after = root.certificate.notAfter.advanced(by: .seconds(1))
        #expect(throws: PKIError.authorityNotValid(subject: "CN=test root")) {
            try root.issueKeyPair(.client("c"), at: after)
        }
        #expect(throws: Never.self) {
            try root.issueKeyPair(.client("c"), at: root.certificate.notAfter)
        }
    }

    @Test("renewing keeps everything but number and time")
    func renew() throws {
        let root = try SampleAuthorities.shared.get().root
        let old = try root.issueKeyPair(Self.full, at: testTime).certificate
        let later = testTime.advanced(by: days(20))
        let new = try root.renew(old, at: later)
        #expect(CertificateTemplate(new) == CertificateTemplate(old))
        #expect(new.publicKey == old.publicKey)
        #expect(new.notAfter == old.notAfter.advanced(by: days(20)))
        #expect(new.serialNumber != old.serialNumber)
        let key = try PrivateKey().publicKey
        #expect(try root.renew(old, for: key, at: later).publicKey == key)
    }

    @Test(
        "refuses what no certificate can say",
        arguments: [
            CertificateTemplate(subject: Subject(commonName: "c"), validity: .zero),
            CertificateTemplate(subject: Subject(commonName: "a\0b")),
            CertificateTemplate(
                subject: Subject(commonName: String(repeating: "a", count: 1_025))
            ),
            CertificateTemplate(subject: Subject(commonName: "c", organizations: [""])),
            .server("c", hosts: [""]),
            .server("c", hosts: ["zürich.example"]),
            .server("c", hosts: ["a b"]),
            .server("c", hosts: (0...AlternativeNames.maximumCount).map { "h\($0)" }),
            CertificateTemplate(
                subject: Subject(commonName: "c"),
                extendedKeyUsages: [.init(rawValue: "nonsense")]
            ),
            CertificateTemplate(
                subject: Subject(commonName: "c"),
                authority: Certificate.Authority()
            ),
            .authority("c", pathLength: -1),
        ]
    )
    func refused(template: CertificateTemplate) throws {
        let root = try SampleAuthorities.shared.get().root
        let error = #expect(throws: PKIError.self) {
            try root.issueKeyPair(template, at: testTime)
        }
        guard case .invalidTemplate = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("as many names as the limit allows")
    func mostNames() throws {
        let root = try SampleAuthorities.shared.get().root
        let names = (0..<AlternativeNames.maximumCount).map { "h\($0)" }
        let leaf = try root.issueKeyPair(.server("c", hosts: names), at: testTime).certificate
        #expect(leaf.alternativeNames.dnsNames == names)
    }

    @Test("cut off at any byte it is an error, as DER and as PEM")
    func truncated() throws {
        let root = try SampleAuthorities.shared.get().root
        let certificate = try root.issueKeyPair(Self.full, at: testTime).certificate
        for count in certificate.der.indices {
            #expect(throws: PKIError.self) {
                try Certificate(der: Array(certificate.der[..<count]))
            }
        }
        let pem = Array(certificate.pem.utf8)
        for count in 0..<(pem.count - 1) {
            #expect(throws: PKIError.self) { try Certificate(pem: pem[..<count]) }
        }
        #expect(throws: PKIError.self) { try Certificate(der: certificate.der + [0]) }
    }

    @Test("with any bit changed it is an error or not trusted", arguments: 0..<8)
    func mutated(bit: UInt8) throws {
        let root = try SampleAuthorities.shared.get().root
        let certificate = try root.issueKeyPair(Self.full, at: testTime).certificate
        let verifier = CertificateVerifier(roots: [root.certificate])
        for position in certificate.der.indices {
            var der = certificate.der
            der[position] ^= 1 << bit
            guard let changed = try? Certificate(der: der) else { continue }
            #expect(throws: VerificationError.self, "byte \(position)") {
                try verifier.verify(changed, purpose: .any, at: testTime)
            }
        }
        #expect(throws: Never.self) {
            try verifier.verify(certificate, purpose: .any, at: testTime)
        }
    }

    @Test("a signature ends at a byte, also when its last bit is zero")
    func signatureBits() throws {
        let root = try SampleAuthorities.shared.get().root
        // Half of all signatures end in a zero bit.
        for _ in 0..<64 {
            let certificate = try root.issueKeyPair(.client("c"), at: testTime).certificate
            var der = certificate.der
            guard der[der.count - 1] & 1 == 0 else { continue }
            // A P-256 signature stands at the end: BIT STRING, its length, the unused bits.
            var start = der.count - 70
            while der[start] != 0x03 || Int(der[start + 1]) != der.count - start - 2 { start -= 1 }
            der[start + 2] = 1
            #expect(throws: PKIError.self) { try Certificate(der: der) }
            return
        }
        Issue.record("no signature ended in a zero bit")
    }

    @Test("refuses a DER above the limit")
    func sizeLimit() {
        let large = [UInt8](repeating: 0x30, count: Certificate.maximumDERBytes + 1)
        let error = PKIError.tooLarge(bytes: large.count, limit: Certificate.maximumDERBytes)
        #expect(throws: error) { try Certificate(der: large) }
        #expect(throws: error) { try CertificateRequest(der: large) }
    }

    @Test("a bundle is read in order, past its keys")
    func bundle() throws {
        let authorities = try SampleAuthorities.shared.get()
        let pair = try authorities.intermediate.issueKeyPair(.client("c"), at: testTime)
        let text = pair.key.pem + pair.certificate.pem + authorities.intermediate.certificate.pem
        let all = try Certificate.all(pem: text.utf8)
        #expect(all == [pair.certificate, authorities.intermediate.certificate])
        #expect(throws: PKIError.missingPEMBlock(wanted: "CERTIFICATE", found: ["PRIVATE KEY"])) {
            try Certificate.all(pem: pair.key.pem.utf8)
        }
        let read = try KeyPair(certificatePEM: text.utf8, keyPEM: text.utf8)
        #expect(read.chain == all)
    }

    @Test("a pair whose halves do not belong together is refused")
    func mismatch() throws {
        let root = try SampleAuthorities.shared.get().root
        let other = try PrivateKey()
        #expect(throws: PKIError.keyDoesNotMatch) {
            try KeyPair(chain: [root.certificate], key: other)
        }
        #expect(throws: PKIError.keyDoesNotMatch) {
            try CertificateAuthority(certificate: root.certificate, key: other)
        }
        #expect(throws: PKIError.keyDoesNotMatch) { try KeyPair(chain: [], key: other) }
        let leaf = try root.issueKeyPair(.client("c"), at: testTime)
        #expect(throws: PKIError.notAuthority(subject: "CN=c")) {
            try CertificateAuthority(certificate: leaf.certificate, key: leaf.key)
        }
    }

    @Test(
        "addresses are read and written",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("2001:DB8:0::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("192.0.2", nil), ("192.0.2.256", nil),
            ("a.example", nil), ("", nil), ("1.2.3.4\0", nil), ("::1%lo", nil), ("01.2.3.4", nil),
        ] as [(String, String?)]
    )
    func addresses(text: String, written: String?) {
        #expect(HostAddress(text)?.description == written)
    }
}
