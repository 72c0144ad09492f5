// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Files that people give to programs: certificates, keys, lists of tokens.
public enum CredentialFile {
    /// The bytes of a file.
    public static func bytes(_ path: String) throws(PKIError) -> [UInt8] {
        try File.read(path)
    }

    /// The certificates of a PEM file, of which there must be one at least.
    public static func certificates(_ path: String) throws(PKIError) -> [Certificate] {
        try Certificate.all(pem: try File.read(path))
    }

    /// The private key of a PEM file.
    public static func privateKey(_ path: String) throws(PKIError) -> PrivateKey {
        try PrivateKey(pem: try File.read(path))
    }

    /// The public key of a PEM file, which may have the private key instead.
    public static func publicKey(_ path: String) throws(PKIError) -> PublicKey {
        let text = try File.read(path)
        do {
            return try PublicKey(pem: text)
        } catch {
            return try PrivateKey(pem: text).publicKey
        }
    }
}
