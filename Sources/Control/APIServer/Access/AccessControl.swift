// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import Authentication
import HTTP
import NameRules
import ObjectModel
import RPCInterface
import Registry
import RequestInfo
import ResourceTable
import Scalars
import Selectors
import Synchronization

/// Asks who makes a request and whether he may.
struct AccessControl: Sendable {
    let parts: AccessParts
    /// What requests wait at until roles have been read.
    let gate: StartGate
    private let peers = PeerTable()

    init(_ parts: AccessParts, _ gate: StartGate) {
        self.parts = parts
        self.gate = gate
    }

    /// Paths that tell how far the start is, and wait for nothing.
    private static func isHealth(_ path: String) -> Bool {
        ["/livez", "/readyz", "/healthz"].contains { path == $0 || path.hasPrefix("\($0)/") }
    }

    // MARK: - Who

    /// The user of a REST request.
    func authenticate(_ exchange: RESTExchange) async throws(StatusError) -> UserInfo {
        if !self.gate.isOpen, !Self.isHealth(exchange.info.path) { try await self.gate.pass() }
        let request = AuthenticationRequest(
            peer: self.peers.peer(exchange.request.peer.certificates),
            authorization: exchange.field(.authorization),
            path: exchange.info.path,
            now: .current()
        )
        let user = try await self.user(request)
        let fields = exchange.request.head.fields
        guard Self.impersonates(fields) else { return user }
        let other = try await Impersonation.resolve(
            fields.map { (name: $0.name.text, value: $0.value) },
            by: user,
            self.parts.authorizer
        )
        return other ?? user
    }

    /// Whether a request asks to be made as somebody else.
    private static func impersonates(_ fields: HeaderFields) -> Bool {
        (0..<fields.count).contains { index in
            fields.withName(at: index) { $0.starts(with: "impersonate-".utf8) }
        }
    }

    /// The user of a call.
    func authenticate(_ context: ServerContext) async throws(StatusError) -> UserInfo {
        if context.peer.address == "inprocess" { return .apiServer }
        try await self.gate.pass()
        let request = AuthenticationRequest(
            peer: self.peers.peer(context.peer.certificates),
            authorization: context.metadata["authorization"],
            path: context.method.path,
            now: .current()
        )
        return try await self.user(request)
    }

    private func user(_ request: AuthenticationRequest) async throws(StatusError) -> UserInfo {
        do throws(StatusError) {
            guard let found = try await self.parts.authenticator.authenticate(request) else {
                throw .unauthorized()
            }
            return found.user
        } catch {
            throw error.code == 401 ? .unauthorized() : error
        }
    }

    // MARK: - What

    /// Refuses a REST request that its user may not make.
    func authorize(_ user: UserInfo, _ info: RequestInfo) async throws(StatusError) {
        // There are no roles to ask yet, and the answer is that it is not ready.
        if !self.gate.isOpen, Self.isHealth(info.path) { return }
        try await self.authorize(AuthorizationAttributes(user: user, info))
    }

    /// Refuses a call that its user may not make.
    ///
    /// - Parameters:
    ///   - labels: the label selector of a call for several objects.
    ///   - fields: its field selector, which may limit it to one.
    func authorize(
        _ call: ResourceCall,
        labels: String = "",
        fields: String = ""
    ) async throws(StatusError) {
        var attributes = AuthorizationAttributes(
            user: call.user,
            verb: call.verb,
            group: call.resource.group,
            version: call.resource.version,
            resource: call.resource.plural,
            subresource: call.subresource,
            namespace: call.namespace,
            name: call.name
        )
        attributes.labelSelector = labels
        attributes.fieldSelector = fields
        if call.name.isEmpty, !fields.isEmpty, call.verb == "list" || call.verb == "watch",
            let name = try? FieldSelector(parsing: fields).requiredValue(of: "metadata.name"),
            Formats.isPathSegmentName(name)
        {
            attributes.name = name
        }
        try await self.authorize(attributes)
    }

    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) {
        let decision = await self.parts.authorizer.authorize(attributes)
        guard !decision.isAllowed else { return }
        throw attributes.forbidden(reason: decision.reason)
    }
}

/// The certificates of connections, each verified once while it is in use.
private final class PeerTable: Sendable {
    /// How many peers are remembered; then all are forgotten and verified again.
    private static let maximumCount = 16_384

    private let peers = Mutex<[[UInt8]: PeerCertificates]>([:])

    func peer(_ chain: [[UInt8]]) -> PeerCertificates? {
        guard let leaf = chain.first else { return nil }
        return self.peers.withLock { peers in
            if let known = peers[leaf], known.chain == chain { return known }
            if peers.count >= Self.maximumCount { peers.removeAll() }
            let peer = PeerCertificates(chain)
            peers[leaf] = peer
            return peer
        }
    }
}
