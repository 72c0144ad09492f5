// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Authentication
import Clocks
internal import Crypto
import Informers
package import KubernetesAPI
import Protobuf
import ResourceClient
package import Scalars
import Selectors

/// A token that nodes join with, as its secret in kube-system has it. Pure.
///
/// Source: upstream `staging/src/k8s.io/cluster-bootstrap/token`.
package struct BootstrapToken: Hashable, Sendable {
    package static let namespace = "kube-system"
    package static let secretType = "bootstrap.kubernetes.io/token"
    private static let namePrefix = "bootstrap-token-"
    private static let idLength = 6

    package var id: String
    package var secret: String
    /// When it ends; nil for never.
    package var expiration: Expiration

    /// When a token ends.
    package enum Expiration: Hashable, Sendable {
        case never
        case at(Timestamp)
        /// The text is no time: upstream takes such a token as expired.
        case unreadable

        package func isOver(_ now: Timestamp) -> Bool {
            switch self {
            case .never: false
            case .at(let time): time <= now
            case .unreadable: true
            }
        }
    }

    /// Secrets of tokens.
    static let scope = InformerScope(
        namespace: namespace,
        fields: FieldSelector([FieldSelector.Term("type", secretType)])
    )

    private static func text(_ secret: CoreV1.Secret, _ key: String) -> String {
        secret.data[key].map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    package static func expiration(of secret: CoreV1.Secret) -> Expiration {
        let text = self.text(secret, "expiration")
        if text.isEmpty { return .never }
        guard let time = try? Timestamp(parsing: text, as: .time) else { return .unreadable }
        return .at(time)
    }

    /// A token without an end.
    package init(id: String, secret: String) {
        self.id = id
        self.secret = secret
        self.expiration = .never
    }

    /// The token of a secret, if it may sign; nil when it is none, or is not meant to.
    package init?(signing secret: CoreV1.Secret, now: Timestamp) {
        let name = secret.metadata.name
        guard secret.metadata.deletionTimestamp == nil, name.hasPrefix(Self.namePrefix) else {
            return nil
        }
        let id = String(name.dropFirst(Self.namePrefix.count))
        let isPlain = id.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        self.id = id
        self.secret = Self.text(secret, "token-secret")
        self.expiration = Self.expiration(of: secret)
        guard id.utf8.count == Self.idLength, isPlain, Self.text(secret, "token-id") == id,
            !self.secret.isEmpty, !self.expiration.isOver(now),
            Self.text(secret, "usage-bootstrap-signing") == "true"
        else { return nil }
    }

    /// A signature of a text that does not repeat it: a JSON Web Signature with the token's secret as
    /// key. Source: RFC 7515 appendix F, RFC 7518 section 3.2.
    package func signature(of text: String) -> String {
        let header = Base64URL.encode("{\"alg\":\"HS256\",\"kid\":\"\(self.id)\"}".utf8)
        let signed = "\(header).\(Base64URL.encode(text.utf8))"
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(signed.utf8),
            using: SymmetricKey(data: Array(self.secret.utf8))
        )
        return "\(header)..\(Base64URL.encode(Array(code)))"
    }
}
