// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Crypto
internal import SwiftASN1
internal import _CryptoExtras

// MARK: - PEM

extension PrivateKey {
    /// Labels of the PEM blocks that hold a private key.
    private static let pkcs8Label = "PRIVATE KEY"
    private static let sec1Label = "EC PRIVATE KEY"
    private static let pkcs1Label = "RSA PRIVATE KEY"
    private static let encryptedLabel = "ENCRYPTED PRIVATE KEY"

    /// The first private key in a PEM text: PKCS#8, SEC1 (EC) or PKCS#1 (RSA).
    ///
    /// Other blocks, such as certificates or `EC PARAMETERS`, may stand around it.
    public init(pem: some Collection<UInt8>) throws(PKIError) {
        let blocks = try PEM.parse(pem)
        for block in blocks {
            switch block.label {
            case PrivateKey.pkcs8Label:
                try self.init(pkcs8: block.content)
                return
            case PrivateKey.sec1Label:
                try self.init(sec1: block.content)
                return
            case PrivateKey.pkcs1Label:
                try self.init(pkcs1: block.content)
                return
            case PrivateKey.encryptedLabel:
                throw .unsupportedKey("the key is encrypted with a password")
            default:
                continue
            }
        }
        throw .missingPEMBlock(wanted: PrivateKey.pkcs8Label, found: blocks.map(\.label))
    }

    /// The first private key in a PEM text.
    public init(pem: String) throws(PKIError) {
        try self.init(pem: Array(pem.utf8))
    }

    /// PKCS#8 as PEM text (`PRIVATE KEY`), which everything reads.
    public var pem: String {
        PEM.encode(label: PrivateKey.pkcs8Label, content: self.pkcs8)
    }

    /// The key's own form as PEM text, as kubeadm writes it: SEC1 (`EC PRIVATE KEY`) or PKCS#1
    /// (`RSA PRIVATE KEY`); PKCS#8 for Ed25519, which has no other.
    public var traditionalPEM: String {
        switch self.backing {
        case .rsa(let key):
            PEM.encode(label: PrivateKey.pkcs1Label, content: [UInt8](key.derRepresentation))
        case .p256, .p384, .p521:
            PEM.encode(label: PrivateKey.sec1Label, content: self.sec1)
        case .ed25519:
            self.pem
        }
    }
}

// MARK: - DER

extension PrivateKey {
    /// A key in PKCS#8 (RFC 5958, version 0): P-256, P-384, P-521, Ed25519, or RSA from 2,048 bits.
    public init(der: [UInt8]) throws(PKIError) {
        try self.init(pkcs8: der)
    }

    private init(pkcs8 der: [UInt8]) throws(PKIError) {
        try PrivateKey.checkSize(der)
        let content: PKCS8
        do {
            content = try PKCS8(derEncoded: der)
        } catch {
            throw .malformedKey("PKCS#8: \(error)")
        }
        switch content.algorithm {
        case .ecPublicKey:
            guard let parameters = content.curve else {
                throw .unsupportedKey("an EC key without a named curve")
            }
            try self.init(sec1: content.key, curve: parameters)
        case .rsaEncryption:
            try self.init(pkcs1: content.key)
        case .ed25519:
            try self.init(ed25519: content.key)
        default:
            throw .unsupportedKey("algorithm \(content.algorithm)")
        }
    }

    private init(sec1 der: [UInt8], curve outer: ASN1ObjectIdentifier? = nil) throws(PKIError) {
        try PrivateKey.checkSize(der)
        let content: SEC1
        do {
            content = try SEC1(derEncoded: der)
        } catch {
            throw .malformedKey("SEC1: \(error)")
        }
        guard let curve = outer ?? content.curve else {
            throw .unsupportedKey("an EC key without a named curve")
        }
        guard content.curve == nil || content.curve == curve else {
            throw .malformedKey("SEC1: names another curve than PKCS#8 around it")
        }
        do {
            switch curve {
            case .p256: self.backing = .p256(try .init(rawRepresentation: content.key))
            case .p384: self.backing = .p384(try .init(rawRepresentation: content.key))
            case .p521: self.backing = .p521(try .init(rawRepresentation: content.key))
            default: throw PKIError.unsupportedKey("curve \(curve)")
            }
        } catch let error as PKIError {
            throw error
        } catch {
            throw .malformedKey("SEC1: \(error)")
        }
    }

    private init(pkcs1 der: [UInt8]) throws(PKIError) {
        try PrivateKey.checkSize(der)
        do {
            // Everything behind the key would be ignored without this look at the outer length.
            _ = try DER.parse(der)
            self.backing = .rsa(try .init(derRepresentation: der))
        } catch {
            throw .malformedKey("PKCS#1: \(error)")
        }
    }

    private init(ed25519 der: [UInt8]) throws(PKIError) {
        do {
            let raw = try ASN1OctetString(derEncoded: der)
            self.backing = .ed25519(try .init(rawRepresentation: raw.bytes))
        } catch {
            throw .malformedKey("Ed25519: \(error)")
        }
    }

    private static func checkSize(_ der: [UInt8]) throws(PKIError) {
        guard der.count <= self.maximumDERBytes else {
            throw .tooLarge(bytes: der.count, limit: self.maximumDERBytes)
        }
    }

    /// The key as PKCS#8 DER.
    var pkcs8: [UInt8] {
        switch self.backing {
        case .p256(let key): [UInt8](key.derRepresentation)
        case .p384(let key): [UInt8](key.derRepresentation)
        case .p521(let key): [UInt8](key.derRepresentation)
        case .rsa(let key): [UInt8](key.pkcs8DERRepresentation)
        case .ed25519(let key): PKCS8.ed25519(rawKey: [UInt8](key.rawRepresentation))
        }
    }

    /// An EC key as SEC1 DER, with its curve and public key; empty for other kinds.
    private var sec1: [UInt8] {
        switch self.backing {
        case .p256(let key):
            SEC1.encode(
                key: [UInt8](key.rawRepresentation),
                curve: .p256,
                publicKey: [UInt8](key.publicKey.x963Representation)
            )
        case .p384(let key):
            SEC1.encode(
                key: [UInt8](key.rawRepresentation),
                curve: .p384,
                publicKey: [UInt8](key.publicKey.x963Representation)
            )
        case .p521(let key):
            SEC1.encode(
                key: [UInt8](key.rawRepresentation),
                curve: .p521,
                publicKey: [UInt8](key.publicKey.x963Representation)
            )
        case .rsa, .ed25519:
            []
        }
    }
}
