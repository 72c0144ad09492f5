// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import ObjectModel
import PKI
import RPCInterface
import Registry
import RequestInfo

/// Who may do what: authentication, authorization and admission, as the server was configured.
struct AccessControl: Sendable {
    // MARK: - Who

    func authenticate(_ exchange: RESTExchange) async throws(StatusError) -> CallerIdentity {
        try self.identity(exchange.request.peer.certificates)
    }

    func authenticate(_ context: ServerContext) async throws(StatusError) -> CallerIdentity {
        if context.peer.address == "inprocess" {
            return CallerIdentity(
                name: "system:apiserver",
                groups: ["system:masters", "system:authenticated"]
            )
        }
        return try self.identity(context.peer.certificates)
    }

    /// The identity of a client certificate, which the handshake has verified.
    private func identity(_ certificates: [[UInt8]]) throws(StatusError) -> CallerIdentity {
        guard let leaf = certificates.first else { return .anonymous }
        guard let certificate = try? Certificate(der: leaf) else { throw .unauthorized() }
        let subject = certificate.subject
        return CallerIdentity(
            name: subject.commonName,
            groups: subject.organizations + ["system:authenticated"]
        )
    }

    // MARK: - What

    func authorize(_ user: CallerIdentity, _ info: RequestInfo) async throws(StatusError) {}

    func authorize(_ call: ResourceCall) async throws(StatusError) {}

    // MARK: - How

    /// Admission for one write.
    func hooks(
        _ call: ResourceCall,
        _ operation: WriteOperation,
        isDryRun: Bool,
        fieldManager: String
    ) -> any WriteHooks {
        NoHooks()
    }
}
