// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
public import ObjectModel

/// Asks authenticators in their order, and anonymous access last.
///
/// The first that knows the caller decides. When none does and one has refused credentials, the
/// request is refused, even where anonymous requests are let in. Source: apiserver
/// `pkg/authentication/request/union/union.go`, `pkg/authentication/group`.
public struct RequestAuthenticator: Authenticator {
    private let authenticators: [any Authenticator]
    private let anonymous: AnonymousAccess

    /// Who may come without credentials.
    public enum AnonymousAccess: Sendable {
        case nobody
        case everybody
        /// Only requests for these paths.
        case paths(Set<String>)

        /// Health alone, so that load balancers and kubelets can probe.
        public static let health = AnonymousAccess.paths(["/livez", "/readyz", "/healthz"])
    }

    public init(_ authenticators: [any Authenticator], anonymous: AnonymousAccess = .health) {
        self.authenticators = authenticators
        self.anonymous = anonymous
    }

    public func authenticate(
        _ request: AuthenticationRequest
    ) async throws(StatusError) -> AuthenticatedUser? {
        var refusal: StatusError?
        for authenticator in self.authenticators {
            do throws(StatusError) {
                guard var known = try await authenticator.authenticate(request) else { continue }
                known.user = known.user.adding(groups: Self.groups(of: known.user))
                return known
            } catch {
                refusal = refusal ?? error
            }
        }
        if let refusal { throw refusal }
        let isAnonymous =
            switch self.anonymous {
            case .nobody: false
            case .everybody: true
            case .paths(let paths): paths.contains(request.path)
            }
        // A token that nobody knows is not the same as none.
        if isAnonymous, request.authorization == nil { return AuthenticatedUser(.anonymous) }
        return nil
    }

    private static func groups(of user: UserInfo) -> [String] {
        let known = [UserInfo.authenticatedGroup, UserInfo.unauthenticatedGroup]
        return user.groups.contains(where: known.contains) ? [] : [UserInfo.authenticatedGroup]
    }
}
