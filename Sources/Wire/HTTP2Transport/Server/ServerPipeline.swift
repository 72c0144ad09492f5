// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import HTTP
import NIOCore
import NIOSSL
import NIOTLS
import TLS

/// Puts the handlers of a new server connection together.
struct ServerPipeline: Sendable {
    let tls: TLSContextSource?
    let handler: any HTTPServerHandler
    let limits: HTTPLimits
    let connections: ServerConnections
    let isTCP: Bool

    func install(on channel: any Channel) -> EventLoopFuture<Void> {
        guard self.connections.add(channel) else { return channel.close() }
        let connections = self.connections
        channel.closeFuture.whenComplete { _ in connections.remove(channel) }
        return channel.eventLoop.makeCompletedFuture {
            let resources = LoopResources.ofCurrentThread()
            let pipeline = channel.pipeline.syncOperations
            if let options = channel.syncOptions {
                try options.setOption(.recvAllocator, value: SharedReadBufferAllocator())
                if self.isTCP { try options.setOption(.tcpOption(.tcp_nodelay), value: 1) }
            }
            try pipeline.addHandler(ReadBufferReturner(pool: resources.readBuffers))
            if let tls = self.tls {
                var configuration = NIOSSLHandler.Configuration()
                configuration.maximumPreservedOutboundBufferCapacity = Self.keptTLSBufferBytes
                try pipeline.addHandler(
                    NIOSSLServerHandler(context: tls.context(), configuration: configuration)
                )
            }
            try pipeline.addHandler(ProtocolNegotiator(pipeline: self))
        }
    }

    /// What a TLS connection keeps of its write buffer between writes.
    private static let keptTLSBufferBytes = 1024
}

/// Finds out which version a connection speaks and puts that version's handlers in its place.
final class ProtocolNegotiator: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// RFC 9113 section 3.4.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let pipeline: ServerPipeline
    private var received: ByteBuffer?
    private var timeout: Scheduled<Void>?
    private var isDone = false
    private var isShuttingDown = false

    init(pipeline: ServerPipeline) {
        self.pipeline = pipeline
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let amount = TimeAmount.nanoseconds(self.pipeline.limits.handshakeTimeout.nanoseconds)
        guard amount > .zero else { return }
        self.timeout = context.eventLoop.scheduleTask(in: amount) {
            // Half a handshake, or a preface that never ends.
            bound.value.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timeout?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timeout?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.timeout?.cancel()
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.shutdownGracefully) = event as? ConnectionEvent {
            // Nothing has been promised to this peer yet.
            context.close(promise: nil)
            return
        }
        if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent {
            context.close(promise: nil)
            return
        }
        guard case .some(.handshakeCompleted(let name)) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        // A client without ALPN may still speak either version; its first bytes tell.
        if let name { self.choose(name == "h2" ? .http2 : .http1, context, protocolName: name) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        guard !self.isDone else { return context.fireChannelRead(data) }
        var all = self.received ?? ByteBuffer()
        all.writeImmutableBuffer(bytes)
        self.received = all
        let view = all.readableBytesView
        let length = min(view.count, Self.preface.count)
        if !view.prefix(length).elementsEqual(Self.preface.prefix(length)) {
            self.choose(.http1, context, protocolName: nil)
        } else if length == Self.preface.count {
            self.choose(.http2, context, protocolName: nil)
        }
    }

    private func choose(
        _ version: HTTPVersion,
        _ context: ChannelHandlerContext,
        protocolName: String?,
    ) {
        guard !self.isDone else { return }
        self.isDone = true
        self.timeout?.cancel()
        do {
            let peer = self.peer(version, context, protocolName: protocolName)
            switch version {
            case .http2: try self.startHTTP2(context, peer)
            case .http1: try self.startHTTP1(context, peer)
            }
        } catch {
            return context.close(promise: nil)
        }
        if let received = self.received {
            self.received = nil
            context.fireChannelRead(self.wrapInboundOut(received))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    private func peer(
        _ version: HTTPVersion,
        _ context: ChannelHandlerContext,
        protocolName: String?,
    ) -> HTTPPeer {
        var peer = HTTPPeer(
            version: version,
            remoteAddress: context.channel.remoteAddress,
            localAddress: context.channel.localAddress,
        )
        if let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self) {
            peer.isSecure = true
            peer.applicationProtocol = protocolName
            if let certificate = tls.peerCertificate, let der = try? certificate.toDERBytes() {
                peer.certificates = [der]
            }
        }
        return peer
    }

    private func startHTTP2(_ context: ChannelHandlerContext, _ peer: HTTPPeer) throws {
        let channel = context.channel
        let link = ConnectionLink(channel: channel)
        let connection = HTTPConnection(
            eventLoop: channel.eventLoop,
            peer: peer,
            close: { graceful in link.close(graceful: graceful) },
        )
        guard
            let session = HTTP2Session(
                role: .server,
                limits: self.pipeline.limits,
                connection: connection,
                handler: self.pipeline.handler.handler(for: connection),
                zeroCopyThreshold: peer.isSecure ? Int.max : HTTP2Session.zeroCopyByteCount,
                now: Int64(NIODeadline.now().uptimeNanoseconds),
                ageJitter: Double.random(in: -1...1),
            )
        else { throw ChannelError.operationUnsupported }
        let resources = LoopResources.ofCurrentThread()
        try context.pipeline.syncOperations.addHandler(
            HTTP2ChannelHandler(session: session, pool: resources.writeBuffers),
            position: .after(self),
        )
    }

    private func startHTTP1(_ context: ChannelHandlerContext, _ peer: HTTPPeer) throws {
        let link = ConnectionLink(channel: context.channel)
        let connection = HTTPConnection(
            eventLoop: context.eventLoop,
            peer: peer,
            close: { graceful in link.close(graceful: graceful) },
        )
        let handler = HTTP1ServerHandler(
            connection: connection,
            handler: self.pipeline.handler.handler(for: connection),
            limits: self.pipeline.limits,
        )
        try HTTP1ServerHandler.install(
            handler,
            limits: self.pipeline.limits,
            on: context.pipeline.syncOperations,
            after: self,
        )
    }
}

/// Lets an `HTTPConnection` reach its channel without owning it.
final class ConnectionLink {
    private weak var channel: (any Channel)?

    init(channel: any Channel) {
        self.channel = channel
    }

    func close(graceful: Bool) {
        if graceful {
            self.channel?.pipeline.fireUserInboundEventTriggered(
                ConnectionEvent.shutdownGracefully
            )
        } else {
            self.channel?.close(promise: nil)
        }
    }
}
