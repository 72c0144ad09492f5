// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scalars
import Synchronization

/// Tokens of service accounts for pods, asked for anew when most of their time is over.
///
/// Source: upstream `pkg/kubelet/token/token_manager.go`.
final class TokenCache: Sendable {
    /// A token older than this is replaced although it would live on.
    static let maximumAge: Int64 = 24 * 3600

    private struct Entry {
        var token: String
        var expires: Int64
        var lifetime: Int64
    }

    private let cluster: any ClusterAccess
    private let entries = Mutex<[String: Entry]>([:])

    init(cluster: any ClusterAccess) {
        self.cluster = cluster
    }

    /// A token for a pod.
    func token(
        for pod: CoreV1.Pod,
        _ projection: CoreV1.ServiceAccountTokenProjection
    ) async throws -> String {
        let lifetime = projection.expirationSeconds ?? 3600
        let key = "\(pod.metadata.uid)/\(projection.audience)/\(lifetime)"
        let now = WallClock.now / 1_000_000_000
        if let entry = self.entries.withLock({ $0[key] }), !Self.isOld(entry, now) {
            return entry.token
        }
        let account =
            pod.spec.serviceAccountName.isEmpty ? "default" : pod.spec.serviceAccountName
        let request = AuthenticationV1.TokenRequest.with {
            if !projection.audience.isEmpty { $0.spec.audiences = [projection.audience] }
            $0.spec.expirationSeconds = lifetime
            $0.spec.boundObjectRef = AuthenticationV1.BoundObjectReference.with {
                $0.apiVersion = "v1"
                $0.kind = "Pod"
                $0.name = pod.metadata.name
                $0.uID = pod.metadata.uid
            }
        }
        do {
            let answer = try await self.cluster.token(
                pod.metadata.namespace,
                serviceAccount: account,
                request
            )
            let expires = answer.status.expirationTimestamp.timestamp?.seconds ?? now + lifetime
            let entry = Entry(
                token: answer.status.token,
                expires: expires,
                lifetime: answer.spec.expirationSeconds ?? lifetime
            )
            self.entries.withLock { $0[key] = entry }
            return entry.token
        } catch {
            // The old one serves as long as it lives.
            if let entry = self.entries.withLock({ $0[key] }), entry.expires > now {
                return entry.token
            }
            throw error
        }
    }

    /// When the first of a pod's tokens is to be replaced, in seconds since 1970; nil when it has
    /// none.
    func due(uid: String) -> Int64? {
        self.entries.withLock { entries in
            entries.filter { $0.key.hasPrefix(uid + "/") }.map { Self.due($0.value) }.min()
        }
    }

    /// When four fifths of a token's time are over, or it is a day old.
    private static func due(_ entry: Entry) -> Int64 {
        min(
            entry.expires - entry.lifetime / 5,
            entry.expires - entry.lifetime + Self.maximumAge
        )
    }

    private static func isOld(_ entry: Entry, _ now: Int64) -> Bool { now > Self.due(entry) }

    /// Forgets the tokens of a pod.
    func forget(uid: String) {
        self.entries.withLock { $0 = $0.filter { !$0.key.hasPrefix(uid + "/") } }
    }
}
