// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access

/// Allows everything to the members of `system:masters`, whatever roles and bindings say: the way
/// back into a cluster whose rules are broken.
public struct MastersAuthorizer: Authorizer {
    public init() {}

    public func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision {
        attributes.user.isMaster ? .allow(reason: "") : .noOpinion(reason: "")
    }
}

/// `--authorization-mode=AlwaysAllow`, for tests and single-user machines.
public struct AlwaysAllowAuthorizer: Authorizer {
    public init() {}

    public func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision {
        .allow(reason: "")
    }
}

extension AuthorizerChain {
    /// What an API server has with `--authorization-mode=Node,RBAC`.
    public static func standard(_ objects: any ObjectReader) -> AuthorizerChain {
        AuthorizerChain([
            MastersAuthorizer(), NodeAuthorizer(objects), RBACAuthorizer(objects),
        ])
    }
}
