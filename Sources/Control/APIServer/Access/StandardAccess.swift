// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Access
package import Admission
package import Authentication
import Authorization
import ObjectModel
package import PKI
import ResourceTable

extension AccessParts {
    /// What decides about access in a cluster.
    package struct Options: Sendable {
        /// Whose certificates are clients'.
        package var authorities: [Certificate] = []
        /// What makes and reads tokens of service accounts; nil for none.
        package var issuer: ServiceAccountIssuer?
        /// Tokens from a file.
        package var tokens: TokenFileAuthenticator?
        package var allowsBootstrapTokens = true
        package var anonymous = RequestAuthenticator.AnonymousAccess.health
        /// `Node`, `RBAC`, `AlwaysAllow`, in the order in which they are asked.
        package var authorizationModes = ["Node", "RBAC"]
        /// Plugins that are there only when they are asked for.
        package var enabledPlugins: Set<String> = []
        /// Settings of plugins.
        package var admission = AdmissionSettings()
        /// Plugins that are left out.
        package var disabledPlugins: Set<String> = []

        package init() {}
    }

    /// Whether there is an admission plugin of a name.
    package static func hasPlugin(_ name: String) -> Bool {
        AdmissionChain.standardNames.contains(name)
            || AdmissionChain.optional.contains { $0.name == name }
    }

    /// Upstream's authenticators, authorizers and admission plugins.
    package static func standard(_ options: Options, _ objects: any ObjectWriter) -> AccessParts {
        var authenticators: [any Authenticator] = [
            CertificateAuthenticator(authorities: options.authorities)
        ]
        if let tokens = options.tokens { authenticators.append(tokens) }
        if let issuer = options.issuer {
            authenticators.append(ServiceAccountAuthenticator(issuer, objects))
        }
        if options.allowsBootstrapTokens {
            authenticators.append(BootstrapTokenAuthenticator(objects))
        }
        let authenticator = RequestAuthenticator(authenticators, anonymous: options.anonymous)
        let rbac = RBACAuthorizer(objects)
        var authorizers: [any Authorizer] = [MastersAuthorizer()]
        for mode in options.authorizationModes {
            switch mode {
            case "Node": authorizers.append(NodeAuthorizer(objects))
            case "RBAC": authorizers.append(rbac)
            case "AlwaysAllow": authorizers.append(AlwaysAllowAuthorizer())
            default: continue
            }
        }
        let authorizer = AuthorizerChain(authorizers)
        var plugins = AdmissionChain.plugins(
            objects,
            authorizer: authorizer,
            settings: options.admission
        )
        plugins += AdmissionChain.optional.filter { options.enabledPlugins.contains($0.name) }
        let hasRBAC = options.authorizationModes.contains("RBAC")
        if hasRBAC { plugins.append(EscalationCheck(rbac, authorizer: authorizer)) }
        plugins.removeAll { options.disabledPlugins.contains($0.name) }
        var parts = AccessParts(
            authenticator: authenticator,
            authorizer: authorizer,
            admission: AdmissionChain(plugins),
            reviews: Self.reviews(options, authenticator, authorizer, objects)
        )
        parts.issuer = options.issuer
        if hasRBAC {
            let reconciler = BootstrapReconciler(objects)
            parts.prepare = {
                do throws(StatusError) {
                    try await reconciler.run()
                    return nil
                } catch {
                    return error
                }
            }
        }
        return parts
    }

    private static func reviews(
        _ options: Options,
        _ authenticator: any Authenticator,
        _ authorizer: any Authorizer,
        _ objects: any ObjectWriter
    ) -> [GroupResource: any ReviewEndpoint] {
        let users = UserReviews(authenticator, audiences: options.issuer?.audiences ?? [])
        let access = AccessReviews(authorizer)
        var reviews: [GroupResource: any ReviewEndpoint] = [:]
        for name in ["tokenreviews", "selfsubjectreviews"] {
            reviews[GroupResource(group: "authentication.k8s.io", resource: name)] = users
        }
        for name in [
            "subjectaccessreviews", "localsubjectaccessreviews", "selfsubjectaccessreviews",
            "selfsubjectrulesreviews",
        ] {
            reviews[GroupResource(group: "authorization.k8s.io", resource: name)] = access
        }
        if let issuer = options.issuer {
            reviews[GroupResource(group: "", resource: "serviceaccounts/token")] =
                TokenRequests(issuer, objects)
        }
        return reviews
    }
}
