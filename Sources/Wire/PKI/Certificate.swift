// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Crypto
internal import SwiftASN1
internal import X509

/// An X.509 certificate whose extensions have all been read: a value of this type is well formed.
///
/// Whether it is to be trusted is for ``CertificateVerifier`` to say.
public struct Certificate: Sendable {
    /// Largest DER of one certificate.
    public static let maximumDERBytes = 64 << 10

    /// The DER as it was read or issued, byte for byte.
    public let der: [UInt8]
    /// The names it vouches for.
    public let alternativeNames: AlternativeNames
    /// What its key may be used for; nil when it does not say.
    public let keyUsage: KeyUsage?
    /// What it may be used for; nil when it does not say.
    public let extendedKeyUsages: [ExtendedKeyUsage]?
    /// Whether it is a CA's, and how many CAs may follow it; nil when it is not a CA's.
    public let authority: Authority?
    /// The identifier of its own key.
    public let subjectKeyIdentifier: [UInt8]?
    /// The identifier of the key that signed it.
    public let authorityKeyIdentifier: [UInt8]?

    let x509: X509.Certificate
    let nameConstraints: X509.NameConstraints?

    /// What a CA may do (RFC 5280 section 4.2.1.9).
    public struct Authority: Hashable, Sendable {
        /// How many CA certificates may stand between it and a leaf; nil for any number.
        public var pathLength: Int?

        /// A CA with this limit.
        public init(pathLength: Int? = nil) {
            self.pathLength = pathLength
        }
    }

    /// Reads a certificate.
    ///
    /// - Throws: `malformedCertificate` also when an extension that this type understands is
    ///   broken, whether critical or not.
    public init(der: [UInt8]) throws(PKIError) {
        guard der.count <= Certificate.maximumDERBytes else {
            throw .tooLarge(bytes: der.count, limit: Certificate.maximumDERBytes)
        }
        let x509: X509.Certificate
        do {
            x509 = try X509.Certificate(derEncoded: der)
            try SignedStructure.checkSignatureBits(der)
        } catch {
            throw .malformedCertificate(String(describing: error))
        }
        try self.init(x509: x509, der: der)
    }

    /// A certificate that was just issued here.
    init(issued x509: X509.Certificate) throws(PKIError) {
        try self.init(x509: x509, der: encodeDER { try $0.serialize(x509) })
    }

    private init(x509: X509.Certificate, der: [UInt8]) throws(PKIError) {
        self.x509 = x509
        self.der = der
        do {
            let extensions = x509.extensions
            self.alternativeNames =
                try extensions.subjectAlternativeNames
                .map(AlternativeNames.init(_:)) ?? AlternativeNames()
            self.keyUsage = try extensions.keyUsage.map(KeyUsage.init(_:))
            self.extendedKeyUsages = try extensions.extendedKeyUsage?
                .map(ExtendedKeyUsage.init(_:))
            self.subjectKeyIdentifier = try extensions.subjectKeyIdentifier
                .map { Array($0.keyIdentifier) }
            self.authorityKeyIdentifier = try extensions.authorityKeyIdentifier?
                .keyIdentifier.map(Array.init)
            self.nameConstraints = try extensions.nameConstraints
            switch try extensions.basicConstraints {
            case .isCertificateAuthority(let pathLength):
                self.authority = Authority(pathLength: pathLength)
            case .notCertificateAuthority, nil:
                self.authority = nil
            }
        } catch let error as PKIError {
            throw error
        } catch {
            throw .malformedCertificate(String(describing: error))
        }
    }
}

// MARK: - Fields

extension Certificate {
    /// Whom it is about.
    public var subject: Subject { Subject(self.x509.subject) }

    /// Who issued it.
    public var issuer: Subject { Subject(self.x509.issuer) }

    /// The first second of its validity.
    public var notBefore: CertificateTime { CertificateTime(self.x509.notValidBefore) }

    /// The last second of its validity.
    public var notAfter: CertificateTime { CertificateTime(self.x509.notValidAfter) }

    /// The issuer's number for it, big endian, as it stands in the DER.
    public var serialNumber: [UInt8] { Array(self.x509.serialNumber.bytes) }

    /// Its key.
    public var publicKey: PublicKey { PublicKey(x509: self.x509.publicKey) }

    /// Whether subject and issuer are the same name.
    public var isSelfIssued: Bool { self.x509.subject == self.x509.issuer }

    /// The SHA-256 of the DER, as browsers and `openssl x509 -fingerprint -sha256` show it.
    public var fingerprint: [UInt8] { Array(SHA256.hash(data: self.der)) }

    /// Whether `time` lies in its validity, both ends included.
    public func isValid(at time: CertificateTime) -> Bool {
        self.notBefore <= time && time <= self.notAfter
    }
}

// MARK: - PEM

extension Certificate {
    static let pemLabel = "CERTIFICATE"

    /// The certificate as PEM text.
    public var pem: String {
        PEM.encode(label: Certificate.pemLabel, content: self.der)
    }

    /// The first certificate of a PEM text.
    public init(pem: some Collection<UInt8>) throws(PKIError) {
        let blocks = try PEM.parse(pem)
        guard let block = blocks.first(where: { $0.label == Certificate.pemLabel }) else {
            throw .missingPEMBlock(wanted: Certificate.pemLabel, found: blocks.map(\.label))
        }
        try self.init(der: block.content)
    }

    /// The first certificate of a PEM text.
    public init(pem: String) throws(PKIError) {
        try self.init(pem: Array(pem.utf8))
    }

    /// All certificates of a PEM text (a chain or a bundle of CAs) in order; other blocks, such as
    /// keys, are passed over.
    ///
    /// - Throws: `missingPEMBlock` when there is none.
    public static func all(pem: some Collection<UInt8>) throws(PKIError) -> [Certificate] {
        let blocks = try PEM.parse(pem)
        var certificates: [Certificate] = []
        for block in blocks where block.label == self.pemLabel {
            certificates.append(try Certificate(der: block.content))
        }
        guard !certificates.isEmpty else {
            throw .missingPEMBlock(wanted: self.pemLabel, found: blocks.map(\.label))
        }
        return certificates
    }
}

// MARK: - Equality

extension Certificate: Hashable {
    /// Two certificates are equal when their DER is.
    public static func == (left: Certificate, right: Certificate) -> Bool {
        left.der == right.der
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.der)
    }
}
