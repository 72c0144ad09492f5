// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import HTTP2Transport
import NIOCore
import ObjectModel
import RequestInfo
import ResourceTable

extension RESTHandler {
    /// How long a backend may take to accept a connection.
    private static let connectTimeout: Duration = .seconds(30)

    /// Passes a request on to a pod, a Service's endpoint or a node, and its answer back.
    ///
    /// Credentials stay here; redirects are never followed, and never lead the client elsewhere.
    ///
    /// Source: upstream apimachinery `pkg/util/proxy/upgradeaware.go`.
    func proxy(_ exchange: RESTExchange, _ call: ResourceCall) async throws(StatusError) {
        let target = try await self.core.proxyTarget(call)
        try await self.admitConnect(call, kind: Self.optionsKind(call.resource.plural))
        let path = exchange.target.proxyPath ?? ""
        let query = exchange.target.rawQuery.isEmpty ? "" : "?\(exchange.target.rawQuery)"
        let isUpgrade = exchange.request.head.fields.contains(.upgrade)
        if path.isEmpty, !isUpgrade, ["GET", "HEAD"].contains(exchange.method) {
            // Links that are relative to the root need the slash.
            var head = exchange.head(HTTPStatus(rawValue: 301), contentType: nil)
            head.fields.append(.location, "\(Self.rawPath(exchange))/\(query)")
            try? await exchange.response.send(head, body: ByteBuffer())
            return
        }
        guard let group = self.core.nodes.group else {
            throw .serviceUnavailable("connections to backends are not configured")
        }
        let request = ProxyRequest(
            exchange: exchange,
            target: target,
            path: (path.isEmpty ? "/" : path) + query,
            prefix: String(
                decoding: Self.rawPath(exchange).utf8.dropLast(path.utf8.count),
                as: UTF8.self
            ),
            timeout: Self.connectTimeout,
            eventLoop: group.next()
        )
        try await (isUpgrade ? request.tunnel() : request.relay())
    }

    private static func optionsKind(_ plural: String) -> String {
        switch plural {
        case "pods": "PodProxyOptions"
        case "services": "ServiceProxyOptions"
        default: "NodeProxyOptions"
        }
    }

    /// The path as it came, without the query.
    private static func rawPath(_ exchange: RESTExchange) -> String {
        String(exchange.request.head.path.prefix { $0 != "?" })
    }
}

/// One request on its way through the proxy.
struct ProxyRequest: Sendable {
    let exchange: RESTExchange
    let target: ProxyTarget
    /// The path and query for the backend.
    let path: String
    /// The path of the proxy, which stands for the backend's root.
    let prefix: String
    let timeout: Duration
    let eventLoop: any EventLoop

    private var fields: HeaderFields {
        ProxyFields.forward(self.exchange.request, uri: self.prefix + self.path)
    }

    private static func unreachable(_ error: any Error) -> StatusError {
        .serviceUnavailable("error trying to reach service: \(error)")
    }

    // MARK: - Requests

    /// Passes a request and its answer, both as they come.
    func relay() async throws(StatusError) {
        let connection: HTTPClientConnection
        do {
            var limits = HTTPLimits()
            limits.handshakeTimeout = self.timeout
            connection = try await HTTPClientConnection.connect(
                to: .tcp(host: self.target.host, port: self.target.port),
                tls: self.target.tls,
                version: self.target.version,
                limits: limits,
                on: self.eventLoop
            ).get()
        } catch {
            throw Self.unreachable(error)
        }
        defer { connection.eventLoop.execute { connection.close() } }
        let backend = ProxyExchange(connection)
        let request = HTTPRequestHead(
            method: self.exchange.request.head.method,
            scheme: self.target.tls == nil ? "http" : "https",
            authority: self.target.authority,
            path: self.path,
            fields: self.fields
        )
        // The answer may come before the request has ended.
        let body = self.exchange.request.body
        let sending = Task {
            do {
                try await backend.send(request, body, on: connection)
            } catch {
                backend.fail()
            }
        }
        defer { sending.cancel() }
        let head: HTTPResponseHead
        do {
            head = try await backend.responseHead()
        } catch {
            throw Self.unreachable(error)
        }
        try await self.answer(head)
        do {
            for try await chunk in backend.body { try await self.exchange.response.write(chunk) }
            try await self.exchange.response.finish()
        } catch {
            // Half an answer cannot be taken back: the client sees that it is cut off.
            return
        }
    }

