// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Decides whether a user may do something.
///
/// Called once for each request; implementations answer from memory and suspend only to ask another
/// process.
public protocol Authorizer: Sendable {
    func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision

    /// What a user may do in a namespace, for SelfSubjectRulesReview; nil when this authorizer
    /// cannot say.
    func rules(of user: UserInfo, in namespace: String) async -> AuthorizationRules?
}

extension Authorizer {
    public func rules(of user: UserInfo, in namespace: String) async -> AuthorizationRules? { nil }
}

/// The answer of an authorizer.
public enum AuthorizationDecision: Sendable, Equatable {
    case allow(reason: String)
    /// Forbidden, whatever authorizers after this one would say.
    case deny(reason: String)
    /// Not allowed by this authorizer; the next one is asked, and after the last it is forbidden.
    case noOpinion(reason: String)

    public var isAllowed: Bool {
        if case .allow = self { true } else { false }
    }

    public var reason: String {
        switch self {
        case .allow(let reason), .deny(let reason), .noOpinion(let reason): reason
        }
    }
}

/// What a user may do in a namespace.
public struct AuthorizationRules: Sendable {
    public struct ResourceRule: Sendable, Hashable {
        public var verbs: [String]
        public var apiGroups: [String]
        public var resources: [String]
        public var resourceNames: [String]

        public init(
            verbs: [String],
            apiGroups: [String],
            resources: [String],
            resourceNames: [String] = []
        ) {
            self.verbs = verbs
            self.apiGroups = apiGroups
            self.resources = resources
            self.resourceNames = resourceNames
        }
    }

    public struct PathRule: Sendable, Hashable {
        public var verbs: [String]
        public var paths: [String]

        public init(verbs: [String], paths: [String]) {
            self.verbs = verbs
            self.paths = paths
        }
    }

    public var resources: [ResourceRule] = []
    public var paths: [PathRule] = []
    /// Why there may be more than is listed.
    public var errors: [String] = []

    public init() {}
}

/// Asks one authorizer after another. Source: apiserver `pkg/authorization/union/union.go`.
public struct AuthorizerChain: Authorizer {
    private let authorizers: [any Authorizer]

    public init(_ authorizers: [any Authorizer]) {
        self.authorizers = authorizers
    }

    public func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision {
        var reasons: [String] = []
        for authorizer in self.authorizers {
            let decision = await authorizer.authorize(attributes)
            switch decision {
            case .allow, .deny: return decision
            case .noOpinion(let reason):
                if !reason.isEmpty { reasons.append(reason) }
            }
        }
        return .noOpinion(reason: reasons.joined(separator: "\n"))
    }

    public func rules(of user: UserInfo, in namespace: String) async -> AuthorizationRules? {
        var all = AuthorizationRules()
        for authorizer in self.authorizers {
            guard let rules = await authorizer.rules(of: user, in: namespace) else { continue }
            all.resources += rules.resources
            all.paths += rules.paths
            all.errors += rules.errors
        }
        return all
    }
}
