// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Clocks
import KubernetesAPI
import ObjectModel
import Protobuf
public import RPCInterface
import ResourceClient
import Synchronization

/// Asks the API server who may see a component's pages, by TokenReview and SubjectAccessReview.
///
/// Answers are kept for ten seconds. While the API server cannot be reached nobody may.
public final class DelegatedAccess: ComponentAccess {
    private struct Subject: Hashable {
        var user: String
        var groups: [String]
    }

    private struct Question: Hashable {
        var subject: Subject
        var path: String
        var verb: String
    }

    private static let keptFor: Duration = .seconds(10)
    private static let maximumKept = 1024

    private let reviews: Client<AuthorizationV1.SubjectAccessReview>
    private let tokens: Client<AuthenticationV1.TokenReview>
    private let clock: any ComponentClock
    private let kept = Mutex<[Question: (decision: ComponentDecision, until: Duration)]>([:])

    public init(_ channel: any RPCChannel, clock: any ComponentClock = SystemClock()) {
        self.reviews = Client(channel)
        self.tokens = Client(channel)
        self.clock = clock
    }

    public func decide(_ request: ComponentRequest) async -> ComponentDecision {
        do throws(StatusError) {
            guard let subject = try await self.subject(of: request) else { return .unauthorized }
            let question = Question(subject: subject, path: request.path, verb: request.verb)
            let now = self.clock.uptime
            if let known = self.kept.withLock({ $0[question] }), now < known.until {
                return known.decision
            }
            let decision = try await self.ask(question)
            self.kept.withLock { kept in
                if kept.count >= Self.maximumKept { kept = [:] }
                kept[question] = (decision, now + Self.keptFor)
            }
            return decision
        } catch {
            return .forbidden(error.message)
        }
    }

    private func subject(of request: ComponentRequest) async throws(StatusError) -> Subject? {
        if let user = request.certificateUser {
            return Subject(
                user: user,
                groups: request.certificateGroups + ["system:authenticated"]
            )
        }
        guard let token = request.bearerToken else {
            return Subject(user: "system:anonymous", groups: ["system:unauthenticated"])
        }
        let review = try await self.tokens.create(
            AuthenticationV1.TokenReview.with { $0.spec.token = token }
        )
        guard review.status.authenticated else { return nil }
        return Subject(
            user: review.status.user.username,
            groups: Array(review.status.user.groups)
        )
    }

    private func ask(_ question: Question) async throws(StatusError) -> ComponentDecision {
        let review = try await self.reviews.create(
            AuthorizationV1.SubjectAccessReview.with {
                $0.spec.user = question.subject.user
                for group in question.subject.groups { $0.spec.groups.append(group) }
                $0.spec.nonResourceAttributes = AuthorizationV1.NonResourceAttributes.with {
                    $0.path = question.path
                    $0.verb = question.verb
                }
            }
        )
        if review.status.allowed { return .allow }
        if question.subject.user == "system:anonymous" { return .unauthorized }
        return .forbidden(
            "User \"\(question.subject.user)\" cannot \(question.verb) path \"\(question.path)\""
        )
    }
}
