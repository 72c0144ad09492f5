// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import X509

/// A CA: a certificate that may issue others, and its private key.
public struct CertificateAuthority: Sendable {
    /// The CA's own certificate.
    public let certificate: Certificate
    /// The CA's key.
    public let key: PrivateKey

    /// A CA from its certificate and key.
    ///
    /// - Throws: `notAuthority` or `keyDoesNotMatch`.
    public init(certificate: Certificate, key: PrivateKey) throws(PKIError) {
        let usage = certificate.keyUsage ?? .certificateSigning
        guard certificate.authority != nil, usage.contains(.certificateSigning) else {
            throw .notAuthority(subject: certificate.subject.description)
        }
        guard certificate.publicKey == key.publicKey else { throw .keyDoesNotMatch }
        self.certificate = certificate
        self.key = key
    }

    /// A new root CA that vouches for itself.
    public static func root(
        _ template: CertificateTemplate,
        key: PrivateKey,
        at now: CertificateTime
    ) throws(PKIError) -> CertificateAuthority {
        let certificate = try self.sign(
            template,
            publicKey: key.publicKey,
            issuer: nil,
            key: key,
            at: now
        )
        return try CertificateAuthority(certificate: certificate, key: key)
    }

    /// Issues a certificate for `publicKey` that says what `template` says.
    ///
    /// Its validity begins ``CertificateTemplate/clockSkew`` before `now` and ends no later than
    /// the CA's own.
    ///
    /// - Throws: `authorityNotValid` when the CA's certificate is not valid `now`, and
    ///   `invalidTemplate`.
    public func issue(
        _ template: CertificateTemplate,
        for publicKey: PublicKey,
        at now: CertificateTime
    ) throws(PKIError) -> Certificate {
        guard self.certificate.isValid(at: now) else {
            throw .authorityNotValid(subject: self.certificate.subject.description)
        }
        return try CertificateAuthority.sign(
            template,
            publicKey: publicKey,
            issuer: self.certificate,
            key: self.key,
            at: now
        )
    }

    /// Issues a certificate together with a new key.
    public func issueKeyPair(
        _ template: CertificateTemplate,
        kind: PrivateKey.Kind = .p256,
        at now: CertificateTime
    ) throws(PKIError) -> KeyPair {
        let key = try PrivateKey(generating: kind)
        let certificate = try self.issue(template, for: key.publicKey, at: now)
        return try KeyPair(chain: [certificate], key: key)
    }

    /// Issues what `request` asks for, after checking that it is signed with its own key.
    ///
    /// - Parameter adjust: gets what the request asks for (never to become a CA) and says what it
    ///   shall get; a signer's rules go here. The default grants subject and names, and the key
    ///   usages and uses asked for.
    public func sign(
        _ request: CertificateRequest,
        at now: CertificateTime,
        adjust: (inout CertificateTemplate) throws(PKIError) -> Void = { _ throws(PKIError) in }
    ) throws(PKIError) -> Certificate {
        try request.verifySignature()
        let usual: KeyUsage = [.digitalSignature, .keyEncipherment]
        var template = CertificateTemplate(
            subject: request.subject,
            alternativeNames: request.alternativeNames,
            keyUsage: (request.keyUsage ?? usual).subtracting([.certificateSigning, .crlSigning]),
            extendedKeyUsages: request.extendedKeyUsages ?? []
        )
        try adjust(&template)
        return try self.issue(template, for: request.publicKey, at: now)
    }

    /// Issues `certificate` anew: same subject, names, uses and length of validity.
    ///
    /// - Parameter publicKey: the new certificate's key; nil for the same key.
    public func renew(
        _ certificate: Certificate,
        for publicKey: PublicKey? = nil,
        at now: CertificateTime
    ) throws(PKIError) -> Certificate {
        try self.issue(
            CertificateTemplate(certificate),
            for: publicKey ?? certificate.publicKey,
            at: now
        )
    }

    /// Whether this CA's key signed `certificate`.
    public func hasIssued(_ certificate: Certificate) -> Bool {
        self.certificate.hasIssued(certificate)
    }

    /// Signs; without an issuer the certificate is its own.
    static func sign(
        _ template: CertificateTemplate,
        publicKey: PublicKey,
        issuer: Certificate?,
        key: PrivateKey,
        at now: CertificateTime
    ) throws(PKIError) -> Certificate {
        let ownIdentifier = Array(SubjectKeyIdentifier(hash: publicKey.x509).keyIdentifier)
        let extensions = try template.extensions(
            for: publicKey,
            issuerKeyIdentifier: issuer == nil ? ownIdentifier : issuer?.subjectKeyIdentifier
        )
        let subject = try template.subject.distinguishedName()
        let skew = CertificateTemplate.clockSkew
        // A leaf is never valid before or after its CA.
        let begin = max(now.advanced(by: .zero - skew), issuer?.notBefore ?? .minimum)
        let end = min(now.advanced(by: template.validity), issuer?.notAfter ?? .maximum)
        do {
            let certificate = try X509.Certificate(
                version: .v3,
                serialNumber: X509.Certificate.SerialNumber(),
                publicKey: publicKey.x509,
                notValidBefore: begin.date,
                notValidAfter: end.date,
                issuer: issuer?.x509.subject ?? subject,
                subject: subject,
                signatureAlgorithm: key.signatureAlgorithm,
                extensions: extensions,
                issuerPrivateKey: key.x509
            )
            return try Certificate(issued: certificate)
        } catch let error as PKIError {
            throw error
        } catch {
            throw .invalidTemplate(String(describing: error))
        }
    }
}

extension CertificateTemplate {
    /// A template that gives a certificate like `certificate`.
    public init(_ certificate: Certificate) {
        let length = certificate.notBefore.advanced(by: CertificateTemplate.clockSkew)
            .duration(to: certificate.notAfter)
        self.init(
            subject: certificate.subject,
            alternativeNames: certificate.alternativeNames,
            keyUsage: certificate.keyUsage ?? [],
            extendedKeyUsages: certificate.extendedKeyUsages ?? [],
            authority: certificate.authority,
            validity: max(length, .seconds(1))
        )
    }
}

extension Certificate {
    /// Whether `certificate` names this one's subject as its issuer and is signed with its key.
    public func hasIssued(_ certificate: Certificate) -> Bool {
        self.x509.subject == certificate.x509.issuer
            && self.x509.publicKey.isValidSignature(
                certificate.x509.signature,
                for: certificate.x509
            )
    }
}
