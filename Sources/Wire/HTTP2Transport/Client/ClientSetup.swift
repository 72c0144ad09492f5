// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NIOSSL
import NIOTLS
import TLS

/// Puts the handlers of a new client connection together.
struct ClientSetup: Sendable {
    let tls: TLSContextSource?
    let serverName: String?
    let version: HTTPClientConnection.VersionChoice
    let limits: HTTPLimits
    let promise: EventLoopPromise<HTTPClientConnection>

    func install(on channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let resources = LoopResources.ofCurrentThread()
            try channel.syncOptions?.setOption(.recvAllocator, value: SharedReadBufferAllocator())
            try pipeline.addHandler(ReadBufferReturner(pool: resources.readBuffers))
            if let tls = self.tls {
                try pipeline.addHandler(self.tlsHandler(tls.context()))
            }
            try pipeline.addHandler(ClientNegotiator(setup: self))
        }
    }

    /// Checks that the certificate is for the name that was wanted.
    func checkServer(_ context: ChannelHandlerContext) throws {
        guard let tls = self.tls else { return }
        let handler = try context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
        try tls.serverNameCheck.check(handler.peerCertificate, for: self.serverName)
    }

    private func tlsHandler(_ context: NIOSSLContext) throws -> NIOSSLClientHandler {
        guard let name = self.serverName else {
            return try NIOSSLClientHandler(context: context, serverHostname: nil)
        }
        // An address is never sent as SNI (RFC 6066 section 3).
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
    }
}

/// Waits for the connection and the handshake, then installs the version that was agreed on.
final class ClientNegotiator: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let setup: ClientSetup
    private var timeout: Scheduled<Void>?
    private var isDone = false

    init(setup: ClientSetup) {
        self.setup = setup
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let amount = TimeAmount.nanoseconds(self.setup.limits.handshakeTimeout.nanoseconds)
        if amount > .zero {
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            self.timeout = context.eventLoop.scheduleTask(in: amount) {
                let (negotiator, context) = bound.value
                negotiator.fail(.timedOut(.handshake), context)
            }
        }
        if context.channel.isActive { self.channelActive(context: context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.fail(.closed("the connection was closed"), context)
    }

    func channelActive(context: ChannelHandlerContext) {
        if self.setup.tls == nil {
            self.choose(self.setup.version == .http1 ? .http1 : .http2, context, nil)
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail(.closed("the server closed the connection"), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(.tls(String(describing: error)), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.handshakeCompleted(let name)) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        do {
            // Before anything of ours is sent.
            try self.setup.checkServer(context)
        } catch {
            return self.fail(.tls("\(error)"), context)
        }
        switch (self.setup.version, name) {
        case (.http1, "h2"), (.http2, "http/1.1"):
            self.fail(.tls("the server chose \(name ?? "nothing")"), context)
        case (.http2, _), (.automatic, "h2"): self.choose(.http2, context, name)
        case (.http1, _), (.automatic, _): self.choose(.http1, context, name)
        }
    }

    private func fail(_ error: HTTPConnectionError, _ context: ChannelHandlerContext) {
        guard !self.isDone else { return }
        self.isDone = true
        self.timeout?.cancel()
        self.setup.promise.fail(error)
        context.close(promise: nil)
    }

    private func choose(
        _ version: HTTPVersion,
        _ context: ChannelHandlerContext,
        _ protocolName: String?,
    ) {
        guard !self.isDone else { return }
        self.isDone = true
        self.timeout?.cancel()
        do {
            let client = try self.install(version, context, protocolName)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            self.setup.promise.succeed(client)
        } catch {
            self.setup.promise.fail(HTTPConnectionError.connectFailed(String(describing: error)))
            context.close(promise: nil)
        }
    }

    private func install(
        _ version: HTTPVersion,
        _ context: ChannelHandlerContext,
        _ protocolName: String?,
    ) throws -> HTTPClientConnection {
        let channel = context.channel
        var peer = HTTPPeer(
            version: version,
            remoteAddress: channel.remoteAddress,
            localAddress: channel.localAddress,
            isSecure: self.setup.tls != nil,
            applicationProtocol: protocolName,
        )
        if let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self),
            let certificate = tls.peerCertificate, let der = try? certificate.toDERBytes()
        {
            peer.certificates = [der]
        }
        let link = ConnectionLink(channel: channel)
        let connection = HTTPConnection(
            eventLoop: channel.eventLoop,
            peer: peer,
            close: { graceful in link.close(graceful: graceful) },
        )
        let requester: any ClientRequester
        switch version {
        case .http2:
            guard
                let session = HTTP2Session(
                    role: .client,
                    limits: self.setup.limits,
                    connection: connection,
                    handler: nil,
                    zeroCopyThreshold: peer.isSecure ? Int.max : HTTP2Session.zeroCopyByteCount,
                    now: Int64(NIODeadline.now().uptimeNanoseconds),
                )
            else { throw ChannelError.operationUnsupported }
            try context.pipeline.syncOperations.addHandler(
                HTTP2ChannelHandler(
                    session: session,
                    pool: LoopResources.ofCurrentThread().writeBuffers,
                ),
                position: .after(self),
            )
            requester = session
        case .http1:
            let handler = HTTP1ClientHandler(connection: connection, limits: self.setup.limits)
            try HTTP1ClientHandler.install(
                handler,
                limits: self.setup.limits,
                on: context.pipeline.syncOperations,
                after: self,
            )
            requester = HTTP1Requester(handler: handler)
        }
        return HTTPClientConnection(
            connection: connection,
            requester: requester,
            closed: channel.closeFuture,
        )
    }
}

/// Lets the HTTP/1.1 handler stand where a session stands.
final class HTTP1Requester: ClientRequester {
    private let handler: HTTP1ClientHandler

    init(handler: HTTP1ClientHandler) {
        self.handler = handler
    }

    var isAcceptingRequests: Bool { self.handler.isAcceptingRequests }
    var requestCount: Int { self.handler.requestCount }

    var onDraining: () -> Void {
        get { self.handler.onDraining }
        set { self.handler.onDraining = newValue }
    }

    func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver,
    ) -> HTTPStream {
        self.handler.startRequest(head, endStream: endStream, receiver: receiver)
    }
}
