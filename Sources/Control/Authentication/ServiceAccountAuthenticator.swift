// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import JSON
import KubernetesAPI
public import ObjectModel
import Protobuf
import ResourceTable
import Scalars
import Synchronization

/// Knows service accounts by the tokens that this cluster has issued.
///
/// The signature of a token is checked once; what it is bound to (account, pod, secret, node) is
/// looked up in the caches for each request, so that a token ends with its pod. Source: kubernetes
/// `pkg/serviceaccount/jwt.go`, `pkg/serviceaccount/claims.go`, `pkg/serviceaccount/legacy.go`.
public final class ServiceAccountAuthenticator: Authenticator {
    private let issuer: ServiceAccountIssuer
    private let objects: any ObjectReader
    /// Claims of tokens whose signature is known to be good. Held for a look-up only.
    private let verified = Mutex<[String: DynamicValue]>([:])

    /// The most tokens that are remembered; then all are forgotten and checked again.
    private static let maximumRemembered = 4096
    static let legacyIssuer = "kubernetes/serviceaccount"

    public init(_ issuer: ServiceAccountIssuer, _ objects: any ObjectReader) {
        self.issuer = issuer
        self.objects = objects
    }

    public func authenticate(
        _ request: AuthenticationRequest
    ) async throws(StatusError) -> AuthenticatedUser? {
        guard let text = request.bearerToken, text.utf8.count <= WebToken.maximumTextBytes,
            let claims = try self.claims(of: text)
        else { return nil }
        let wanted = request.audiences.isEmpty ? self.issuer.audiences : request.audiences
        if claims["iss"]?.string == Self.legacyIssuer {
            // A token without audiences is for the API server alone.
            let audiences = wanted.filter(self.issuer.audiences.contains)
            guard !audiences.isEmpty else { throw .unauthorized("token audiences are invalid") }
            return AuthenticatedUser(try self.legacyUser(claims), audiences: audiences)
        }
        try Self.checkTimes(claims, at: request.now)
        let given = claims["aud"]?.string.map { [$0] } ?? claims["aud"]?.texts ?? []
        let audiences = wanted.filter(given.contains)
        guard !audiences.isEmpty else {
            throw .unauthorized(
                "token audiences \(given) is invalid for the target audiences \(wanted)"
            )
        }
        return AuthenticatedUser(
            try self.user(claims, at: request.now),
            audiences: audiences
        )
    }

    /// The claims of a token that is signed well; nil when it is not of this cluster.
    private func claims(of text: String) throws(StatusError) -> DynamicValue? {
        if let known = self.verified.withLock({ $0[text] }) { return known }
        guard let token = WebToken(parsing: text), let issuer = token.claims["iss"]?.string,
            issuer == Self.legacyIssuer || self.issuer.issuers.contains(issuer)
        else { return nil }
        guard self.issuer.keys(named: token.keyID).contains(where: token.isSigned) else {
            throw .unauthorized("invalid bearer token: the signature is not of a known key")
        }
        self.verified.withLock { known in
            if known.count >= Self.maximumRemembered { known.removeAll(keepingCapacity: true) }
            known[text] = token.claims
        }
        return token.claims
    }

    private static func checkTimes(
        _ claims: DynamicValue,
        at now: Timestamp
    ) throws(StatusError) {
        guard let end = claims["exp"]?.integer else {
            throw .unauthorized("service account token has no expiration")
        }
        if now.seconds >= end { throw .unauthorized("service account token has expired") }
        if let start = claims["nbf"]?.integer, now.seconds < start {
            throw .unauthorized("service account token is not valid yet")
        }
    }

    // MARK: - Bound tokens

