// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import KubernetesAPI
import ObjectModel
import PKI
import Protobuf
import RPC
import RPCInterface
import ResourceClient
import Synchronization

/// Who may ask the kubelet for what: the API server decides, by review of tokens and of access.
///
/// Source: upstream `pkg/kubelet/server/auth.go`.
final class NodeAccess: Sendable {
    enum Decision: Sendable, Equatable {
        case allowed
        case unauthorized
        case forbidden(String)
    }

    /// A request as far as access goes.
    struct Request: Sendable, Hashable {
        /// Such as `get`.
        var verb: String
        /// Parts of the resource `nodes`, such as `proxy` or `stats`: a right for one is enough.
        var subresources: [String]
    }

    private struct Question: Hashable {
        var user: String
        var groups: [String]
        var request: Request
    }

    private static let allowedFor: Duration = .seconds(300)
    private static let deniedFor: Duration = .seconds(30)
    private static let maximumKept = 1024

    private let settings: KubeletSettings
    private let channel: (any RPCChannel)?
    private let kept = Mutex<[Question: (decision: Decision, until: ContinuousClock.Instant)]>([:])

    /// - Parameter channel: to the API server; nil without one, and then nobody may.
    init(settings: KubeletSettings, channel: (any RPCChannel)?) {
        self.settings = settings
        self.channel = channel
    }

    func decide(
        _ request: Request,
        certificates: [[UInt8]],
        token: String?
    ) async -> Decision {
        if !self.settings.usesWebhookAuthorization { return .allowed }
        guard let channel = self.channel else { return .unauthorized }
        var user = "system:anonymous"
        var groups = ["system:unauthenticated"]
        if let der = certificates.first, let leaf = try? Certificate(der: der),
            !leaf.subject.commonName.isEmpty
        {
            user = leaf.subject.commonName
            groups = leaf.subject.organizations + ["system:authenticated"]
        } else if let token {
            let review = try? await Client<AuthenticationV1.TokenReview>(channel).create(
                AuthenticationV1.TokenReview.with { $0.spec.token = token }
            )
            guard let review, review.status.authenticated else { return .unauthorized }
            user = review.status.user.username
            groups = Array(review.status.user.groups)
        } else if !self.settings.allowsAnonymous {
            return .unauthorized
        }
        return await self.ask(Question(user: user, groups: groups, request: request), channel)
    }

    private func ask(_ question: Question, _ channel: any RPCChannel) async -> Decision {
        if let known = self.kept.withLock({ $0[question] }), .now < known.until {
            return known.decision
        }
        let client = Client<AuthorizationV1.SubjectAccessReview>(channel)
        let request = question.request
        var decision = Decision.forbidden(
            "Forbidden (user=\(question.user), verb=\(request.verb), resource=nodes, "
                + "subresource(s)=[\(request.subresources.joined(separator: " "))])\n"
        )
        for subresource in request.subresources where decision != .allowed {
            do throws(StatusError) {
                let answer = try await client.create(self.review(question, subresource))
                if answer.status.allowed { decision = .allowed }
            } catch {
                return .forbidden("Authorization error: \(error.message)")
            }
        }
        let time = decision == .allowed ? Self.allowedFor : Self.deniedFor
        self.kept.withLock { kept in
            if kept.count >= Self.maximumKept { kept = [:] }
            kept[question] = (decision, .now + time)
        }
        return decision
    }

    private func review(
        _ question: Question,
        _ subresource: String
    ) -> AuthorizationV1.SubjectAccessReview {
        AuthorizationV1.SubjectAccessReview.with {
            $0.spec.user = question.user
            $0.spec.groups = RepeatedField(question.groups)
            $0.spec.resourceAttributes = AuthorizationV1.ResourceAttributes.with {
                $0.verb = question.request.verb
                $0.version = "v1"
                $0.resource = "nodes"
                $0.subresource = subresource
                $0.name = self.settings.nodeName
            }
        }
    }
}

/// Lets RPC calls through to the node's service.
struct NodeAccessInterceptor: ServerInterceptor {
    let access: NodeAccess

    func intercept(
        _ context: ServerContext,
        next: () async throws -> Void
    ) async throws {
        let header = context.metadata["authorization"] ?? ""
        let decision = await self.access.decide(
            Self.request(context.method.name),
            certificates: context.peer.certificates,
            token: header.hasPrefix("Bearer ") ? String(header.dropFirst(7)) : nil
        )
        switch decision {
        case .allowed: try await next()
        case .unauthorized: throw RPCError(code: .unauthenticated, message: "Unauthorized")
        case .forbidden(let reason): throw RPCError(code: .permissionDenied, message: reason)
        }
    }

    private static func request(_ method: String) -> NodeAccess.Request {
        switch method {
        case "Stats": NodeAccess.Request(verb: "get", subresources: ["stats"])
        case "Pods": NodeAccess.Request(verb: "get", subresources: ["pods", "proxy"])
        case "Logs": NodeAccess.Request(verb: "get", subresources: ["proxy"])
        default: NodeAccess.Request(verb: "create", subresources: ["proxy"])
        }
    }
}
