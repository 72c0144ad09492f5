// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf

/// Answers TokenReview, who a token is, and SelfSubjectReview, who one is oneself.
///
/// Source: kubernetes `pkg/registry/authentication`.
public struct UserReviews: ReviewEndpoint {
    private let authenticator: any Authenticator
    private let audiences: [String]

    /// - Parameters:
    ///   - authenticator: knows tokens; anonymous access is not part of it.
    ///   - audiences: those of the API server.
    public init(_ authenticator: any Authenticator, audiences: [String]) {
        self.authenticator = authenticator
        self.audiences = audiences
    }

    public func create(
        _ object: APIObject,
        _ context: ReviewContext
    ) async throws(StatusError) -> APIObject {
        if var review = object.message(as: AuthenticationV1.SelfSubjectReview.self) {
            review.metadata.creationTimestamp = MetaV1.Time(context.now)
            review.status.userInfo = Self.message(context.user)
            return APIObject(review)
        }
        guard var review = object.message(as: AuthenticationV1.TokenReview.self) else {
            throw .badRequest("not a TokenReview")
        }
        guard !review.spec.token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        let asked = review.spec.audiences.isEmpty ? self.audiences : Array(review.spec.audiences)
        let request = AuthenticationRequest(
            authorization: "Bearer \(review.spec.token)",
            path: "",
            audiences: asked,
            now: context.now
        )
        review.status = AuthenticationV1.TokenReviewStatus()
        do throws(StatusError) {
            if let known = try await self.authenticator.authenticate(request) {
                review.status.authenticated = true
                review.status.user = Self.message(known.user)
                // A token without audiences is for the API server.
                let audiences =
                    known.audiences.isEmpty
                    ? asked.filter(self.audiences.contains) : known.audiences
                review.status.audiences.append(contentsOf: audiences)
            }
        } catch {
            review.status.error = "[invalid bearer token, \(error.message)]"
        }
        return APIObject(review)
    }

    private static func message(_ user: UserInfo) -> AuthenticationV1.UserInfo {
        .with {
            $0.username = user.name
            $0.uid = user.uid
            $0.groups.append(contentsOf: user.groups)
            for (key, values) in user.extra {
                $0.extra[key] = .with { $0.items.append(contentsOf: values) }
            }
        }
    }
}
