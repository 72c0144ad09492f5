// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
public import ObjectModel
public import PKI
import Scalars

/// Knows clients by their certificates: the common name is the user, organizations are its groups.
///
/// Source: apiserver `pkg/authentication/request/x509/x509.go`.
public struct CertificateAuthenticator: Authenticator {
    private let verifier: CertificateVerifier

    /// - Parameter authorities: those of `--client-ca-file`.
    public init(authorities: [Certificate]) {
        self.verifier = CertificateVerifier(roots: authorities)
    }

    public func authenticate(
        _ request: AuthenticationRequest
    ) async throws(StatusError) -> AuthenticatedUser? {
        guard let peer = request.peer, !peer.chain.isEmpty else { return nil }
        if let user = peer.user(at: request.now) { return AuthenticatedUser(user) }
        let (leaf, chain) = try self.verify(peer, at: request.now)
        let subject = leaf.subject
        guard !subject.commonName.isEmpty else { return nil }
        let user = UserInfo(
            name: subject.commonName,
            groups: subject.organizations,
            extra: [UserExtra.credentialID: ["X509SHA256=\(Self.hex(leaf.fingerprint))"]]
        )
        let end = chain.map(\.notAfter).min() ?? leaf.notAfter
        peer.remember(user, until: Timestamp(seconds: end.secondsSinceEpoch))
        return AuthenticatedUser(user)
    }

    private func verify(
        _ peer: PeerCertificates,
        at now: Timestamp
    ) throws(StatusError) -> (leaf: Certificate, chain: [Certificate]) {
        let leaf: Certificate
        var others: [Certificate] = []
        do throws(PKIError) {
            leaf = try Certificate(der: peer.chain[0])
            for der in peer.chain.dropFirst() { others.append(try Certificate(der: der)) }
        } catch {
            throw .unauthorized("malformed client certificate: \(error)")
        }
        do throws(VerificationError) {
            let chain = try self.verifier.verify(
                leaf,
                intermediates: others,
                purpose: .client,
                at: CertificateTime(secondsSinceEpoch: now.seconds)
            )
            return (leaf, chain)
        } catch {
            throw .unauthorized(
                "verifying certificate of \(leaf.subject) failed: \(error)"
            )
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// Keys of what authenticators say of users beside their names.
package enum UserExtra {
    package static let credentialID = "authentication.kubernetes.io/credential-id"
    package static let podName = "authentication.kubernetes.io/pod-name"
    package static let podUID = "authentication.kubernetes.io/pod-uid"
    package static let nodeName = "authentication.kubernetes.io/node-name"
    package static let nodeUID = "authentication.kubernetes.io/node-uid"
}
