// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Access
package import Authentication
package import ObjectModel
import PKI
package import ResourceTable

/// Who may use a server, and what is asked before anything is written.
package struct AccessParts: Sendable {
    package var authenticator: any Authenticator
    package var authorizer: any Authorizer
    package var admission: AdmissionChain
    /// What answers creates of resources that are not stored, and of subresources such as
    /// `serviceaccounts/token`, by resource.
    package var reviews: [GroupResource: any ReviewEndpoint]

    /// Makes what has to exist before anybody is let in, such as roles, and answers why it could
    /// not; tried until it succeeds.
    package var prepare: (@Sendable () async -> StatusError?)?

    /// What makes tokens of service accounts; nil for nothing.
    package var issuer: ServiceAccountIssuer?

    package init(
        authenticator: any Authenticator,
        authorizer: any Authorizer,
        admission: AdmissionChain = AdmissionChain([]),
        reviews: [GroupResource: any ReviewEndpoint] = [:]
    ) {
        self.authenticator = authenticator
        self.authorizer = authorizer
        self.admission = admission
        self.reviews = reviews
    }

    /// Everybody may do everything: for tests.
    package static let open = AccessParts(
        authenticator: CertificateNames(),
        authorizer: EverythingAllowed()
    )
}

/// Takes the name in a certificate that the handshake has verified.
private struct CertificateNames: Authenticator {
    func authenticate(
        _ request: AuthenticationRequest
    ) async throws(StatusError) -> AuthenticatedUser? {
        guard let leaf = request.peer?.chain.first else { return AuthenticatedUser(.anonymous) }
        guard let certificate = try? Certificate(der: leaf) else { throw .unauthorized() }
        return AuthenticatedUser(
            UserInfo(
                name: certificate.subject.commonName,
                groups: certificate.subject.organizations + [UserInfo.authenticatedGroup]
            )
        )
    }
}

private struct EverythingAllowed: Authorizer {
    func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision {
        .allow(reason: "")
    }
}
