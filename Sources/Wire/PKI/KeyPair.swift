// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A certificate with the chain that leads to a CA, and its private key: what a TLS endpoint shows.
public struct KeyPair: Sendable {
    /// The certificate first, then the intermediate CAs; at least one.
    public let chain: [Certificate]
    /// The key of the first.
    public let key: PrivateKey

    /// The certificate of the endpoint itself.
    public var certificate: Certificate { self.chain[0] }

    /// A pair; throws `keyDoesNotMatch` unless they belong together.
    public init(chain: [Certificate], key: PrivateKey) throws(PKIError) {
        guard let first = chain.first, first.publicKey == key.publicKey else {
            throw .keyDoesNotMatch
        }
        self.chain = chain
        self.key = key
    }

    /// A pair from PEM texts, which may be the same text.
    public init(
        certificatePEM: some Collection<UInt8>,
        keyPEM: some Collection<UInt8>
    ) throws(PKIError) {
        try self.init(
            chain: try Certificate.all(pem: certificatePEM),
            key: try PrivateKey(pem: keyPEM)
        )
    }

    /// A pair from PEM files, which may be the same file.
    public init(certificateFile: String, keyFile: String) throws(PKIError) {
        try self.init(
            certificatePEM: try File.read(certificateFile),
            keyPEM: try File.read(keyFile)
        )
    }

    /// The chain as PEM text.
    public var chainPEM: String {
        self.chain.map(\.pem).joined()
    }

    /// Writes both files, each atomically; the key first, so that a reader who sees the new
    /// certificate finds its key. The key's file is readable by its owner alone.
    public func write(certificateFile: String, keyFile: String) throws(PKIError) {
        try File.write(self.key.pem.utf8, to: keyFile, mode: File.secretMode)
        try File.write(self.chainPEM.utf8, to: certificateFile, mode: File.publicMode)
    }
}
