// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes the HTTP/2 session with sequences of frames.
//
// Strategy: the first byte chooses the side, whether a greeting stands in front, and how the
// application behaves. The rest is a list of steps: a byte for the kind, a byte for a length, and
// as many bytes. A step feeds raw bytes, or a whole frame whose header is made from the bytes (so
// that the fuzzer need not find lengths), or lets time pass, or lets a stream send, end or reset.
//
// Invariants:
// - every stream that was handed to the application is closed exactly once when the session ends,
//   and hears nothing after that;
// - a receiver never gets more unconsumed bytes than the connection's window;
// - what is ready to leave is bounded: producing comes to an end;
// - after the session has stopped reading, it starts no stream.
// Nothing traps.

import HTTP
import HTTP2Transport
import NIOCore
import NIOEmbedded

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP2Session(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    Run(first)?.play(input.dropFirst())
    return 0
}

private final class Run {
    private let loop = EmbeddedEventLoop()
    private let session: HTTP2Session
    private let application: Application
    private var now: Int64 = 1_000_000_000
    private let isClient: Bool

    init?(_ choices: UInt8) {
        self.isClient = choices & 1 != 0
        let application = Application(behaviour: choices >> 2)
        let connection = HTTPConnection(
            eventLoop: self.loop,
            peer: HTTPPeer(version: .http2),
            close: { _ in },
        )
        var limits = HTTPLimits()
        limits.streamWindowBytes = 1000
        limits.connectionWindowBytes = 100_000
        limits.streamSendBufferBytes = 1000
        limits.headerListBytes = 2000
        limits.keepaliveInterval = .seconds(10)
        limits.bodyIdleTimeout = .seconds(20)
        guard
            let session = HTTP2Session(
                role: self.isClient ? .client : .server,
                limits: limits,
                connection: connection,
                handler: self.isClient ? nil : application,
                now: self.now,
            )
        else { return nil }
        self.session = session
        self.application = application
        if choices & 2 != 0 {
            let preface = self.isClient ? [] : Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
            self.feed(preface + [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 0, 4, 1, 0, 0, 0, 0])
        }
    }

    func play(_ steps: ArraySlice<UInt8>) {
        var rest = steps
        while let kind = rest.popFirst(), let length = rest.popFirst() {
            let bytes = Array(rest.prefix(Int(length)))
            rest = rest.dropFirst(Int(length))
            switch kind % 8 {
            case 0: self.feed(bytes)
            case 1, 2, 3: self.feed(Self.frame(bytes))
            case 4: self.advance(bytes)
            case 5: self.request(bytes)
            case 6: self.application.act(bytes)
            default: self.flush()
            }
        }
        self.flush()
        self.session.close(.closed("the end of the input"))
        self.loop.run()
        self.application.checkEnd()
    }

    /// A frame from type, flags, stream and payload.
    private static func frame(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 3 else { return bytes }
        let payload = bytes.dropFirst(3)
        return [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), bytes[0] % 11, bytes[1]]
            + [0, 0, 0, bytes[2]] + payload
    }

    private func feed(_ bytes: [UInt8]) {
        let started = self.application.startedCount
        let read = self.session.wantsInput
        self.session.receive(ByteBuffer(bytes: bytes), now: self.now)
        require(read || self.application.startedCount == started, "a stream after the end")
        self.flush()
    }

    private func flush() {
        var rounds = 0
        while self.session.produce(now: self.now), !self.session.output.isEmpty {
            self.session.output.drain { _ in }
            rounds += 1
            require(rounds < 10_000, "producing does not end")
        }
        self.session.output.drain { _ in }
    }

    private func advance(_ bytes: [UInt8]) {
        self.now += Int64(bytes.count) * 1_000_000_000
        self.session.tick(now: self.now)
        self.flush()
    }

    private func request(_ bytes: [UInt8]) {
        guard self.isClient else { return }
        let head = HTTPRequestHead(
            method: .post,
            authority: "x",
            path: "/" + String(decoding: bytes, as: UTF8.self),
        )
        let receiver = self.application.receiver()
        receiver.stream = self.session.startRequest(
            head,
            endStream: bytes.count & 1 == 0,
            receiver: receiver,
        )
        self.flush()
    }
}

private final class Application: HTTPConnectionHandler {
    private let behaviour: UInt8
    private var receivers: [Receiver] = []
    var startedCount: Int { self.receivers.count }

    init(behaviour: UInt8) {
        self.behaviour = behaviour
    }

    func startStream(_ stream: HTTPStream, head: HTTPRequestHead) -> any HTTPStreamReceiver {
        let receiver = self.receiver()
        receiver.stream = stream
        _ = head.description
        if self.behaviour & 4 != 0 { stream.send(HTTPResponseHead(status: .ok)) }
        return receiver
    }

    func receiver() -> Receiver {
        let receiver = Receiver(behaviour: self.behaviour)
        self.receivers.append(receiver)
        return receiver
    }

    /// Lets a stream do something.
    func act(_ bytes: [UInt8]) {
        guard let first = bytes.first, !self.receivers.isEmpty,
            let stream = self.receivers[Int(first) % self.receivers.count].stream
        else { return }
        switch bytes.dropFirst().first.map({ $0 % 6 }) ?? 0 {
        case 0: stream.send(HTTPResponseHead(status: .ok))
        case 1: stream.send(ByteBuffer(bytes: bytes))
        case 2: stream.send(ByteBuffer(repeating: 1, count: bytes.count * 100), endStream: true)
        case 3: stream.send(trailers: [.grpcStatus: "0"])
        case 4: stream.reset(.cancel)
        default: stream.consume(bytes.count * 10)
        }
    }

    func checkEnd() {
        for receiver in self.receivers {
            require(receiver.closures == 1, "a stream was not closed once")
        }
    }

    final class Receiver: HTTPStreamReceiver {
        var stream: HTTPStream?
        var closures = 0
        private let behaviour: UInt8
        private var received = 0

        init(behaviour: UInt8) {
            self.behaviour = behaviour
        }

        func received(head: HTTPResponseHead) {
            require(self.closures == 0, "a head after the end")
        }

        func received(data: ByteBuffer) {
            require(self.closures == 0, "data after the end")
            require(data.readableBytes > 0, "empty data")
            if self.behaviour & 1 != 0 {
                self.stream?.consume(data.readableBytes)
            } else {
                self.received += data.readableBytes
                require(self.received <= 200_000, "more than the windows allow")
            }
            if self.behaviour & 2 != 0 { self.stream?.send(data) }
        }

        func received(trailers: HeaderFields) {
            require(self.closures == 0, "trailers after the end")
            _ = trailers.description
        }

        func receivedEnd() {
            require(self.closures == 0, "an end after the end")
            if self.behaviour & 8 != 0 { self.stream?.send(trailers: [.grpcStatus: "0"]) }
        }

        func closed(_ reason: HTTPStreamClosure) {
            self.closures += 1
            self.stream = nil
        }
    }
}

/// Ends the program with `message`, also in a release build, when an invariant does not hold.
private func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}
