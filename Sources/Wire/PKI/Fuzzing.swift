// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Runs every reader of this module over arbitrary bytes, for fuzzers and tests.
///
/// Whatever the bytes are, each reader must return or throw; and what it read must come back equal
/// from what it writes. The first byte chooses the reader, the rest is its input.
public func fuzzPKI(_ bytes: UnsafeRawBufferPointer) {
    guard let choice = bytes.first else { return }
    let input = Array(bytes.dropFirst())
    switch choice % 8 {
    case 0: fuzzPEM(input)
    case 1: fuzzCertificate(try? Certificate(der: input))
    case 2: fuzzCertificate(try? Certificate(pem: input))
    case 3: fuzzRequest(try? CertificateRequest(der: input))
    case 4: fuzzKey(try? PrivateKey(der: input))
    case 5: fuzzKey(try? PrivateKey(pem: input))
    case 6: fuzzPublicKey(try? PublicKey(der: input))
    default: fuzzNames(String(decoding: input, as: UTF8.self))
    }
}

private func fuzzPEM(_ input: [UInt8]) {
    guard let blocks = try? PEM.parse(input) else { return }
    let text = blocks.map { PEM.encode(label: $0.label, content: $0.content) }.joined()
    let again = try? PEM.parse(text)
    precondition(
        again?.map(\.content) == blocks.map(\.content)
            && again?.map(\.label) == blocks.map(\.label),
        "PEM blocks differ from what was written"
    )
}

private func fuzzCertificate(_ certificate: Certificate?) {
    guard let certificate else { return }
    precondition((try? Certificate(pem: certificate.pem)) == certificate, "PEM round trip")
    _ = (certificate.subject.description, certificate.issuer.description)
    _ = (certificate.notBefore.description, certificate.notAfter.description)
    _ = (certificate.serialNumber, certificate.fingerprint)
    fuzzPublicKey(certificate.publicKey)
    let verifier = CertificateVerifier(roots: [certificate])
    for purpose in [CertificatePurpose.server, .client, .any] {
        _ = try? verifier.verify(certificate, purpose: purpose, at: certificate.notBefore)
    }
    let stranger = CertificateVerifier(roots: [])
    for name in certificate.certifiedNames {
        _ = try? stranger.verify(
            certificate,
            intermediates: [certificate],
            purpose: .any,
            name: .init(host: name),
            at: certificate.notAfter
        )
    }
    _ = try? certificate.checkNameConstraints(on: certificate, isLeaf: true)
    // Its content can be issued again, or is refused.
    let template = CertificateTemplate(certificate)
    _ = try? template.extensions(for: certificate.publicKey, issuerKeyIdentifier: nil)
}

private func fuzzRequest(_ request: CertificateRequest?) {
    guard let request else { return }
    precondition((try? CertificateRequest(pem: request.pem))?.der == request.der, "PEM round trip")
    _ = (request.subject.description, try? request.verifySignature())
    fuzzPublicKey(request.publicKey)
}

private func fuzzKey(_ key: PrivateKey?) {
    guard let key else { return }
    for text in [key.pem, key.traditionalPEM] {
        precondition((try? PrivateKey(pem: text))?.publicKey == key.publicKey, "key round trip")
    }
    fuzzPublicKey(key.publicKey)
}

private func fuzzPublicKey(_ key: PublicKey?) {
    guard let key else { return }
    precondition((try? PublicKey(pem: key.pem)) == key, "public key round trip")
    _ = key.description
}

private func fuzzNames(_ text: String) {
    if let address = HostAddress(text) {
        precondition(HostAddress(address.description) == address, "address round trip")
    }
    let names = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    _ = AlternativeNames(hosts: names).count
    _ = try? AlternativeNames(hosts: names).validate()
    _ = try? Subject(commonName: text, organizations: names).distinguishedName()
}
