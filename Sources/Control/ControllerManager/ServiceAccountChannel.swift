// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Clocks
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import ResourceClient
import Scalars

/// Makes calls as a ServiceAccount in `kube-system`, with tokens that it asks for as it needs them.
///
/// Source: upstream `pkg/controller/client_builder_dynamic.go`.
final class ServiceAccountChannel: RPCChannel {
    private static let namespace = "kube-system"
    /// How long a token is asked for; upstream's choice.
    private static let tokenSeconds: Int64 = 3600

    private let channel: any RPCChannel
    private let tokens: TokenSource

    /// - Parameters:
    ///   - channel: without credentials of its own.
    ///   - issuer: as whom tokens are asked for.
    init(
        account: String,
        channel: any RPCChannel,
        issuer: any RPCChannel,
        clock: any ComponentClock
    ) {
        self.channel = channel
        self.tokens = TokenSource(account: account, issuer: issuer, clock: clock)
    }

    func start(
        _ method: RPCMethod,
        options: CallOptions
    ) async throws(RPCError) -> any RPCClientCall {
        var options = options
        options.metadata.add("authorization", "Bearer \(try await self.tokens.current())")
        return try await self.channel.start(method, options: options)
    }

    /// Keeps a token that is good for a while.
    private actor TokenSource {
        private let account: String
        private let issuer: any RPCChannel
        private let clock: any ComponentClock
        private var token = ""
        private var renewAt: Duration = .zero
        private var renewal: Task<Result<String, StatusError>, Never>?

        init(account: String, issuer: any RPCChannel, clock: any ComponentClock) {
            self.account = account
            self.issuer = issuer
            self.clock = clock
        }

        func current() async throws(RPCError) -> String {
            if !self.token.isEmpty, self.clock.uptime < self.renewAt { return self.token }
            // One request for all who wait.
            let renewal = self.renewal ?? Task { await self.renew() }
            self.renewal = renewal
            let result = await renewal.value
            self.renewal = nil
            do throws(StatusError) {
                self.token = try result.get()
                return self.token
            } catch {
                throw RPCError(
                    code: .unavailable,
                    message: "no token for \(self.account): \(error.message)"
                )
            }
        }

        private func renew() async -> Result<String, StatusError> {
            let accounts = Client<CoreV1.ServiceAccount>(self.issuer)
            let namespace = ServiceAccountChannel.namespace
            let request = AuthenticationV1.TokenRequest.with {
                $0.spec.expirationSeconds = ServiceAccountChannel.tokenSeconds
            }
            do throws(StatusError) {
                let answer: AuthenticationV1.TokenRequest?
                do throws(StatusError) {
                    answer = try await accounts.create(
                        "token",
                        of: self.account,
                        in: namespace,
                        request
                    )
                } catch {
                    guard error.isNotFound else { throw error }
                    try await self.makeAccount(accounts)
                    answer = try await accounts.create(
                        "token",
                        of: self.account,
                        in: namespace,
                        request
                    )
                }
                guard let answer, !answer.status.token.isEmpty else {
                    throw .internalError("the server sent no token")
                }
                // Renewed after four fifths of its life.
                let life = answer.spec.expirationSeconds ?? ServiceAccountChannel.tokenSeconds
                self.renewAt = self.clock.uptime + .seconds(life * 4 / 5)
                return .success(answer.status.token)
            } catch {
                return .failure(error)
            }
        }

        private func makeAccount(
            _ accounts: Client<CoreV1.ServiceAccount>
        ) async throws(StatusError) {
            do throws(StatusError) {
                _ = try await accounts.create(
                    CoreV1.ServiceAccount.with {
                        $0.metadata.name = self.account
                        $0.metadata.namespace = ServiceAccountChannel.namespace
                    }
                )
            } catch {
                guard error.isNotFound || error.isAlreadyExists else { throw error }
                guard error.isNotFound else { return }
                // A cluster so new that even the namespace is not there.
                let namespaces = Client<CoreV1.Namespace>(self.issuer)
                _ = try await namespaces.create(
                    CoreV1.Namespace.with { $0.metadata.name = ServiceAccountChannel.namespace }
                )
                try await self.makeAccount(accounts)
            }
        }
    }
}