    /// Sends the head of the backend's answer.
    private func answer(_ head: HTTPResponseHead) async throws(StatusError) {
        let fields = try ProxyFields.answer(
            head,
            from: self.target.authority,
            prefix: self.prefix
        )
        self.exchange.sentCode.set(head.status.rawValue)
        // The client may be gone, which the next write tells.
        try? await self.exchange.response.send(
            HTTPResponseHead(status: head.status, fields: fields)
        )
    }

    // MARK: - Upgrades

    /// Passes a request for another protocol, and everything behind it in both directions.
    func tunnel() async throws(StatusError) {
        let stream: ProxyTunnel.Stream
        do {
            stream = try await ProxyTunnel.connect(
                to: self.target,
                timeout: self.timeout,
                on: self.eventLoop
            )
        } catch {
            throw Self.unreachable(error)
        }
        let head = ProxyTunnel.head(
            self.exchange.request,
            authority: self.target.authority,
            path: self.path,
            self.fields
        )
        let outcome: Result<Void, StatusError>
        do {
            outcome = try await stream.executeThenClose {
                inbound,
                outbound -> Result<Void, StatusError> in
                try await outbound.write(head)
                var iterator = inbound.makeAsyncIterator()
                let answer = try await ProxyTunnel.answer(&iterator)
                do throws(StatusError) {
                    if answer.head.status == .switchingProtocols {
                        try await self.carry(answer, &iterator, outbound)
                    } else {
                        try await self.refuse(answer, &iterator)
                    }
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw Self.unreachable(error)
        }
        try outcome.get()
    }

    /// Carries bytes until one side ends.
    private func carry(
        _ answer: ProxyTunnel.Answer,
        _ iterator: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws(StatusError) {
        let response = self.exchange.response
        let fields = try ProxyFields.answer(
            answer.head,
            from: self.target.authority,
            prefix: self.prefix
        )
        self.exchange.sentCode.set(101)
        let name = answer.head.fields[.upgrade] ?? ""
        guard (try? await response.upgrade(to: name, fields: fields)) == true else {
            throw .badRequest("Upgrade request required")
        }
        let body = self.exchange.request.body
        let sending = Task {
            do {
                for try await chunk in body { try await outbound.write(chunk) }
            } catch {
                // The client is gone; so is the tunnel.
            }
            outbound.finish()
        }
        defer { sending.cancel() }
        do {
            if answer.rest.readableBytes > 0 { try await response.write(answer.rest) }
            while let chunk = try await iterator.next(isolation: #isolation) {
                try await response.write(chunk)
            }
        } catch {
            // One of the two has gone.
        }
        try? await response.finish()
    }

    /// Passes an answer that is no upgrade; the client's connection ends with it.
    private func refuse(
        _ answer: ProxyTunnel.Answer,
        _ iterator: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    ) async throws(StatusError) {
        var body = answer.rest
        let length = answer.head.fields[.contentLength].flatMap { Int($0) }
        let isChunked = answer.head.fields.contains(.transferEncoding)
        let hasBody = ![204, 304].contains(answer.head.status.rawValue)
        do {
            while hasBody, body.readableBytes < (length ?? .max),
                !isChunked || ChunkedBody.decode(body) == nil,
                let more = try await iterator.next(isolation: #isolation)
            {
                guard body.readableBytes + more.readableBytes <= ProxyTunnel.maximumBodyBytes else {
                    throw ProxyTunnel.Failure.tooLarge
                }
                body.writeImmutableBuffer(more)
            }
        } catch {
            throw Self.unreachable(error)
        }
        if isChunked {
            guard let decoded = ChunkedBody.decode(body) else {
                throw Self.unreachable(ProxyTunnel.Failure.malformed)
            }
            body = decoded
        } else if let length {
            body =
                body.getSlice(at: body.readerIndex, length: min(length, body.readableBytes))
                ?? ByteBuffer()
        }
        try await self.answer(
            HTTPResponseHead(
                status: answer.head.status,
                fields: ChunkedBody.unframed(answer.head.fields)
            )
        )
        try? await self.exchange.response.write(body)
        try? await self.exchange.response.finish()
    }
}
