// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

extension CertificateTemplate {
    /// Throws when no certificate can say this.
    func validate() throws(PKIError) {
        try self.alternativeNames.validate()
        guard self.validity > .zero else {
            throw .invalidTemplate("a validity of \(self.validity)")
        }
        if let pathLength = self.authority?.pathLength, pathLength < 0 {
            throw .invalidTemplate("a path length of \(pathLength)")
        }
        if self.authority != nil, !self.keyUsage.contains(.certificateSigning) {
            throw .invalidTemplate("a CA whose key must not sign certificates")
        }
    }

    /// The extensions of a certificate for `key`, signed by the key with identifier `issuer`.
    func extensions(
        for key: PublicKey,
        issuerKeyIdentifier: [UInt8]?
    ) throws(PKIError) -> X509.Certificate.Extensions {
        var extensions = try self.requestedExtensions()
        do {
            let identifier = SubjectKeyIdentifier(hash: key.x509)
            try extensions.append(X509.Certificate.Extension(identifier, critical: false))
            if let issuerKeyIdentifier {
                let identifier = AuthorityKeyIdentifier(keyIdentifier: issuerKeyIdentifier[...])
                try extensions.append(X509.Certificate.Extension(identifier, critical: false))
            }
        } catch {
            throw .invalidTemplate(String(describing: error))
        }
        return extensions
    }

    /// The extensions that the subject itself may ask for; a request carries them too.
    func requestedExtensions() throws(PKIError) -> X509.Certificate.Extensions {
        try self.validate()
        var extensions = X509.Certificate.Extensions()
        do {
            let constraints: BasicConstraints =
                self.authority.map { .isCertificateAuthority(maxPathLength: $0.pathLength) }
                ?? .notCertificateAuthority
            try extensions.append(X509.Certificate.Extension(constraints, critical: true))
            if !self.keyUsage.isEmpty {
                try extensions.append(
                    X509.Certificate.Extension(self.keyUsage.x509, critical: true)
                )
            }
            if !self.extendedKeyUsages.isEmpty {
                let usages = try X509.ExtendedKeyUsage(self.extendedKeyUsages.map { try $0.x509() })
                try extensions.append(X509.Certificate.Extension(usages, critical: false))
            }
            if !self.alternativeNames.isEmpty {
                // Critical when there is no subject to go by (RFC 5280 section 4.2.1.6).
                let noSubject = self.subject == Subject(commonName: "")
                try extensions.append(
                    X509.Certificate.Extension(self.alternativeNames.x509, critical: noSubject)
                )
            }
        } catch let error as PKIError {
            throw error
        } catch {
            throw .invalidTemplate(String(describing: error))
        }
        return extensions
    }
}
