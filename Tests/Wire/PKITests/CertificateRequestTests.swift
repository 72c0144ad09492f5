// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import PKI

@Suite("CertificateRequest")
struct CertificateRequestTests {
    @Test("asks for what its template says", arguments: PrivateKeyTests.quickKinds)
    func roundTrip(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let request = try CertificateRequest(CertificateTests.full, key: key)
        let read = try CertificateRequest(pem: request.pem)
        #expect(read.der == request.der)
        #expect(read.subject == CertificateTests.full.subject)
        #expect(read.alternativeNames == CertificateTests.full.alternativeNames)
        #expect(read.keyUsage == CertificateTests.full.keyUsage)
        #expect(read.extendedKeyUsages == CertificateTests.full.extendedKeyUsages)
        #expect(read.publicKey == key.publicKey)
        try read.verifySignature()
    }

    @Test("is signed as it asks, by the CA's rules")
    func signed() throws {
        let root = try SampleAuthorities.shared.get().root
        let key = try PrivateKey()
        let request = try CertificateRequest(CertificateTests.full, key: key)
        let usual = try root.sign(request, at: testTime)
        #expect(usual.subject == request.subject)
        #expect(usual.alternativeNames == request.alternativeNames)
        #expect(usual.extendedKeyUsages == request.extendedKeyUsages)
        #expect(usual.publicKey == key.publicKey)
        #expect(root.hasIssued(usual))
        let restricted = try root.sign(request, at: testTime) { template throws(PKIError) in
            template.alternativeNames = AlternativeNames()
            template.extendedKeyUsages = [.clientAuthentication]
            template.validity = days(1)
        }
        #expect(restricted.alternativeNames.isEmpty)
        #expect(restricted.extendedKeyUsages == [.clientAuthentication])
        #expect(restricted.notAfter == testTime.advanced(by: days(1)))
        #expect(throws: PKIError.invalidTemplate("not from here")) {
            try root.sign(request, at: testTime) { _ throws(PKIError) in
                throw .invalidTemplate("not from here")
            }
        }
    }

    @Test("nobody becomes a CA by asking")
    func noAuthority() throws {
        let root = try SampleAuthorities.shared.get().root
        let request = try CertificateRequest(.authority("mine"), key: PrivateKey())
        #expect(request.authority != nil)
        let certificate = try root.sign(request, at: testTime)
        #expect(certificate.authority == nil)
        #expect(certificate.keyUsage == [.digitalSignature, .keyEncipherment])
    }

    @Test("with any bit changed it is an error or not signed", arguments: 0..<8)
    func mutated(bit: UInt8) throws {
        let request = try CertificateRequest(CertificateTests.full, key: PrivateKey())
        for position in request.der.indices {
            var der = request.der
            der[position] ^= 1 << bit
            guard let changed = try? CertificateRequest(der: der) else { continue }
            #expect(throws: PKIError.invalidRequestSignature, "byte \(position)") {
                try changed.verifySignature()
            }
        }
        #expect(throws: Never.self) { try request.verifySignature() }
    }

    @Test("cut off at any byte it is an error, as DER and as PEM")
    func truncated() throws {
        let request = try CertificateRequest(CertificateTests.full, key: PrivateKey())
        for count in request.der.indices {
            #expect(throws: PKIError.self) {
                try CertificateRequest(der: Array(request.der[..<count]))
            }
        }
        let pem = Array(request.pem.utf8)
        for count in 0..<(pem.count - 1) {
            #expect(throws: PKIError.self) { try CertificateRequest(pem: pem[..<count]) }
        }
    }

    @Test("a certificate is no request")
    func otherBlock() throws {
        let root = try SampleAuthorities.shared.get().root.certificate
        #expect(
            throws: PKIError.missingPEMBlock(
                wanted: "CERTIFICATE REQUEST",
                found: ["CERTIFICATE"]
            )
        ) {
            try CertificateRequest(pem: root.pem)
        }
        #expect(throws: PKIError.self) { try CertificateRequest(der: root.der) }
    }
}
