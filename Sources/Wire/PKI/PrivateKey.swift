// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Crypto
internal import SwiftASN1
internal import X509
internal import _CryptoExtras

/// A private key that signs certificates, requests and TLS handshakes.
///
/// It has no textual description, so that it cannot end in a log by accident.
public struct PrivateKey: Sendable {
    /// What kinds of key are made here. More kinds are read; see ``init(der:)``.
    public enum Kind: String, CaseIterable, Sendable {
        /// ECDSA on NIST P-256: the default everywhere in Apus.
        case p256 = "ECDSA-P256"
        /// ECDSA on NIST P-384.
        case p384 = "ECDSA-P384"
        /// RSA with 2,048 bits: kubeadm's default.
        case rsa2048 = "RSA-2048"
        /// RSA with 3,072 bits.
        case rsa3072 = "RSA-3072"
        /// RSA with 4,096 bits.
        case rsa4096 = "RSA-4096"
    }

    /// Largest DER of a key; an RSA key of 16,384 bits takes 9 kB.
    public static let maximumDERBytes = 16 << 10

    enum Backing: Sendable {
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case p521(P521.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
        case rsa(_RSA.Signing.PrivateKey)
    }

    let backing: Backing

    /// A new key, from the system's secure random numbers. RSA takes 50 ms to a second.
    public init(generating kind: Kind = .p256) throws(PKIError) {
        do {
            switch kind {
            case .p256: self.backing = .p256(P256.Signing.PrivateKey())
            case .p384: self.backing = .p384(P384.Signing.PrivateKey())
            case .rsa2048: self.backing = .rsa(try .init(keySize: .bits2048))
            case .rsa3072: self.backing = .rsa(try .init(keySize: .bits3072))
            case .rsa4096: self.backing = .rsa(try .init(keySize: .bits4096))
            }
        } catch {
            throw .unsupportedKey("\(kind.rawValue): \(error)")
        }
    }

    /// The public half.
    public var publicKey: PublicKey {
        PublicKey(x509: self.x509.publicKey)
    }

    /// The key in the form that swift-certificates signs with.
    var x509: X509.Certificate.PrivateKey {
        switch self.backing {
        case .p256(let key): X509.Certificate.PrivateKey(key)
        case .p384(let key): X509.Certificate.PrivateKey(key)
        case .p521(let key): X509.Certificate.PrivateKey(key)
        case .ed25519(let key): X509.Certificate.PrivateKey(key)
        case .rsa(let key): X509.Certificate.PrivateKey(key)
        }
    }

    /// The algorithm that this key signs certificates with: the hash goes with the key's strength.
    var signatureAlgorithm: X509.Certificate.SignatureAlgorithm {
        switch self.backing {
        case .p256: .ecdsaWithSHA256
        case .p384: .ecdsaWithSHA384
        case .p521: .ecdsaWithSHA512
        case .ed25519: .ed25519
        case .rsa: .sha256WithRSAEncryption
        }
    }
}
