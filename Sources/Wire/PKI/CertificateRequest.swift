// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

/// A certification request, PKCS#10 (RFC 2986): a key that asks a CA for a certificate.
public struct CertificateRequest: Sendable {
    static let pemLabel = "CERTIFICATE REQUEST"
    /// The label that old programs write.
    private static let oldPEMLabel = "NEW CERTIFICATE REQUEST"

    /// The DER as it was read or made, byte for byte.
    public let der: [UInt8]
    /// The names it asks for.
    public let alternativeNames: AlternativeNames
    /// The key usages it asks for; nil when it does not say.
    public let keyUsage: KeyUsage?
    /// The uses it asks for; nil when it does not say.
    public let extendedKeyUsages: [ExtendedKeyUsage]?
    /// Set when it asks to become a CA.
    public let authority: Certificate.Authority?

    let x509: X509.CertificateSigningRequest

    /// Reads a request. Its signature is another matter; see ``verifySignature()``.
    public init(der: [UInt8]) throws(PKIError) {
        guard der.count <= Certificate.maximumDERBytes else {
            throw .tooLarge(bytes: der.count, limit: Certificate.maximumDERBytes)
        }
        do {
            self.der = der
            self.x509 = try X509.CertificateSigningRequest(derEncoded: der)
            try SignedStructure.checkSignatureBits(der)
            let extensions =
                try self.x509.attributes.extensionRequest?.extensions
                ?? X509.Certificate.Extensions()
            self.alternativeNames =
                try extensions.subjectAlternativeNames
                .map(AlternativeNames.init(_:)) ?? AlternativeNames()
            self.keyUsage = try extensions.keyUsage.map(KeyUsage.init(_:))
            self.extendedKeyUsages = try extensions.extendedKeyUsage?
                .map(ExtendedKeyUsage.init(_:))
            switch try extensions.basicConstraints {
            case .isCertificateAuthority(let pathLength):
                self.authority = Certificate.Authority(pathLength: pathLength)
            case .notCertificateAuthority, nil:
                self.authority = nil
            }
        } catch {
            throw .malformedRequest(String(describing: error))
        }
    }

    /// Makes a request for `template`, signed with `key`.
    ///
    /// The template's validity has no place in a request; the CA decides it.
    public init(_ template: CertificateTemplate, key: PrivateKey) throws(PKIError) {
        let extensions = try template.requestedExtensions()
        let subject = try template.subject.distinguishedName()
        let request: X509.CertificateSigningRequest
        do {
            request = try X509.CertificateSigningRequest(
                version: .v1,
                subject: subject,
                privateKey: key.x509,
                attributes: .init([.init(ExtensionRequest(extensions: extensions))]),
                signatureAlgorithm: key.signatureAlgorithm
            )
        } catch {
            throw .invalidTemplate(String(describing: error))
        }
        try self.init(der: encodeDER { try $0.serialize(request) })
    }

    /// The first request of a PEM text.
    public init(pem: some Collection<UInt8>) throws(PKIError) {
        let blocks = try PEM.parse(pem)
        let block = blocks.first {
            $0.label == CertificateRequest.pemLabel || $0.label == CertificateRequest.oldPEMLabel
        }
        guard let block else {
            throw .missingPEMBlock(
                wanted: CertificateRequest.pemLabel,
                found: blocks.map(\.label)
            )
        }
        try self.init(der: block.content)
    }

    /// The first request of a PEM text.
    public init(pem: String) throws(PKIError) {
        try self.init(pem: Array(pem.utf8))
    }

    /// The request as PEM text.
    public var pem: String {
        PEM.encode(label: CertificateRequest.pemLabel, content: self.der)
    }

    /// Whom the certificate is to be about.
    public var subject: Subject { Subject(self.x509.subject) }

    /// The key to be certified.
    public var publicKey: PublicKey { PublicKey(x509: self.x509.publicKey) }

    /// Throws `invalidRequestSignature` unless the one who asks holds the private key.
    public func verifySignature() throws(PKIError) {
        guard self.x509.publicKey.isValidSignature(self.x509.signature, for: self.x509) else {
            throw .invalidRequestSignature
        }
    }
}
