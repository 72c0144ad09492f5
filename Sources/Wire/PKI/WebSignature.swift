// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Crypto
internal import X509
internal import _CryptoExtras

// Signatures of JSON Web Tokens (RFC 7518 section 3) and the numbers of keys (section 6).

/// The algorithms that tokens are signed with here.
public enum WebSignatureAlgorithm: String, Hashable, Sendable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
}

/// The numbers of a public key, big-endian.
public enum WebKeyNumbers: Hashable, Sendable {
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// The curve's name, such as `P-256`, and the coordinates in full length.
    case curve(String, x: [UInt8], y: [UInt8])
}

extension PrivateKey {
    /// How the key signs tokens; nil for a kind that does not.
    public var webSignatureAlgorithm: WebSignatureAlgorithm? {
        self.publicKey.webSignatureAlgorithm
    }

    /// The signature of a token's header and payload: PKCS #1 v1.5 for RSA, the two numbers of
    /// full length for curves.
    public func webSignature(of message: [UInt8]) throws(PKIError) -> [UInt8] {
        do {
            switch self.backing {
            case .p256(let key): return Array(try key.signature(for: message).rawRepresentation)
            case .p384(let key): return Array(try key.signature(for: message).rawRepresentation)
            case .p521(let key): return Array(try key.signature(for: message).rawRepresentation)
            case .rsa(let key):
                let digest = SHA256.hash(data: message)
                return Array(
                    try key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation
                )
            case .ed25519: throw PKIError.unsupportedKey("Ed25519 signs no tokens")
            }
        } catch let error as PKIError {
            throw error
        } catch {
            throw .unsupportedKey("signing: \(error)")
        }
    }
}

extension PublicKey {
    private enum Backing {
        case p256(P256.Signing.PublicKey)
        case p384(P384.Signing.PublicKey)
        case p521(P521.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    private var backing: Backing? {
        if let key = P256.Signing.PublicKey(self.x509) { return .p256(key) }
        if let key = P384.Signing.PublicKey(self.x509) { return .p384(key) }
        if let key = P521.Signing.PublicKey(self.x509) { return .p521(key) }
        if let key = _RSA.Signing.PublicKey(self.x509) { return .rsa(key) }
        return nil
    }

    /// How tokens of the key's owner are signed; nil for a kind that signs none.
    public var webSignatureAlgorithm: WebSignatureAlgorithm? {
        switch self.backing {
        case .p256: .es256
        case .p384: .es384
        case .p521: .es512
        case .rsa: .rs256
        case nil: nil
        }
    }

    /// Whether a signature of a token's header and payload is the key's.
    public func isWebSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        switch self.backing {
        case .p256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .p384(let key):
            guard let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .p521(let key):
            guard let signature = try? P521.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        case .rsa(let key):
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature),
                for: SHA256.hash(data: message),
                padding: .insecurePKCS1v1_5
            )
        case nil: return false
        }
    }

    /// The key's numbers, for key sets; nil for a kind that signs no tokens.
    public var webKeyNumbers: WebKeyNumbers? {
        switch self.backing {
        case .p256(let key): Self.point("P-256", Array(key.rawRepresentation))
        case .p384(let key): Self.point("P-384", Array(key.rawRepresentation))
        case .p521(let key): Self.point("P-521", Array(key.rawRepresentation))
        case .rsa(let key):
            (try? key.getKeyPrimitives()).map {
                .rsa(modulus: Array($0.modulus), exponent: Array($0.publicExponent))
            }
        case nil: nil
        }
    }

    private static func point(_ name: String, _ bytes: [UInt8]) -> WebKeyNumbers {
        let half = bytes.count / 2
        return .curve(name, x: Array(bytes[..<half]), y: Array(bytes[half...]))
    }

    /// SHA-256 of the key's DER, by which tokens name their key.
    public var fingerprint: [UInt8] { Array(SHA256.hash(data: self.der)) }
}
