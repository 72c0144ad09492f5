// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Authorization
import KubernetesAPI
import ObjectModel
import Protobuf
import Scalars
import Testing

@Suite("AccessReviews")
struct AccessReviewsTests {
    static let context = ReviewContext(
        user: RBACAuthorizerTests.member,
        namespace: "shop",
        now: .zero
    )

    private func answer(_ object: APIObject) async throws -> APIObject {
        let reviews = AccessReviews(RBACAuthorizer(RBACAuthorizerTests.cluster()))
        return try await reviews.create(object, Self.context)
    }

    static func pods(_ verb: String, namespace: String = "") -> AuthorizationV1.ResourceAttributes {
        .with {
            $0.verb = verb
            $0.resource = "pods"
            $0.namespace = namespace
        }
    }

    @Test("answers for oneself", arguments: [("get", true), ("delete", false)])
    func oneself(_ verb: String, _ isAllowed: Bool) async throws {
        let review = AuthorizationV1.SelfSubjectAccessReview.with {
            $0.spec.resourceAttributes = Self.pods(verb)
        }
        let answer = try await self.answer(APIObject(review))
            .message(as: AuthorizationV1.SelfSubjectAccessReview.self)
        #expect(answer?.status.allowed == isAllowed)
        #expect(answer?.status.denied == false)
        #expect(answer?.status.reason == (isAllowed ? RBACAuthorizerTests.reads : ""))
    }

    @Test("answers for others")
    func others() async throws {
        let review = AuthorizationV1.SubjectAccessReview.with {
            $0.spec.user = "someone"
            $0.spec.groups = ["team"]
            $0.spec.nonResourceAttributes = .with {
                $0.path = "/metrics"
                $0.verb = "get"
            }
        }
        let answer = try await self.answer(APIObject(review))
            .message(as: AuthorizationV1.SubjectAccessReview.self)
        #expect(answer?.status.allowed == true)
    }

    @Test("refuses reviews that ask for nothing, for both, or about nobody")
    func malformed() async {
        var review = AuthorizationV1.SubjectAccessReview()
        await #expect(throws: StatusError.self) { try await self.answer(APIObject(review)) }
        review.spec.resourceAttributes = Self.pods("get")
        await #expect(throws: StatusError.self) { try await self.answer(APIObject(review)) }
        review.spec.user = "a"
        review.spec.nonResourceAttributes = AuthorizationV1.NonResourceAttributes()
        await #expect(throws: StatusError.self) { try await self.answer(APIObject(review)) }
    }

    @Test("a local review stays in its namespace")
    func local() async throws {
        var review = AuthorizationV1.LocalSubjectAccessReview.with {
            $0.spec.user = "ann"
            $0.spec.resourceAttributes = Self.pods("get", namespace: "other")
        }
        do {
            _ = try await self.answer(APIObject(review))
            Issue.record("allowed")
        } catch let error as StatusError {
            #expect(
                error.message
                    == "spec.resourceAttributes.namespace must match namespace: shop"
            )
        }
        review.spec.resourceAttributes = Self.pods("get", namespace: "shop")
        _ = try await self.answer(APIObject(review))
    }

    @Test("lists what one may do")
    func rules() async throws {
        let review = AuthorizationV1.SelfSubjectRulesReview.with { $0.spec.namespace = "shop" }
        let answer = try await self.answer(APIObject(review))
            .message(as: AuthorizationV1.SelfSubjectRulesReview.self)
        #expect(answer?.status.resourceRules.count == 1)
        #expect(answer?.status.nonResourceRules.first?.nonResourceURLs == ["/metrics", "/logs/*"])
        #expect(answer?.status.incomplete == false)
    }
}
