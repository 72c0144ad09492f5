// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

/// What a key may be used for (RFC 5280 section 4.2.1.3).
public struct KeyUsage: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public static let digitalSignature = KeyUsage(rawValue: 1 << 0)
    /// Also called non-repudiation.
    public static let contentCommitment = KeyUsage(rawValue: 1 << 1)
    public static let keyEncipherment = KeyUsage(rawValue: 1 << 2)
    public static let dataEncipherment = KeyUsage(rawValue: 1 << 3)
    public static let keyAgreement = KeyUsage(rawValue: 1 << 4)
    /// Signing certificates.
    public static let certificateSigning = KeyUsage(rawValue: 1 << 5)
    /// Signing revocation lists.
    public static let crlSigning = KeyUsage(rawValue: 1 << 6)
    public static let encipherOnly = KeyUsage(rawValue: 1 << 7)
    public static let decipherOnly = KeyUsage(rawValue: 1 << 8)

    init(_ usage: X509.KeyUsage) {
        var set: KeyUsage = []
        if usage.digitalSignature { set.insert(.digitalSignature) }
        if usage.nonRepudiation { set.insert(.contentCommitment) }
        if usage.keyEncipherment { set.insert(.keyEncipherment) }
        if usage.dataEncipherment { set.insert(.dataEncipherment) }
        if usage.keyAgreement { set.insert(.keyAgreement) }
        if usage.keyCertSign { set.insert(.certificateSigning) }
        if usage.cRLSign { set.insert(.crlSigning) }
        if usage.encipherOnly { set.insert(.encipherOnly) }
        if usage.decipherOnly { set.insert(.decipherOnly) }
        self = set
    }

    var x509: X509.KeyUsage {
        X509.KeyUsage(
            digitalSignature: self.contains(.digitalSignature),
            nonRepudiation: self.contains(.contentCommitment),
            keyEncipherment: self.contains(.keyEncipherment),
            dataEncipherment: self.contains(.dataEncipherment),
            keyAgreement: self.contains(.keyAgreement),
            keyCertSign: self.contains(.certificateSigning),
            cRLSign: self.contains(.crlSigning),
            encipherOnly: self.contains(.encipherOnly),
            decipherOnly: self.contains(.decipherOnly)
        )
    }
}

/// What a certificate may be used for (RFC 5280 section 4.2.1.12): an object identifier.
public struct ExtendedKeyUsage: RawRepresentable, Hashable, Sendable {
    /// The object identifier in dotted form.
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// TLS server.
    public static let serverAuthentication = ExtendedKeyUsage(rawValue: "1.3.6.1.5.5.7.3.1")
    /// TLS client.
    public static let clientAuthentication = ExtendedKeyUsage(rawValue: "1.3.6.1.5.5.7.3.2")
    /// Signing of code.
    public static let codeSigning = ExtendedKeyUsage(rawValue: "1.3.6.1.5.5.7.3.3")
    /// E-mail.
    public static let emailProtection = ExtendedKeyUsage(rawValue: "1.3.6.1.5.5.7.3.4")
    /// Time stamps.
    public static let timeStamping = ExtendedKeyUsage(rawValue: "1.3.6.1.5.5.7.3.8")
    /// Signing of OCSP responses.
    public static let ocspSigning = ExtendedKeyUsage(rawValue: "1.3.6.1.5.5.7.3.9")
    /// Everything.
    public static let any = ExtendedKeyUsage(rawValue: "2.5.29.37.0")

    init(_ usage: X509.ExtendedKeyUsage.Usage) {
        self.init(rawValue: ASN1ObjectIdentifier(usage).description)
    }

    func x509() throws(PKIError) -> X509.ExtendedKeyUsage.Usage {
        guard let identifier = try? ASN1ObjectIdentifier(dotRepresentation: self.rawValue) else {
            throw .invalidTemplate("'\(self.rawValue)' is no object identifier")
        }
        return X509.ExtendedKeyUsage.Usage(oid: identifier)
    }
}
