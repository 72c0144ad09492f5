// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Who makes a request.
///
/// A reference, so that a connection's user is handed to all its requests for one count. Source:
/// apiserver `pkg/authentication/user/user.go`.
public final class UserInfo: Sendable {
    /// The name, such as `system:serviceaccount:default:builder`.
    public let name: String
    /// What tells two users apart who have had the same name at different times.
    public let uid: String
    public let groups: [String]
    /// What authenticators say beside, by lower-case key.
    public let extra: [String: [String]]

    public init(
        name: String,
        uid: String = "",
        groups: [String] = [],
        extra: [String: [String]] = [:]
    ) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    /// The same user in more groups.
    public func adding(groups: [String]) -> UserInfo {
        UserInfo(
            name: self.name,
            uid: self.uid,
            groups: self.groups + groups.filter { !self.groups.contains($0) },
            extra: self.extra
        )
    }

    /// Whether the user is in the group whose members may do everything.
    public var isMaster: Bool { self.groups.contains(Self.mastersGroup) }
}

extension UserInfo: Hashable {
    public static func == (left: UserInfo, right: UserInfo) -> Bool {
        left === right
            || left.name == right.name && left.uid == right.uid && left.groups == right.groups
                && left.extra == right.extra
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.name)
        hasher.combine(self.uid)
    }
}

// MARK: - Well-known names

extension UserInfo {
    public static let mastersGroup = "system:masters"
    public static let authenticatedGroup = "system:authenticated"
    public static let unauthenticatedGroup = "system:unauthenticated"
    public static let nodesGroup = "system:nodes"
    public static let serviceAccountsGroup = "system:serviceaccounts"
    /// What names of nodes begin with.
    public static let nodeUserPrefix = "system:node:"
    /// What names of service accounts begin with; namespace, colon and name follow.
    public static let serviceAccountPrefix = "system:serviceaccount:"

    /// A request without credentials.
    public static let anonymous = UserInfo(
        name: "system:anonymous",
        groups: [UserInfo.unauthenticatedGroup]
    )

    /// The API server itself, in calls of its own.
    public static let apiServer = UserInfo(
        name: "system:apiserver",
        groups: [UserInfo.mastersGroup, UserInfo.authenticatedGroup]
    )

    /// The name of the node that the user is; nil for anyone else. A node is known by its name and
    /// its group together. Source: kubernetes `pkg/auth/nodeidentifier/default.go`.
    public var nodeName: String? {
        guard self.name.hasPrefix(Self.nodeUserPrefix), self.groups.contains(Self.nodesGroup)
        else { return nil }
        return String(self.name.dropFirst(Self.nodeUserPrefix.count))
    }

    /// Whether the user is a node, named or not.
    public var isNode: Bool { self.nodeName != nil }

    /// The service account that the user is; nil for anyone else.
    public var serviceAccount: (namespace: String, name: String)? {
        guard self.name.hasPrefix(Self.serviceAccountPrefix) else { return nil }
        let parts = self.name.dropFirst(Self.serviceAccountPrefix.count)
            .split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// The user that a service account is.
    public static func serviceAccount(
        namespace: String,
        name: String,
        uid: String = "",
        extra: [String: [String]] = [:]
    ) -> UserInfo {
        UserInfo(
            name: "\(Self.serviceAccountPrefix)\(namespace):\(name)",
            uid: uid,
            groups: [
                Self.serviceAccountsGroup, "\(Self.serviceAccountsGroup):\(namespace)",
                Self.authenticatedGroup,
            ],
            extra: extra
        )
    }
}
