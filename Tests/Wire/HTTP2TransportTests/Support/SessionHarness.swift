// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NIOEmbedded

@testable import HTTP2Transport

/// A session without a socket, with a clock of its own.
final class SessionHarness {
    let loop = EmbeddedEventLoop()
    let session: HTTP2Session
    let handler: RecordingHandler
    var now: Int64 = 1_000_000_000
    var sent: [UInt8] = []

    init?(
        role: HTTP2Session.Role = .server,
        limits: HTTPLimits = HTTPLimits(),
        behaviour: RecordingHandler.Behaviour = .echo,
        ageJitter: Double = 0,
    ) {
        let handler = RecordingHandler(behaviour)
        let connection = HTTPConnection(
            eventLoop: self.loop,
            peer: HTTPPeer(version: .http2),
            close: { _ in },
        )
        guard
            let session = HTTP2Session(
                role: role,
                limits: limits,
                connection: connection,
                handler: role == .server ? handler : nil,
                now: 1_000_000_000,
                ageJitter: ageJitter,
            )
        else { return nil }
        self.handler = handler
        self.session = session
    }

    deinit {
        self.session.close(.closed("test"))
    }

    /// Feeds bytes and takes what is sent in answer.
    @discardableResult
    func feed(_ bytes: [UInt8], advancing nanoseconds: Int64 = 0) -> [Frames.Read] {
        self.now += nanoseconds
        self.session.receive(ByteBuffer(bytes: bytes), now: self.now)
        return self.flush()
    }

    @discardableResult
    func flush() -> [Frames.Read] {
        var bytes: [UInt8] = []
        while true {
            let more = self.session.produce(now: self.now)
            let before = bytes.count
            self.session.output.drain { bytes += Array($0.readableBytesView) }
            if !more || bytes.count == before { break }
        }
        self.sent += bytes
        return Frames.parse(bytes)
    }

    func tick(after nanoseconds: Int64) -> [Frames.Read] {
        self.now += nanoseconds
        self.session.tick(now: self.now)
        return self.flush()
    }
}

/// Notes what happens and answers in a few ways.
final class RecordingHandler: HTTPConnectionHandler {
    enum Behaviour {
        /// Sends the request body back when it has ended.
        case echo
        /// Takes the request and does nothing.
        case silent
        /// Like `silent`, and never consumes what it gets.
        case greedy
    }

    let behaviour: Behaviour
    var streams: [Receiver] = []
    var connectionsClosed = 0

    init(_ behaviour: Behaviour) {
        self.behaviour = behaviour
    }

    func startStream(
        _ stream: HTTPStream,
        head: HTTPRequestHead,
    ) -> any HTTPStreamReceiver {
        let receiver = Receiver(stream, head, self.behaviour)
        self.streams.append(receiver)
        return receiver
    }

    func connectionClosed(_ connection: HTTPConnection) { self.connectionsClosed += 1 }

    final class Receiver: HTTPStreamReceiver {
        let stream: HTTPStream
        let head: HTTPRequestHead
        private let behaviour: Behaviour
        var heads: [HTTPResponseHead] = []
        var body: [UInt8] = []
        var trailers: HeaderFields?
        var ended = false
        var writability: [Bool] = []
        var closures: [HTTPStreamClosure] = []

        init(_ stream: HTTPStream, _ head: HTTPRequestHead, _ behaviour: Behaviour) {
            self.stream = stream
            self.head = head
            self.behaviour = behaviour
        }

        func received(head: HTTPResponseHead) { self.heads.append(head) }

        func received(data: ByteBuffer) {
            self.body += Array(data.readableBytesView)
            if self.behaviour != .greedy { self.stream.consume(data.readableBytes) }
        }

        func received(trailers: HeaderFields) { self.trailers = trailers }

        func receivedEnd() {
            self.ended = true
            guard case .echo = self.behaviour else { return }
            self.stream.send(HTTPResponseHead(status: .ok))
            self.stream.send(ByteBuffer(bytes: self.body), endStream: true)
        }

        func writabilityChanged(_ isWritable: Bool) { self.writability.append(isWritable) }
        func closed(_ reason: HTTPStreamClosure) { self.closures.append(reason) }
    }
}
