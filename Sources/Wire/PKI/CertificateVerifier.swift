// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

/// Finds a chain of signatures from a certificate to a trusted CA and checks every rule on the way
/// (RFC 5280 section 6, with the choices that Go's `crypto/x509` makes).
///
/// A value without side effects: the time is an argument, and the work per call is bounded by
/// ``maximumChainLength`` and ``maximumSignatureChecks`` whatever certificates a peer sends.
/// Revocation lists are not looked at, as nowhere in Kubernetes.
public struct CertificateVerifier: Sendable {
    /// Most certificates in a chain, leaf and root included.
    public static let maximumChainLength = 10
    /// Most signatures that are checked for one certificate.
    public static let maximumSignatureChecks = 100

    /// The CAs that are trusted.
    public let roots: [Certificate]

    /// A name that a server is called by.
    public enum Name: Hashable, Sendable {
        /// A DNS name.
        case dns(String)
        /// An IP address.
        case address(HostAddress)

        /// What reads as an IP address is one, the rest are DNS names.
        public init(host: String) {
            self = HostAddress(host).map { .address($0) } ?? .dns(host)
        }
    }

    /// A verifier that trusts `roots`.
    public init(roots: [Certificate]) {
        self.roots = roots
    }

    /// The chain from `leaf` to a trusted CA, both included.
    ///
    /// - Parameters:
    ///   - intermediates: certificates that may help, usually what the peer sent; not trusted.
    ///   - purpose: what the leaf is used for; every CA in the chain must allow it too.
    ///   - name: what the server is called by; nil not to check. Only alternative names count,
    ///     not the common name.
    /// - Throws: the leaf's own fault first; otherwise the fault of the chain that came furthest.
    public func verify(
        _ leaf: Certificate,
        intermediates: [Certificate] = [],
        purpose: CertificatePurpose,
        name: Name? = nil,
        at now: CertificateTime
    ) throws(VerificationError) -> [Certificate] {
        try leaf.checkAlone(purpose: purpose, at: now)
        if let name { try leaf.check(name: name) }
        var search = Search(
            roots: self.roots,
            intermediates: intermediates,
            purpose: purpose,
            now: now
        )
        return try search.chain(from: leaf)
    }
}

// MARK: - Search

/// A depth-first search for a chain; the root store is asked first at every step.
private struct Search {
    let roots: [Certificate]
    let intermediates: [Certificate]
    let purpose: CertificatePurpose
    let now: CertificateTime

    private var checksLeft = CertificateVerifier.maximumSignatureChecks
    /// The fault of the longest chain that failed, and its length.
    private var failure: (length: Int, error: VerificationError)?

    init(
        roots: [Certificate],
        intermediates: [Certificate],
        purpose: CertificatePurpose,
        now: CertificateTime
    ) {
        self.roots = roots
        self.intermediates = intermediates
        self.purpose = purpose
        self.now = now
    }

    mutating func chain(from leaf: Certificate) throws(VerificationError) -> [Certificate] {
        // A certificate that is trusted itself needs nobody's word.
        if self.roots.contains(leaf) { return [leaf] }
        if let chain = try self.extend([leaf]) { return chain }
        throw self.failure?.error ?? .unknownAuthority(issuer: leaf.issuer.description)
    }

    /// A chain that begins with `chain`, or nil.
    private mutating func extend(_ chain: [Certificate]) throws(VerificationError) -> [Certificate]?
    {
        guard let tip = chain.last, chain.count < CertificateVerifier.maximumChainLength else {
            return nil
        }
        for root in self.roots where try self.canAppend(root, to: chain, tip: tip) {
            return chain + [root]
        }
        for intermediate in self.intermediates {
            guard try self.canAppend(intermediate, to: chain, tip: tip) else { continue }
            if let found = try self.extend(chain + [intermediate]) { return found }
        }
        self.note(.unknownAuthority(issuer: tip.issuer.description), length: chain.count)
        return nil
    }

