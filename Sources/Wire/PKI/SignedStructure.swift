// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import SwiftASN1

/// The frame that certificates and requests share.
///
///     SEQUENCE {
///         content             SEQUENCE,
///         signatureAlgorithm  SEQUENCE,
///         signature           BIT STRING }
enum SignedStructure {
    /// Throws when the signature's bit string does not end at a byte.
    ///
    /// swift-certificates ignores the count of unused bits, so that a certificate whose last bit
    /// happens to be zero would have a second form with the same, valid signature. Signatures are
    /// whole bytes (RFC 5280 section 4.1.1.3), and a certificate has one form only.
    static func checkSignatureBits(_ der: [UInt8]) throws {
        let bits = try DER.sequence(DER.parse(der), identifier: .sequence) { nodes in
            _ = (nodes.next(), nodes.next())
            return try ASN1BitString(derEncoded: &nodes)
        }
        guard bits.paddingBits == 0 else {
            throw ASN1Error.invalidASN1Object(reason: "a signature of broken bytes")
        }
    }
}
