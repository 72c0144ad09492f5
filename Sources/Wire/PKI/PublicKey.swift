// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1
internal import X509

/// The public half of a key: P-256, P-384, P-521, Ed25519, or RSA from 2,048 bits.
public struct PublicKey: Hashable, Sendable {
    private static let label = "PUBLIC KEY"

    let x509: X509.Certificate.PublicKey

    init(x509: X509.Certificate.PublicKey) {
        self.x509 = x509
    }

    /// A key from its `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    public init(der: [UInt8]) throws(PKIError) {
        guard der.count <= PrivateKey.maximumDERBytes else {
            throw .tooLarge(bytes: der.count, limit: PrivateKey.maximumDERBytes)
        }
        do {
            self.x509 = try X509.Certificate.PublicKey(derEncoded: der)
        } catch {
            throw .malformedKey("SubjectPublicKeyInfo: \(error)")
        }
    }

    /// The first `PUBLIC KEY` block of a PEM text.
    public init(pem: some Collection<UInt8>) throws(PKIError) {
        let blocks = try PEM.parse(pem)
        guard let block = blocks.first(where: { $0.label == PublicKey.label }) else {
            throw .missingPEMBlock(wanted: PublicKey.label, found: blocks.map(\.label))
        }
        try self.init(der: block.content)
    }

    /// The first `PUBLIC KEY` block of a PEM text.
    public init(pem: String) throws(PKIError) {
        try self.init(pem: Array(pem.utf8))
    }

    /// The key's `SubjectPublicKeyInfo`.
    public var der: [UInt8] {
        encodeDER { try $0.serialize(self.x509) }
    }

    /// The key's `SubjectPublicKeyInfo` as PEM text.
    public var pem: String {
        PEM.encode(label: PublicKey.label, content: self.der)
    }
}

// MARK: - Text

extension PublicKey: CustomStringConvertible {
    /// The kind of key, such as `P256` or `RSA2048`.
    public var description: String {
        let text = self.x509.description
        return text.hasSuffix(".PublicKey") ? String(text.dropLast(10)) : text
    }
}
