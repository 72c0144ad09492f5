// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import NameRules
import Synchronization

/// Role-based access control: what is bound to a user is allowed, the rest is somebody else's to
/// allow.
///
/// Source: kubernetes `plugin/pkg/auth/authorizer/rbac/rbac.go`.
public final class RBACAuthorizer: Authorizer {
    private let objects: any ObjectReader
    // Held to take or put a reference; the index is made outside.
    private let index = Mutex<RoleIndex?>(nil)

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    /// The index of the roles and bindings as they are now.
    var current: RoleIndex {
        let generations = RoleIndex.generations(in: self.objects)
        if let index = self.index.withLock({ $0 }), index.generations == generations {
            return index
        }
        let index = RoleIndex(self.objects)
        self.index.withLock { $0 = index }
        return index
    }

    public func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision {
        self.decide(attributes)
    }

    /// The decision, without suspending.
    package func decide(_ attributes: AuthorizationAttributes) -> AuthorizationDecision {
        var failures: [String] = []
        let grant = self.current.firstGrant(
            of: attributes.user,
            in: attributes.namespace
        ) { grant in
            if let failure = grant.failure { failures.append(failure) }
            return grant.rules.contains { $0.allows(attributes) }
        }
        if let grant { return .allow(reason: "RBAC: allowed by \(grant.reason)") }
        return .noOpinion(
            reason: failures.isEmpty ? "" : "RBAC: \(aggregateText(failures))"
        )
    }

    public func rules(of user: UserInfo, in namespace: String) async -> AuthorizationRules? {
        let (rules, failures) = self.current.rules(of: user, in: namespace)
        var answer = AuthorizationRules()
        answer.errors = failures
        for rule in rules {
            if !rule.resources.isEmpty {
                answer.resources.append(
                    .init(
                        verbs: rule.verbs,
                        apiGroups: rule.apiGroups,
                        resources: rule.resources,
                        resourceNames: rule.resourceNames
                    )
                )
            }
            if !rule.paths.isEmpty {
                answer.paths.append(.init(verbs: rule.verbs, paths: rule.paths))
            }
        }
        return answer
    }
}
