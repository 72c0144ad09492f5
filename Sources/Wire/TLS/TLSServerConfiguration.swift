// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a listener needs for TLS. Everything is read from files, and read again when they change.
public struct TLSServerConfiguration: Sendable {
    /// What is asked of a client.
    public enum ClientCertificates: Sendable, Equatable {
        /// Nothing.
        case none
        /// A certificate if it has one; one that does not verify ends the handshake.
        case optional
        /// A certificate that verifies.
        case required
    }

    /// A certificate chain with its private key, in PEM files.
    public struct Identity: Sendable, Equatable {
        public var certificatePath: String
        public var privateKeyPath: String

        public init(certificatePath: String, privateKeyPath: String) {
            self.certificatePath = certificatePath
            self.privateKeyPath = privateKeyPath
        }
    }

    /// The identity shown when no other fits the name the client asks for.
    public var identity: Identity
    /// Identities by the name in SNI: "host.example" or "*.example".
    public var identitiesByName: [String: Identity] = [:]
    /// PEM file of the authorities for client certificates.
    public var clientAuthorityPath: String?
    public var clientCertificates: ClientCertificates = .none
    /// What ALPN offers, best first.
    public var applicationProtocols = ["h2", "http/1.1"]
    /// Whether TLS 1.2 is spoken beside 1.3.
    public var allowsTLS12 = true

    public init(identity: Identity) {
        self.identity = identity
    }
}
