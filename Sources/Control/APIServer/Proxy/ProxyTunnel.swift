// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import TLS

/// A connection to a backend for one request that asks for another protocol.
///
/// The backend's answer is read here, byte by byte as it were: only 101 opens the way for what the
/// client sends next; after any other answer both ends are closed (CVE-2018-1002105).
struct ProxyTunnel: Sendable {
    typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// How the backend has answered.
    struct Answer: Sendable {
        var head: HTTPResponseHead
        /// What came behind the head.
        var rest: ByteBuffer
    }

    enum Failure: Error, Equatable {
        case malformed
        case tooLarge
        case closed
    }

    /// The longest head of an answer.
    static let maximumHeadBytes = 64 << 10
    /// The longest answer that is no upgrade.
    static let maximumBodyBytes = 1 << 20

    /// Connects; with TLS, returns when it is known that the server is the right one.
    static func connect(
        to target: ProxyTarget,
        timeout: Duration,
        on eventLoop: any EventLoop
    ) async throws -> Stream {
        let checked = eventLoop.makePromise(of: Void.self)
        let stream: Stream
        do {
            stream = try await ClientBootstrap(group: eventLoop)
                .connectTimeout(.nanoseconds(timeout.nanosecondCount))
                .connect(host: target.host, port: target.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls = target.tls {
                            let isName =
                                (try? SocketAddress(
                                    ipAddress: target.host,
                                    port: 0
                                )) == nil
                            try pipeline.addHandler(
                                NIOSSLClientHandler(
                                    context: tls.context(),
                                    serverHostname: isName ? target.host : nil
                                )
                            )
                            try pipeline.addHandler(
                                ServerCheck(tls, host: target.host, done: checked)
                            )
                        } else {
                            checked.succeed(())
                        }
                        return try Stream(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(isOutboundHalfClosureEnabled: true)
                        )
                    }
                }
        } catch {
            checked.fail(error)
            throw error
        }
        do {
            try await checked.futureResult.get()
        } catch {
            try? await stream.executeThenClose { _, _ in }
            throw error
        }
        return stream
    }

    /// A request's head as it goes to the backend.
    static func head(
        _ request: HTTPRequest,
        authority: String,
        path: String,
        _ fields: HeaderFields
    ) -> ByteBuffer {
        var text = "\(request.head.method.name) \(path) HTTP/1.1\r\nhost: \(authority)\r\n"
        for (name, value) in fields where name != .contentLength {
            text += "\(name.text): \(value)\r\n"
        }
        let wanted = request.head.fields.values(of: .upgrade).joined(separator: ", ")
        text += "connection: Upgrade\r\nupgrade: \(wanted)\r\n\r\n"
        return ByteBuffer(string: text)
    }

    /// Reads the head of the answer.
    static func answer(
        _ iterator: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    ) async throws -> Answer {
        var bytes = ByteBuffer()
        while true {
            if let end = Self.endOfHead(bytes) {
                let head = bytes.readSlice(length: end) ?? ByteBuffer()
                guard let parsed = Self.parse(String(buffer: head)) else {
                    throw Failure.malformed
                }
                // Interim answers come before the one that counts.
                if parsed.status.isInformational, parsed.status != .switchingProtocols { continue }
                return Answer(head: parsed, rest: bytes)
            }
            guard bytes.readableBytes <= Self.maximumHeadBytes else { throw Failure.tooLarge }
            guard let more = try await iterator.next(isolation: #isolation) else {
                throw Failure.closed
            }
            bytes.writeImmutableBuffer(more)
        }
    }

    private static func endOfHead(_ bytes: ByteBuffer) -> Int? {
        let view = bytes.readableBytesView
        guard view.count >= 4 else { return nil }
        let mark: [UInt8] = [13, 10, 13, 10]
        var index = view.startIndex
        while index + 4 <= view.endIndex {
            if view[index..<index + 4].elementsEqual(mark) { return index + 4 - view.startIndex }
            index += 1
        }
        return nil
    }

    /// Reads a status line and fields.
    static func parse(_ text: String) -> HTTPResponseHead? {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard !lines.isEmpty else { return nil }
        let words = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0",
            words[1].utf8.count == 3, let code = Int(words[1]),
            let status = HTTPStatus(peer: code)
        else { return nil }
        var fields = HeaderFields()
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), let name = HeaderName(line[..<colon]) else {
                return nil
            }
            let value = line[line.index(after: colon)...].utf8
                .drop { $0 == 0x20 || $0 == 0x09 }
            guard value.allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }) else { return nil }
            fields.append(name, String(decoding: value, as: UTF8.self))
        }
        return HTTPResponseHead(status: status, fields: fields)
    }
}

extension Duration {
    /// For NIO, which counts in whole nanoseconds.
    var nanosecondCount: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}

/// Checks that a server's certificate is for the name that was wanted, before anything is sent.
private final class ServerCheck: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let tls: TLSContextSource
    private let host: String
    private let done: EventLoopPromise<Void>

    init(_ tls: TLSContextSource, host: String, done: EventLoopPromise<Void>) {
        self.tls = tls
        self.host = host
        self.done = done
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.handshakeCompleted) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        do {
            let handler = try context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
            try self.tls.serverNameCheck.check(handler.peerCertificate, for: self.host)
            self.done.succeed(())
        } catch {
            self.done.fail(error)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.done.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.done.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
