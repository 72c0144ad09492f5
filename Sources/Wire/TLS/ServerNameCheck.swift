// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import NIOSSL
import PKI

/// How a client compares a server's certificate with the name that it wanted to reach.
///
/// NIOSSL takes a certificate for the name *or* for the address of the socket, and falls back to
/// the common name; a client that was told a name would accept any server at that address. Go's
/// `x509.Certificate.VerifyHostname` asks for exactly the name, and so do we.
public enum ServerNameCheck: Sendable {
    /// Nothing is compared: verification is off, or this is a server.
    case none
    /// The certificate's alternative names must have the name.
    case exact

    /// Checks what a server showed.
    ///
    /// - Parameter name: a host name or an address; nil, as on a unix socket, fits no certificate.
    /// - Throws: why the certificate does not do.
    public func check(
        _ certificate: NIOSSLCertificate?,
        for name: String?
    ) throws(ServerNameMismatch) {
        guard self == .exact else { return }
        guard let name else { throw .init(reason: "there is no server name to verify") }
        guard let certificate, let der = try? certificate.toDERBytes() else {
            throw .init(reason: "the server has no certificate")
        }
        do {
            try Certificate(der: der).check(name: CertificateVerifier.Name(host: name))
        } catch {
            throw .init(reason: "\(error)")
        }
    }
}

/// A server's certificate is not for the name that was wanted.
public struct ServerNameMismatch: Error, Sendable, CustomStringConvertible {
    /// Why, for people.
    public let reason: String

    public var description: String { self.reason }
}
