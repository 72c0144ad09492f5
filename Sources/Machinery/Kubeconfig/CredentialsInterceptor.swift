// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import RPC
import RPCInterface

/// Adds the user's bearer token to calls.
final class CredentialsInterceptor: ClientInterceptor {
    private let token: BearerToken

    init(_ token: BearerToken) {
        self.token = token
    }

    func willStart(
        _ method: RPCMethod,
        _ options: inout CallOptions
    ) async throws(RPCError) {
        guard let token = self.token.current(), !token.isEmpty else { return }
        options.metadata.add("authorization", "Bearer \(token)")
    }
}