    /// Whether `issuer` signed the chain's tip and may stand above the chain.
    private mutating func canAppend(
        _ issuer: Certificate,
        to chain: [Certificate],
        tip: Certificate
    ) throws(VerificationError) -> Bool {
        guard issuer.x509.subject == tip.x509.issuer else { return false }
        // The same CA a second time makes a chain that could be shorter.
        let repeated = chain.contains {
            $0.x509.subject == issuer.x509.subject && $0.publicKey == issuer.publicKey
        }
        guard !repeated else { return false }
        guard self.checksLeft > 0 else { throw .tooComplex }
        self.checksLeft -= 1
        guard issuer.hasIssued(tip) else { return false }
        do throws(VerificationError) {
            try tip.checkSignatureStrength()
            try issuer.checkAsAuthority(above: chain)
            try issuer.checkAlone(purpose: self.purpose, at: self.now)
            for certificate in chain {
                try issuer.checkNameConstraints(on: certificate, isLeaf: certificate == chain[0])
            }
            return true
        } catch {
            self.note(error, length: chain.count + 1)
            return false
        }
    }

    private mutating func note(_ error: VerificationError, length: Int) {
        if length > self.failure?.length ?? 0 { self.failure = (length, error) }
    }
}

// MARK: - Rules for one certificate

extension Certificate {
    /// Critical extensions that this implementation acts upon.
    private static let understood: Set<ASN1ObjectIdentifier> = [
        .X509ExtensionID.basicConstraints, .X509ExtensionID.keyUsage,
        .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.subjectAlternativeName,
        .X509ExtensionID.nameConstraints, .X509ExtensionID.subjectKeyIdentifier,
        .X509ExtensionID.authorityKeyIdentifier,
    ]

    /// Validity, critical extensions and use.
    func checkAlone(
        purpose: CertificatePurpose,
        at now: CertificateTime
    ) throws(VerificationError) {
        let subject = self.subject.description
        guard now >= self.notBefore else {
            throw .notYetValid(subject: subject, notBefore: self.notBefore)
        }
        guard now <= self.notAfter else {
            throw .expired(subject: subject, notAfter: self.notAfter)
        }
        for item in self.x509.extensions
        where item.critical && !Certificate.understood.contains(item.oid) {
            throw .unhandledCriticalExtension(
                subject: subject,
                identifier: item.oid.description
            )
        }
        guard self.allows(purpose) else { throw .wrongUsage(subject: subject, purpose: purpose) }
    }

    private func allows(_ purpose: CertificatePurpose) -> Bool {
        guard let usages = self.extendedKeyUsages else { return true }
        switch purpose {
        case .any: return true
        case .server: return usages.contains(.serverAuthentication) || usages.contains(.any)
        case .client: return usages.contains(.clientAuthentication) || usages.contains(.any)
        }
    }

    /// SHA-1 signatures can be forged.
    func checkSignatureStrength() throws(VerificationError) {
        let weak: [X509.Certificate.SignatureAlgorithm] = [.sha1WithRSAEncryption]
        guard !weak.contains(self.x509.signatureAlgorithm) else {
            throw .weakSignature(subject: self.subject.description)
        }
    }

    /// Whether this may be the CA above `chain`, which begins with the leaf.
    func checkAsAuthority(above chain: [Certificate]) throws(VerificationError) {
        let usage = self.keyUsage ?? .certificateSigning
        guard let authority = self.authority, usage.contains(.certificateSigning) else {
            throw .notAuthority(subject: self.subject.description)
        }
        guard let pathLength = authority.pathLength else { return }
        // Certificates that a CA issued to itself do not count (RFC 5280 section 4.2.1.9).
        let below = chain.dropFirst().count { !$0.isSelfIssued }
        guard below <= pathLength else {
            throw .pathTooLong(subject: self.subject.description, pathLength: pathLength)
        }
    }
}
