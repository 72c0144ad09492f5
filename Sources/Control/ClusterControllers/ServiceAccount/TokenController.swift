// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Authentication
package import ControllerKit
import Informers
import KubernetesAPI
import ObjectModel
package import PKI
import Protobuf
import ResourceClient
import WorkQueues

/// Fills Secrets of type `kubernetes.io/service-account-token` with tokens that do not expire.
///
/// Watches: ServiceAccounts, those Secrets. Writes: the Secrets; removes from ServiceAccounts the
/// names of those that are gone. Promises: a token is made for the account that the server has now,
/// and its Secret goes with the account.
package final class TokenController: Controller {
    package static let name = "serviceaccount-token-controller"
    private static let index = "account"

    /// What is looked at.
    private enum Key: Hashable, Sendable, CustomStringConvertible {
        case secret(ObjectKey)
        /// An account that named a Secret which is gone.
        case reference(ObjectKey, secret: String)

        var description: String {
            switch self {
            case .secret(let key): "\(key)"
            case .reference(let key, _): "\(key)"
            }
        }
    }

    private let loop: ReconcileLoop<Key>
    private let accounts: Informer<CoreV1.ServiceAccount>
    private let secrets: Informer<CoreV1.Secret>
    private let accountClient: Client<CoreV1.ServiceAccount>
    private let secretClient: Client<CoreV1.Secret>
    private let issuer: ServiceAccountIssuer
    private let authority: String

    package convenience init(_ context: ControllerContext) {
        self.init(context, key: nil, authority: "")
    }

    /// - Parameters:
    ///   - key: signs the tokens; of `--service-account-private-key-file`.
    ///   - authority: the API server's CA in PEM.
    package init(_ context: ControllerContext, key: PrivateKey?, authority: String) {
        self.loop = ReconcileLoop(Self.name, context)
        self.accounts = context.informer(of: CoreV1.ServiceAccount.self)
        self.secrets = context.informers.informer(
            of: CoreV1.Secret.self,
            scope: AccountToken.scope
        )
        self.accountClient = context.client()
        self.secretClient = context.client()
        self.issuer = ServiceAccountIssuer(issuers: [], signingKey: key)
        self.authority = authority
        self.secrets.addIndex(Self.index) { secret in
            ["\(secret.metadata.namespace)/\(AccountToken.account(of: secret))"]
        }
        let (queue, secrets) = (self.loop.queue, self.secrets)
        self.secrets.addHandler { event in
            let secret = event.object
            guard case .deleted = event else { return queue.add(.secret(secret.objectKey)) }
            let account = ObjectKey(
                namespace: secret.metadata.namespace,
                name: AccountToken.account(of: secret)
            )
            queue.add(.reference(account, secret: secret.metadata.name))
        }
        self.accounts.addHandler { event in
            guard case .deleted(let account, _) = event else { return }
            for secret in secrets.list(index: Self.index, "\(account.objectKey)") {
                queue.add(.secret(secret.objectKey))
            }
        }
    }

    package var isQuiet: Bool { self.loop.isQuiet }

    package func run() async {
        await self.loop.run(workers: 5) {
            await self.accounts.waitForSync()
            await self.secrets.waitForSync()
        } _: { key in
            switch key {
            case .secret(let key): try await self.reconcile(key)
            case .reference(let key, let secret): try await self.removeReference(key, secret)
            }
        }
    }

    private func reconcile(_ key: ObjectKey) async throws(StatusError) {
        guard let known = self.secrets.get(key), known.metadata.deletionTimestamp == nil else {
            return
        }
        guard let account = try await self.account(of: known) else {
            return try await self.delete(known)
        }
        guard try self.filled(known, account) != nil else { return }
        do throws(StatusError) {
            // Somebody may have filled it meanwhile; a token that was handed out must stay.
            let live = try await self.secretClient.get(key.name, in: key.namespace)
            guard live.metadata.uid == known.metadata.uid,
                let filled = try self.filled(live, account)
            else { return }
            _ = try await self.secretClient.update(filled)
        } catch {
            if error.isNotFound { return }
            throw error
        }
    }

    /// The account that a Secret is for, if it is still there: a cache that does not know it yet
    /// deletes nothing.
    private func account(of secret: CoreV1.Secret) async throws(StatusError) -> MetaV1.ObjectMeta? {
        let (name, namespace) = (AccountToken.account(of: secret), secret.metadata.namespace)
        guard !name.isEmpty else { return nil }
        if let known = self.accounts.get(name, in: namespace)?.metadata,
            AccountToken.isOf(known, secret)
        {
            return known
        }
        do throws(StatusError) {
            let live = try await self.accountClient.get(name, in: namespace).metadata
            return AccountToken.isOf(live, secret) ? live : nil
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private func filled(
        _ secret: CoreV1.Secret,
        _ account: MetaV1.ObjectMeta
    ) throws(StatusError) -> CoreV1.Secret? {
        do throws(PKIError) {
            return try AccountToken.filled(secret, for: account, authority: self.authority) {
                () throws(PKIError) in
                try self.issuer.legacyToken(
                    namespace: secret.metadata.namespace,
                    accountName: account.name,
                    accountUID: account.uid,
                    secretName: secret.metadata.name
                )
            }
        } catch {
            throw .internalError("cannot sign a token: \(error)")
        }
    }

    private func delete(_ secret: CoreV1.Secret) async throws(StatusError) {
        do throws(StatusError) {
            try await self.secretClient.delete(
                secret.metadata.name,
                in: secret.metadata.namespace,
                DeleteOptions(uid: secret.metadata.uid)
            )
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// Takes the name of a Secret that is gone out of its account.
    private func removeReference(_ key: ObjectKey, _ name: String) async throws(StatusError) {
        guard let known = self.accounts.get(key),
            known.secrets.contains(where: { $0.name == name })
        else { return }
        do throws(StatusError) {
            var live = try await self.accountClient.get(key.name, in: key.namespace)
            guard live.metadata.uid == known.metadata.uid,
                live.secrets.contains(where: { $0.name == name })
            else { return }
            if let made = try await self.secret(name, in: key.namespace),
                AccountToken.isOf(live.metadata, made)
            {
                // One of the name was made again.
                return
            }
            live.secrets.removeAll { $0.name == name }
            _ = try await self.accountClient.update(live)
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    private func secret(
        _ name: String,
        in namespace: String
    ) async throws(StatusError) -> CoreV1.Secret? {
        do throws(StatusError) {
            return try await self.secretClient.get(name, in: namespace)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
