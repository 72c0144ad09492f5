// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import JSON
package import PKI

/// A signed JSON Web Token in its compact form. Source: RFC 7515, RFC 7519.
package struct WebToken: Sendable {
    /// Longer texts are not looked at.
    package static let maximumTextBytes = 16 << 10

    package let keyID: String
    package let algorithm: String
    package let claims: DynamicValue
    /// What is signed.
    private let message: [UInt8]
    private let signature: [UInt8]

    /// Reads a token, whose signature is yet to be checked; nil when the text is no token.
    package init?(parsing text: String) {
        guard text.utf8.count <= Self.maximumTextBytes else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]),
            let claims = Self.object(parts[1]),
            let signature = Base64URL.decode(parts[2]),
            let algorithm = header["alg"]?.string,
            // Extensions that must be understood are not (RFC 7515 section 4.1.11).
            header["crit"] == nil
        else { return nil }
        self.keyID = header["kid"]?.string ?? ""
        self.algorithm = algorithm
        self.claims = claims
        self.message = Array("\(parts[0]).\(parts[1])".utf8)
        self.signature = signature
    }

    private static func object(_ part: Substring) -> DynamicValue? {
        guard let bytes = Base64URL.decode(part),
            let value = try? DynamicValue(json: bytes), value.kind == .object
        else { return nil }
        return value
    }

    /// Whether a key has signed the token, with the algorithm of the key and no other.
    package func isSigned(by key: PublicKey) -> Bool {
        key.webSignatureAlgorithm?.rawValue == self.algorithm
            && key.isWebSignature(self.signature, of: self.message)
    }

    /// Signs claims.
    package static func sign(
        _ claims: DynamicValue,
        with key: PrivateKey
    ) throws(PKIError) -> String {
        guard let algorithm = key.webSignatureAlgorithm else {
            throw .unsupportedKey("the key signs no tokens")
        }
        let header: DynamicValue = [
            "alg": DynamicValue(algorithm.rawValue), "kid": DynamicValue(key.publicKey.webKeyID),
        ]
        let message = "\(Base64URL.encode(header.json())).\(Base64URL.encode(claims.json()))"
        let signature = try key.webSignature(of: Array(message.utf8))
        return "\(message).\(Base64URL.encode(signature))"
    }
}

extension PublicKey {
    /// The name of the key in tokens and key sets.
    package var webKeyID: String { Base64URL.encode(self.fingerprint) }
}
