// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
public import ObjectModel
import ResourceTable

/// Acting as another user, by the `Impersonate-*` headers.
///
/// Source: apiserver `pkg/endpoints/filters/impersonation`.
public enum Impersonation {
    private static let userHeader = "impersonate-user"
    private static let groupHeader = "impersonate-group"
    private static let uidHeader = "impersonate-uid"
    private static let extraPrefix = "impersonate-extra-"

    /// Whether a header is one of these; they are not passed on.
    ///
    /// - Parameter name: in lower case.
    public static func isHeader(_ name: String) -> Bool { name.hasPrefix("impersonate-") }

    /// The user that a request acts as; nil when it acts as itself.
    ///
    /// - Parameters:
    ///   - headers: all headers of the request, names in lower case.
    ///   - user: who has been authenticated.
    /// - Throws: 403 when the user may not be the other; 500 for headers without a user, as
    ///   upstream.
    public static func resolve(
        _ headers: some Sequence<(name: String, value: String)>,
        by user: UserInfo,
        _ authorizer: any Authorizer
    ) async throws(StatusError) -> UserInfo? {
        let asked = Asked(headers)
        guard !asked.isEmpty else { return nil }
        guard !asked.user.isEmpty else {
            throw .internalError(
                "requested \(asked.description) without impersonating a user"
            )
        }
        let account = UserInfo(name: asked.user).serviceAccount
        for attributes in Self.permissions(asked, account, user) {
            let decision = await authorizer.authorize(attributes)
            guard decision.isAllowed else {
                throw attributes.forbidden(reason: decision.reason)
            }
        }
        var groups = asked.groups
        if let account, groups.isEmpty {
            groups =
                UserInfo.serviceAccount(namespace: account.namespace, name: account.name)
                .groups
        }
        let isAnonymous = asked.user == UserInfo.anonymous.name
        let marks = [UserInfo.authenticatedGroup, UserInfo.unauthenticatedGroup]
        if !groups.contains(where: marks.contains) {
            groups.append(isAnonymous ? marks[1] : marks[0])
        }
        return UserInfo(name: asked.user, uid: asked.uid, groups: groups, extra: asked.extra)
    }

    /// What the user must be allowed for that.
    private static func permissions(
        _ asked: Asked,
        _ account: (namespace: String, name: String)?,
        _ user: UserInfo
    ) -> [AuthorizationAttributes] {
        func attributes(
            _ resource: String,
            group: String = "",
            subresource: String = "",
            namespace: String = "",
            _ name: String
        ) -> AuthorizationAttributes {
            AuthorizationAttributes(
                user: user,
                verb: "impersonate",
                group: group,
                version: "v1",
                resource: resource,
                subresource: subresource,
                namespace: namespace,
                name: name
            )
        }
        let authentication = "authentication.k8s.io"
        var all: [AuthorizationAttributes] = []
        if let account {
            all.append(
                attributes("serviceaccounts", namespace: account.namespace, account.name)
            )
        } else {
            all.append(attributes("users", asked.user))
        }
        all += asked.groups.map { attributes("groups", $0) }
        if !asked.uid.isEmpty { all.append(attributes("uids", group: authentication, asked.uid)) }
        for (key, values) in asked.extra.sorted(by: { $0.key < $1.key }) {
            all += values.map {
                attributes("userextras", group: authentication, subresource: key, $0)
            }
        }
        return all
    }

    /// What the headers say.
    private struct Asked {
        var user = ""
        var groups: [String] = []
        var uid = ""
        var extra: [String: [String]] = [:]

        init(_ headers: some Sequence<(name: String, value: String)>) {
            for (name, value) in headers {
                switch name {
                case Impersonation.userHeader: if self.user.isEmpty { self.user = value }
                case Impersonation.groupHeader: self.groups.append(value)
                case Impersonation.uidHeader: self.uid = value
                case _ where name.hasPrefix(Impersonation.extraPrefix):
                    let key = Self.unescaped(name.dropFirst(Impersonation.extraPrefix.count))
                    self.extra[key, default: []].append(value)
                default: continue
                }
            }
        }

        var isEmpty: Bool {
            self.user.isEmpty && self.groups.isEmpty && self.uid.isEmpty && self.extra.isEmpty
        }

        var description: String {
            "groups \(self.groups), uid \(self.uid) and extra \(self.extra.keys.sorted())"
        }

        /// Keys are percent-encoded where headers cannot hold them.
        private static func unescaped(_ text: Substring) -> String {
            var bytes: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "%"), rest.count >= 2,
                    let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else {
                    bytes.append(byte)
                    continue
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            }
            return String(decoding: bytes, as: UTF8.self).lowercased()
        }
    }
}
