// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Why a certificate is not trusted.
public enum VerificationError: Error, Hashable, Sendable {
    /// Its validity, or that of a CA above it, is over.
    case expired(subject: String, notAfter: CertificateTime)
    /// Its validity, or that of a CA above it, has not begun.
    case notYetValid(subject: String, notBefore: CertificateTime)
    /// No chain of valid signatures leads to a trusted CA; this is the issuer that is unknown.
    case unknownAuthority(issuer: String)
    /// It, or a CA above it, is not for this use.
    case wrongUsage(subject: String, purpose: CertificatePurpose)
    /// It does not vouch for this name but for these.
    case nameMismatch(name: String, certified: [String])
    /// A certificate in the chain is used as a CA and is none, or its key must not sign.
    case notAuthority(subject: String)
    /// More CAs follow this one than it allows.
    case pathTooLong(subject: String, pathLength: Int)
    /// A CA's name constraints forbid this name, or are of a kind that is not understood.
    case nameNotPermitted(name: String, authority: String)
    /// It must not be used without understanding this extension, and we do not.
    case unhandledCriticalExtension(subject: String, identifier: String)
    /// It is signed with SHA-1.
    case weakSignature(subject: String)
    /// The search for a chain took more steps than `CertificateVerifier.maximumSignatureChecks`.
    case tooComplex
}

/// What a certificate is to be used for.
public enum CertificatePurpose: String, Hashable, Sendable {
    /// As a TLS server's.
    case server
    /// As a TLS client's.
    case client
    /// For anything: extended key usages are not looked at.
    case any
}

// MARK: - Text

extension VerificationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .expired(let subject, let notAfter):
            "the certificate of \(subject) expired at \(notAfter)"
        case .notYetValid(let subject, let notBefore):
            "the certificate of \(subject) is not valid before \(notBefore)"
        case .unknownAuthority(let issuer):
            "signed by unknown authority: \(issuer)"
        case .wrongUsage(let subject, let purpose):
            "the certificate of \(subject) is not for use as a \(purpose.rawValue)'s"
        case .nameMismatch(let name, let certified):
            certified.isEmpty
                ? "the certificate is valid for no name, not for \(name)"
                : "the certificate is valid for \(certified.joined(separator: ", ")), not \(name)"
        case .notAuthority(let subject):
            "\(subject) must not issue certificates"
        case .pathTooLong(let subject, let pathLength):
            "\(subject) allows only \(pathLength) authorities below it"
        case .nameNotPermitted(let name, let authority):
            "\(authority) must not certify \(name)"
        case .unhandledCriticalExtension(let subject, let identifier):
            "the certificate of \(subject) has an unknown critical extension: \(identifier)"
        case .weakSignature(let subject):
            "the certificate of \(subject) is signed with SHA-1"
        case .tooComplex:
            "too many possible chains"
        }
    }
}
