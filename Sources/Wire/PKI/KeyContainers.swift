// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1

extension ASN1ObjectIdentifier {
    /// id-ecPublicKey (RFC 5480).
    static let ecPublicKey: ASN1ObjectIdentifier = [1, 2, 840, 10_045, 2, 1]
    /// rsaEncryption (RFC 8017).
    static let rsaEncryption: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 1, 1]
    /// id-Ed25519 (RFC 8410).
    static let ed25519: ASN1ObjectIdentifier = [1, 3, 101, 112]
    /// secp256r1 (RFC 5480).
    static let p256: ASN1ObjectIdentifier = [1, 2, 840, 10_045, 3, 1, 7]
    /// secp384r1 (RFC 5480).
    static let p384: ASN1ObjectIdentifier = [1, 3, 132, 0, 34]
    /// secp521r1 (RFC 5480).
    static let p521: ASN1ObjectIdentifier = [1, 3, 132, 0, 35]
}

/// The container of any private key (RFC 5958).
///
///     PrivateKeyInfo ::= SEQUENCE {
///         version     INTEGER (0),
///         algorithm   SEQUENCE { OBJECT IDENTIFIER, parameters ANY OPTIONAL },
///         privateKey  OCTET STRING,
///         attributes  [0] IMPLICIT SET OPTIONAL }
struct PKCS8: DERParseable {
    var algorithm: ASN1ObjectIdentifier
    /// The named curve, of an EC key.
    var curve: ASN1ObjectIdentifier?
    /// What the octet string holds.
    var key: [UInt8]

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let version = try Int(derEncoded: &nodes)
            guard version == 0 else {
                throw ASN1Error.invalidASN1Object(reason: "version \(version)")
            }
            let (algorithm, curve) = try PKCS8.algorithm(&nodes)
            let key = try ASN1OctetString(derEncoded: &nodes)
            // The attributes say nothing that matters here.
            _ = nodes.next()
            return PKCS8(algorithm: algorithm, curve: curve, key: Array(key.bytes))
        }
    }

    private init(algorithm: ASN1ObjectIdentifier, curve: ASN1ObjectIdentifier?, key: [UInt8]) {
        self.algorithm = algorithm
        self.curve = curve
        self.key = key
    }

    private static func algorithm(
        _ nodes: inout ASN1NodeCollection.Iterator
    ) throws -> (ASN1ObjectIdentifier, curve: ASN1ObjectIdentifier?) {
        guard let node = nodes.next() else {
            throw ASN1Error.invalidASN1Object(reason: "no algorithm")
        }
        return try DER.sequence(node, identifier: .sequence) { nodes in
            let algorithm = try ASN1ObjectIdentifier(derEncoded: &nodes)
            let parameters = nodes.next()
            guard let parameters, parameters.identifier == .objectIdentifier else {
                return (algorithm, nil)
            }
            return (algorithm, try ASN1ObjectIdentifier(derEncoded: parameters))
        }
    }

    /// The container around a raw Ed25519 key (RFC 8410 section 7).
    static func ed25519(rawKey: [UInt8]) -> [UInt8] {
        // version 0, algorithm 1.3.101.112, then an octet string in an octet string; every length
        // fits one byte as the key has 32.
        let inner = [0x04, UInt8(truncatingIfNeeded: rawKey.count)] + rawKey
        let head: [UInt8] = [0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70]
        let body = head + [0x04, UInt8(truncatingIfNeeded: inner.count)] + inner
        return [0x30, UInt8(truncatingIfNeeded: body.count)] + body
    }
}

/// The container of an EC private key (RFC 5915).
///
///     ECPrivateKey ::= SEQUENCE {
///         version     INTEGER (1),
///         privateKey  OCTET STRING,
///         parameters  [0] EXPLICIT OBJECT IDENTIFIER OPTIONAL,
///         publicKey   [1] EXPLICIT BIT STRING OPTIONAL }
struct SEC1: DERParseable {
    var key: [UInt8]
    var curve: ASN1ObjectIdentifier?

    init(derEncoded node: ASN1Node) throws {
        self = try DER.sequence(node, identifier: .sequence) { nodes in
            let version = try Int(derEncoded: &nodes)
            guard version == 1 else {
                throw ASN1Error.invalidASN1Object(reason: "version \(version)")
            }
            let key = try ASN1OctetString(derEncoded: &nodes)
            let curve = try DER.optionalExplicitlyTagged(
                &nodes,
                tagNumber: 0,
                tagClass: .contextSpecific
            ) { try ASN1ObjectIdentifier(derEncoded: $0) }
            // The public key follows from the private one.
            _ = try DER.optionalExplicitlyTagged(
                &nodes,
                tagNumber: 1,
                tagClass: .contextSpecific
            ) { try ASN1BitString(derEncoded: $0) }
            return SEC1(key: Array(key.bytes), curve: curve)
        }
    }

    private init(key: [UInt8], curve: ASN1ObjectIdentifier?) {
        self.key = key
        self.curve = curve
    }

    /// The DER of a key with its curve and its uncompressed public point.
    static func encode(
        key: [UInt8],
        curve: ASN1ObjectIdentifier,
        publicKey: [UInt8]
    ) -> [UInt8] {
        encodeDER { coder in
            try coder.appendConstructedNode(identifier: .sequence) { coder in
                try coder.serialize(1)
                try coder.serialize(ASN1OctetString(contentBytes: key[...]))
                try coder.serialize(
                    explicitlyTaggedWithTagNumber: 0,
                    tagClass: .contextSpecific
                ) { try $0.serialize(curve) }
                try coder.serialize(
                    explicitlyTaggedWithTagNumber: 1,
                    tagClass: .contextSpecific
                ) { try $0.serialize(ASN1BitString(bytes: publicKey[...])) }
            }
        }
    }
}

/// The DER that `body` writes, of values whose encoding cannot fail.
func encodeDER(_ body: (inout DER.Serializer) throws -> Void) -> [UInt8] {
    var serializer = DER.Serializer()
    do {
        try body(&serializer)
    } catch {
        preconditionFailure("a value that was parsed or made here has no DER: \(error)")
    }
    return serializer.serializedBytes
}
