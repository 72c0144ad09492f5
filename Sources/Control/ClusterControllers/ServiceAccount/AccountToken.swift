// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Informers
package import KubernetesAPI
import Protobuf
import Selectors

/// What a Secret of type `kubernetes.io/service-account-token` holds. Pure.
///
/// Source: upstream `pkg/controller/serviceaccount/tokens_controller.go`.
package enum AccountToken {
    package static let type = "kubernetes.io/service-account-token"
    package static let nameAnnotation = "kubernetes.io/service-account.name"
    package static let uidAnnotation = "kubernetes.io/service-account.uid"
    private static let authorityKey = "ca.crt"
    private static let namespaceKey = "namespace"
    private static let tokenKey = "token"

    /// The Secrets that are tokens.
    static let scope = InformerScope(
        fields: FieldSelector([FieldSelector.Term("type", AccountToken.type)])
    )

    /// The name of the account that a Secret is for; empty when it says none.
    package static func account(of secret: CoreV1.Secret) -> String {
        secret.metadata.annotations[self.nameAnnotation] ?? ""
    }

    /// Whether a Secret is for that account, by name and, where it says one, by UID.
    package static func isOf(_ account: MetaV1.ObjectMeta, _ secret: CoreV1.Secret) -> Bool {
        let uid = secret.metadata.annotations[self.uidAnnotation] ?? ""
        return secret.metadata.namespace == account.namespace
            && self.account(of: secret) == account.name && (uid.isEmpty || uid == account.uid)
    }

    /// The Secret with everything that it must hold; nil when it does already.
    ///
    /// - Parameters:
    ///   - authority: the API server's CA in PEM; empty adds none.
    ///   - sign: makes the token.
    package static func filled<Failure: Error>(
        _ secret: CoreV1.Secret,
        for account: MetaV1.ObjectMeta,
        authority: String,
        sign: () throws(Failure) -> String
    ) throws(Failure) -> CoreV1.Secret? {
        var filled = secret
        filled.metadata.annotations[self.nameAnnotation] = account.name
        filled.metadata.annotations[self.uidAnnotation] = account.uid
        if !authority.isEmpty { filled.data[self.authorityKey] = Bytes(authority.utf8) }
        if filled.data[self.namespaceKey]?.isEmpty ?? true {
            filled.data[self.namespaceKey] = Bytes(secret.metadata.namespace.utf8)
        }
        if filled.data[self.tokenKey]?.isEmpty ?? true {
            filled.data[self.tokenKey] = Bytes(try sign().utf8)
        }
        return filled == secret ? nil : filled
    }
}
