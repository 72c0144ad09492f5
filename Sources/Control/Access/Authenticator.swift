// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ObjectModel
public import Scalars
import Synchronization

/// Finds out who makes a request.
///
/// Called once for each request, before anything else reads it. An implementation answers from
/// memory where it can; it suspends only to ask another process.
public protocol Authenticator: Sendable {
    /// Reads the credentials of a request.
    ///
    /// - Returns: nil when the request has no credentials of the kinds that are known here.
    /// - Throws: 401 when there are some and they are wrong. The message is for the log: clients get
    ///   `Unauthorized` alone.
    func authenticate(
        _ request: AuthenticationRequest
    ) async throws(StatusError) -> AuthenticatedUser?
}

/// What a request has to say about who makes it.
public struct AuthenticationRequest: Sendable {
    /// The certificates of the connection's peer; nil without any. One for each connection.
    public var peer: PeerCertificates?
    /// The value of the `Authorization` header as it came; nil without one.
    public var authorization: String?
    /// The decoded path, which anonymous requests are limited by.
    public var path: String
    /// The audiences that a token must be for; empty asks for those of the API server.
    public var audiences: [String]
    /// The time of the request.
    public var now: Timestamp

    public init(
        peer: PeerCertificates? = nil,
        authorization: String? = nil,
        path: String,
        audiences: [String] = [],
        now: Timestamp
    ) {
        self.peer = peer
        self.authorization = authorization
        self.path = path
        self.audiences = audiences
        self.now = now
    }

    /// The token of `Authorization: Bearer …`; nil without one.
    public var bearerToken: String? {
        guard let authorization else { return nil }
        let space = UInt8(ascii: " ")
        guard let end = authorization.utf8.firstIndex(of: space),
            authorization[..<end].lowercased() == "bearer"
        else { return nil }
        let rest = authorization.utf8[authorization.utf8.index(after: end)...]
        let token = rest.prefix { $0 != space }
        return token.isEmpty ? nil : String(token)
    }
}

/// The result of authentication.
public struct AuthenticatedUser: Sendable {
    public var user: UserInfo
    /// Those of the asked audiences that the credentials are for; empty when they have none.
    public var audiences: [String]

    public init(_ user: UserInfo, audiences: [String] = []) {
        self.user = user
        self.audiences = audiences
    }
}

/// The certificates that the peer of a connection has shown, leaf first, and what they were found
/// to say: their signatures are verified once for a connection, not once for a request.
public final class PeerCertificates: Sendable {
    /// DER, leaf first.
    public let chain: [[UInt8]]
    // Held for a copy only; nothing is called under it.
    private let verified = Mutex<(user: UserInfo, notAfter: Timestamp)?>(nil)

    public init(_ chain: [[UInt8]]) {
        self.chain = chain
    }

    /// The user of an earlier verification that still holds.
    public func user(at now: Timestamp) -> UserInfo? {
        self.verified.withLock { $0.flatMap { now < $0.notAfter ? $0.user : nil } }
    }

    /// Keeps the result of a verification until a time.
    public func remember(_ user: UserInfo, until notAfter: Timestamp) {
        self.verified.withLock { $0 = (user, notAfter) }
    }
}
