// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
import ResourceTable
import Scalars

/// The short-lived tokens that nodes join with: `abcdef.0123456789abcdef`, each a secret in
/// kube-system.
///
/// Source: kubernetes `plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go`.
public struct BootstrapTokenAuthenticator: Authenticator {
    private let objects: any ObjectReader

    private static let secrets = GroupResource(group: "", resource: "secrets")
    private static let namespace = "kube-system"
    private static let groupPrefix = "system:bootstrappers"

    public init(_ objects: any ObjectReader) {
        self.objects = objects
    }

    public func authenticate(
        _ request: AuthenticationRequest
    ) async throws(StatusError) -> AuthenticatedUser? {
        guard let token = request.bearerToken, let (id, secret) = Self.parts(of: token),
            let object: CoreV1.Secret = self.objects.get(
                Self.secrets,
                namespace: Self.namespace,
                name: "bootstrap-token-\(id)"
            )?.message(),
            object.metadata.deletionTimestamp == nil,
            object.type == "bootstrap.kubernetes.io/token"
        else { return nil }
        func text(_ key: String) -> String {
            object.data[key].map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        guard areEqualInConstantTime(text("token-secret"), secret), text("token-id") == id,
            !Self.isExpired(text("expiration"), at: request.now),
            text("usage-bootstrap-authentication") == "true"
        else { return nil }
        let extra = text("auth-extra-groups").split(separator: ",").map(String.init)
        guard extra.allSatisfy(Self.isGroup) else { return nil }
        return AuthenticatedUser(
            UserInfo(name: "system:bootstrap:\(id)", groups: [Self.groupPrefix] + extra)
        )
    }

    private static func parts(of token: String) -> (id: String, secret: String)? {
        let bytes = Array(token.utf8)
        guard bytes.count == 23, bytes[6] == UInt8(ascii: ".") else { return nil }
        let isPlain = bytes.enumerated().allSatisfy { index, byte in
            index == 6 || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard isPlain else { return nil }
        return (
            String(decoding: bytes[..<6], as: UTF8.self),
            String(decoding: bytes[7...], as: UTF8.self)
        )
    }

    private static func isExpired(_ text: String, at now: Timestamp) -> Bool {
        if text.isEmpty { return false }
        guard let end = try? Timestamp(parsing: text, as: .time) else { return true }
        return end <= now
    }

    private static func isGroup(_ group: String) -> Bool {
        let prefix = "\(self.groupPrefix):"
        guard group.hasPrefix(prefix), group.utf8.count > prefix.utf8.count else { return false }
        let last = group.utf8.last
        return last != UInt8(ascii: ":") && last != UInt8(ascii: "-")
            && group.dropFirst(prefix.count).utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-")
            }
    }
}
