// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a certificate that is to be issued shall say.
public struct CertificateTemplate: Hashable, Sendable {
    /// Whom it is about.
    public var subject: Subject
    /// The names it vouches for.
    public var alternativeNames: AlternativeNames
    /// What its key may be used for.
    public var keyUsage: KeyUsage
    /// What it may be used for; empty for no restriction.
    public var extendedKeyUsages: [ExtendedKeyUsage]
    /// Set when it is a CA's.
    public var authority: Certificate.Authority?
    /// How long it is valid, from now on; its issuer's end is its end at the latest.
    public var validity: Duration

    /// Validity of leaf certificates: a year, as kubeadm's.
    public static let defaultValidity = Duration.seconds(365 * 86_400)
    /// Validity of CA certificates: ten years, as kubeadm's.
    public static let defaultAuthorityValidity = Duration.seconds(3_650 * 86_400)
    /// How long before now a new certificate's validity begins, for peers whose clock is behind.
    public static let clockSkew = Duration.seconds(300)

    /// A certificate that says exactly this.
    public init(
        subject: Subject,
        alternativeNames: AlternativeNames = AlternativeNames(),
        keyUsage: KeyUsage = [.digitalSignature, .keyEncipherment],
        extendedKeyUsages: [ExtendedKeyUsage] = [],
        authority: Certificate.Authority? = nil,
        validity: Duration = CertificateTemplate.defaultValidity
    ) {
        self.subject = subject
        self.alternativeNames = alternativeNames
        self.keyUsage = keyUsage
        self.extendedKeyUsages = extendedKeyUsages
        self.authority = authority
        self.validity = validity
    }

    /// A CA's certificate.
    public static func authority(
        _ commonName: String,
        pathLength: Int? = nil,
        validity: Duration = CertificateTemplate.defaultAuthorityValidity
    ) -> CertificateTemplate {
        CertificateTemplate(
            subject: Subject(commonName: commonName),
            keyUsage: [.digitalSignature, .keyEncipherment, .certificateSigning, .crlSigning],
            authority: Certificate.Authority(pathLength: pathLength),
            validity: validity
        )
    }

    /// A TLS server's certificate for `hosts`, which are DNS names and IP addresses.
    public static func server(
        _ commonName: String,
        hosts: some Sequence<String>,
        validity: Duration = CertificateTemplate.defaultValidity
    ) -> CertificateTemplate {
        CertificateTemplate(
            subject: Subject(commonName: commonName),
            alternativeNames: AlternativeNames(hosts: hosts),
            extendedKeyUsages: [.serverAuthentication],
            validity: validity
        )
    }

    /// A TLS client's certificate: the user `commonName` in the groups `organizations`.
    public static func client(
        _ commonName: String,
        organizations: [String] = [],
        validity: Duration = CertificateTemplate.defaultValidity
    ) -> CertificateTemplate {
        CertificateTemplate(
            subject: Subject(commonName: commonName, organizations: organizations),
            extendedKeyUsages: [.clientAuthentication],
            validity: validity
        )
    }
}
