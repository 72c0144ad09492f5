// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
public import JSON
public import PKI

/// The keys and names that tokens of service accounts are made and known by.
///
/// Source: kubernetes `pkg/serviceaccount/jwt.go`, `pkg/serviceaccount/openidmetadata.go`.
public struct ServiceAccountIssuer: Sendable {
    /// The issuers whose tokens are good; the first one is written into new tokens.
    public let issuers: [String]
    /// Who tokens are for when nobody says otherwise.
    public let audiences: [String]
    /// Signs new tokens; nil where none are made.
    public let signingKey: PrivateKey?
    /// What tokens may be signed with, the signing key's public half included.
    public let verificationKeys: [PublicKey]
    /// The longest life of a token in seconds, from `--service-account-max-token-expiration`.
    public let maximumExpirationSeconds: Int64?
    /// Whether tokens that pods get outlive their renewal, so that clients which read them once go
    /// on working; they are warned of.
    public let extendsExpiration: Bool

    public init(
        issuers: [String],
        audiences: [String] = [],
        signingKey: PrivateKey?,
        verificationKeys: [PublicKey] = [],
        maximumExpirationSeconds: Int64? = nil,
        extendsExpiration: Bool = true
    ) {
        self.issuers = issuers
        self.audiences = audiences.isEmpty ? Array(issuers.prefix(1)) : audiences
        self.signingKey = signingKey
        var keys = verificationKeys
        if let own = signingKey?.publicKey, !keys.contains(own) { keys.insert(own, at: 0) }
        self.verificationKeys = keys
        self.maximumExpirationSeconds = maximumExpirationSeconds
        self.extendsExpiration = extendsExpiration
    }

    /// The name in new tokens.
    public var issuer: String { self.issuers.first ?? "" }

    /// The keys that a token may be signed with: those of its key's name, or all without a name.
    func keys(named keyID: String) -> [PublicKey] {
        if keyID.isEmpty { return self.verificationKeys }
        let named = self.verificationKeys.filter { $0.webKeyID == keyID }
        return named.isEmpty ? self.verificationKeys : named
    }
}

// MARK: - Discovery

extension ServiceAccountIssuer {
    public static let keySetPath = "/openid/v1/jwks"
    public static let configurationPath = "/.well-known/openid-configuration"

    /// The document at ``configurationPath``.
    ///
    /// - Parameter keySetURI: of `--service-account-jwks-uri`, or the server's own.
    public func configuration(keySetURI: String) -> DynamicValue {
        let algorithms = Set(
            self.verificationKeys.compactMap { $0.webSignatureAlgorithm?.rawValue }
        ).sorted()
        return [
            "issuer": DynamicValue(self.issuer), "jwks_uri": DynamicValue(keySetURI),
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": DynamicValue(
                algorithms.map { DynamicValue($0) }
            ),
        ]
    }

    /// The JSON Web Key Set at ``keySetPath`` (RFC 7517 section 5).
    public var keySet: DynamicValue {
        ["keys": DynamicValue(self.verificationKeys.compactMap(Self.webKey))]
    }

    private static func webKey(_ key: PublicKey) -> DynamicValue? {
        guard let algorithm = key.webSignatureAlgorithm, let numbers = key.webKeyNumbers else {
            return nil
        }
        var entry: DynamicValue = [
            "use": "sig", "kid": DynamicValue(key.webKeyID),
            "alg": DynamicValue(algorithm.rawValue),
        ]
        switch numbers {
        case .rsa(let modulus, let exponent):
            entry["kty"] = "RSA"
            entry["n"] = DynamicValue(Base64URL.encode(modulus))
            entry["e"] = DynamicValue(Base64URL.encode(exponent))
        case .curve(let name, let x, let y):
            entry["kty"] = "EC"
            entry["crv"] = DynamicValue(name)
            entry["x"] = DynamicValue(Base64URL.encode(x))
            entry["y"] = DynamicValue(Base64URL.encode(y))
        }
        return entry
    }
}
