// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
public import Kubeconfig
public import NIOCore
import ObjectModel
import Synchronization
import TLS

/// A connection to an API server's REST API, made when it is needed and made again when it is lost.
public final class RESTConnection: Sendable {
    /// The largest answer in bytes, watches apart.
    static let maximumAnswerBytes = 256 << 20

    private let endpoint: HTTPEndpoint
    private let serverName: String?
    private let tls: TLSContextSource?
    private let credentials: BearerToken
    /// Of servers that are not at the root of their host.
    private let prefix: String
    private let authority: String
    private let scheme: String
    private let userAgent: String
    private let group: any EventLoopGroup
    private let current = Mutex<EventLoopFuture<HTTPClientConnection>?>(nil)

    public init(
        _ connection: ClusterConnection,
        group: any EventLoopGroup,
        userAgent: String
    ) throws(KubeconfigError) {
        let (endpoint, usesTLS) = try connection.endpoint()
        self.endpoint = endpoint
        (self.tls, self.credentials) = try connection.access(protocols: ["h2", "http/1.1"])
        self.serverName = connection.cluster.tlsServerName
        self.userAgent = userAgent
        self.group = group
        let server = connection.cluster.server
        let rest = server.split(separator: "://", maxSplits: 1).last.map(String.init) ?? server
        let authority = String(rest.prefix { $0 != "/" })
        var prefix = String(rest.dropFirst(authority.count))
        while prefix.hasSuffix("/") { prefix.removeLast() }
        self.authority = authority
        self.prefix = prefix
        self.scheme = usesTLS ? "https" : "http"
    }

    /// Closes the connection; requests under way fail.
    public func close() {
        let open = self.current.withLock { current in
            defer { current = nil }
            return current
        }
        open?.whenSuccess { $0.close() }
    }

    /// Sends a request; one that the server has not seen, because the connection ended, once more.
    func send(_ request: RESTRequest) async throws(StatusError) -> HTTPClientResponse {
        let head = self.head(request)
        let body = request.body.map { ByteBuffer(bytes: $0) }
        for attempt in 1...2 {
            do {
                return try await self.connection().get().send(head, body: body)
            } catch let error as HTTPStreamClosed where error.reason == .notProcessed {
                self.forget()
                if attempt == 2 { throw .serviceUnavailable("the connection ended") }
            } catch {
                self.forget()
                throw .serviceUnavailable("\(error)")
            }
        }
        throw .serviceUnavailable("the connection ended")
    }

    private func head(_ request: RESTRequest) -> HTTPRequestHead {
        var fields = HeaderFields()
        fields.append(.accept, request.accept)
        fields.append(.userAgent, self.userAgent)
        if let body = request.body {
            fields.append(.contentType, request.contentType)
            fields.append(.contentLength, String(body.count))
        }
        if let token = self.credentials.current(), !token.isEmpty {
            fields.append(.authorization, "Bearer \(token)", sensitive: true)
        }
        return HTTPRequestHead(
            method: request.method,
            scheme: self.scheme,
            authority: self.authority,
            path: self.prefix + request.path,
            fields: fields
        )
    }

    private func connection() -> EventLoopFuture<HTTPClientConnection> {
        self.current.withLock { current in
            if let current { return current }
            let made = HTTPClientConnection.connect(
                to: self.endpoint,
                tls: self.tls,
                serverName: self.serverName,
                on: self.group.next()
            )
            current = made
            made.whenSuccess { [weak self] connection in
                connection.closed.whenComplete { [weak self] _ in self?.forget(made) }
            }
            return made
        }
    }

    private func forget(_ ended: EventLoopFuture<HTTPClientConnection>? = nil) {
        self.current.withLock { current in
            if ended == nil || current === ended { current = nil }
        }
    }
}