    private func user(
        _ claims: DynamicValue,
        at now: Timestamp
    ) throws(StatusError) -> UserInfo {
        guard let own = claims["kubernetes.io"], let namespace = own["namespace"]?.filled,
            let account = own["serviceaccount"], let name = account["name"]?.filled
        else { throw .unauthorized("service account token has no private claims") }
        let uid = account["uid"]?.string ?? ""
        let found = self.object("serviceaccounts", namespace, name)
        guard let found, found.metadata.uid == uid else {
            throw .unauthorized("service account token has been invalidated")
        }
        if Self.isGone(found, at: now) {
            throw .unauthorized("service account \(namespace)/\(name) has been deleted")
        }
        var extra: [String: [String]] = [:]
        if let id = claims["jti"]?.filled { extra[UserExtra.credentialID] = ["JTI=\(id)"] }
        if let secret = own["secret"] {
            try self.check("secrets", namespace, secret, at: now)
        }
        if let pod = own["pod"] {
            try self.check("pods", namespace, pod, at: now)
            extra[UserExtra.podName] = [pod["name"]?.string ?? ""]
            extra[UserExtra.podUID] = [pod["uid"]?.string ?? ""]
        }
        if let node = own["node"] {
            // The node of a pod is told, not checked: it may go before the pod does.
            if own["pod"] == nil { try self.check("nodes", "", node, at: now) }
            extra[UserExtra.nodeName] = [node["name"]?.string ?? ""]
            if let uid = node["uid"]?.filled { extra[UserExtra.nodeUID] = [uid] }
        }
        return .serviceAccount(namespace: namespace, name: name, uid: uid, extra: extra)
    }

    /// Whether an object that a token is bound to is there, and the same one.
    private func check(
        _ resource: String,
        _ namespace: String,
        _ claim: DynamicValue,
        at now: Timestamp
    ) throws(StatusError) {
        let name = claim["name"]?.string ?? ""
        let object = self.object(resource, namespace, name)
        guard let object, object.metadata.uid == claim["uid"]?.string,
            !Self.isGone(object, at: now)
        else {
            throw .unauthorized(
                "service account token has been invalidated: \(resource) \(name) is gone"
            )
        }
    }

    /// Tokens live on for a minute with what is being deleted, for its last words.
    private static let graceSeconds: Int64 = 60

    private static func isGone(_ object: APIObject, at now: Timestamp) -> Bool {
        guard let deleted = object.metadata.deletionTimestamp?.timestamp else { return false }
        return deleted.seconds + self.graceSeconds < now.seconds
    }

    private func object(_ resource: String, _ namespace: String, _ name: String) -> APIObject? {
        self.objects.get(
            GroupResource(group: "", resource: resource),
            namespace: namespace,
            name: name
        )
    }

    // MARK: - Tokens of secrets

    private func legacyUser(_ claims: DynamicValue) throws(StatusError) -> UserInfo {
        let prefix = "kubernetes.io/serviceaccount/"
        guard let namespace = claims["\(prefix)namespace"]?.filled,
            let name = claims["\(prefix)service-account.name"]?.filled,
            let uid = claims["\(prefix)service-account.uid"]?.filled,
            let secretName = claims["\(prefix)secret.name"]?.filled,
            claims["sub"]?.string
                == "\(UserInfo.serviceAccountPrefix)\(namespace):\(name)"
        else { throw .unauthorized("service account token has not all claims") }
        let secret = self.object("secrets", namespace, secretName)
        guard let secret, secret.metadata.deletionTimestamp == nil,
            secret.message(as: CoreV1.Secret.self)?.type == "kubernetes.io/service-account-token",
            secret.metadata.labels["kubernetes.io/legacy-token-invalid-since"] == nil
        else { throw .unauthorized("service account token has been invalidated") }
        let account = self.object("serviceaccounts", namespace, name)
        guard let account, account.metadata.deletionTimestamp == nil, account.metadata.uid == uid
        else { throw .unauthorized("service account token has been invalidated") }
        return .serviceAccount(namespace: namespace, name: name, uid: uid)
    }
}

extension DynamicValue {
    /// The string when it is not empty.
    var filled: String? {
        guard let text = self.string, !text.isEmpty else { return nil }
        return text
    }

    /// The strings of a list.
    var texts: [String] { self.items.compactMap(\.string) }
}
