// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import NIOPosix
import SPDYFraming
import Synchronization

/// A connection to the runtime's streaming server: an HTTP/1.1 request that is upgraded to SPDY.
///
/// Source: `k8s.io/kubelet/pkg/cri/streaming`.
final class StreamConnection: Sendable {
    /// The connection cannot be made or was lost.
    struct Failure: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    private static let connectTimeout: TimeAmount = .seconds(10)
    /// Bytes of an answer's head.
    private static let headLimit = 16 << 10
    /// The most that is taken from the connection at once. What a command writes fast then travels on
    /// in few large messages.
    private static let readBytes = 256 << 10

    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private let session = Mutex(SPDYSession(role: .client))

    private init(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) {
        self.channel = channel
    }

    /// Connects to a URL of the runtime and runs `body` with the connection, which is closed then.
    ///
    /// - Parameter onEvent: called in order with what the runtime sends.
    static func run(
        _ url: String,
        protocolName: String,
        _ body: @escaping @Sendable (StreamConnection) async throws -> Void,
        onEvent: @escaping @Sendable (SPDYSession.Event) async throws -> Bool
    ) async throws {
        let target = try Target(url)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(Self.connectTimeout)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 4 << 10,
                    initial: 16 << 10,
                    maximum: Self.readBytes
                )
            )
            .connect(host: target.host, port: target.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            let request =
                "POST \(target.path) HTTP/1.1\r\nHost: \(target.host):\(target.port)\r\n"
                + "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                + "X-Stream-Protocol-Version: \(protocolName)\r\nContent-Length: 0\r\n\r\n"
            try await outbound.write(ByteBuffer(string: request))
            let connection = StreamConnection(channel)
            var iterator = inbound.makeAsyncIterator()
            // The head of the answer; what follows it is the first of SPDY.
            var head: [UInt8] = []
            var rest: ByteBuffer?
            while rest == nil {
                guard let more = try await iterator.next() else {
                    throw Failure(description: "unable to upgrade connection: no answer")
                }
                head += Array(buffer: more)
                rest = try Self.rest(after: head).map { ByteBuffer(bytes: $0) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body(connection) }
                var isOpen = true
                while isOpen {
                    let events = try connection.session.withLock { session in
                        try session.receive((rest ?? ByteBuffer()).readableBytesView)
                    }
                    try await connection.flush()
                    for event in SPDYSession.Event.joined(events) {
                        guard try await onEvent(event) else {
                            isOpen = false
                            break
                        }
                    }
                    guard isOpen, let more = try await iterator.next() else { break }
                    rest = more
                }
                group.cancelAll()
            }
        }
    }

    /// What follows the head of the answer; nil while the head is not whole.
    private static func rest(after bytes: [UInt8]) throws(Failure) -> [UInt8]? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            guard bytes.count < Self.headLimit else {
                throw Failure(description: "unable to upgrade connection: the head is too long")
            }
            return nil
        }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        guard head.hasPrefix("HTTP/1.1 101") else {
            let line = head.split(separator: "\r\n").first ?? ""
            throw Failure(description: "unable to upgrade connection: \(line)")
        }
        return Array(bytes[end.upperBound...])
    }

    /// Opens a stream.
    func open(_ headers: [SPDYSession.Header]) async throws -> UInt32 {
        let stream = try self.session.withLock { try $0.open(headers) }
        try await self.flush()
        return stream
    }

    /// Sends on a stream; returns when the runtime has room for more.
    func send(_ bytes: [UInt8], on stream: UInt32, isEnd: Bool = false) async throws {
        self.session.withLock { $0.send(bytes, on: stream, isEnd: isEnd) }
        try await self.flush()
    }

    /// Writes what the session has to say. The lock of the event loop's queue keeps the order: it is
    /// taken from the session and handed to the channel at once.
    private func flush() async throws {
        let channel = self.channel.channel
        let written = self.session.withLock { session -> EventLoopFuture<Void>? in
            let output = session.takeOutput()
            if output.isEmpty { return nil }
            return channel.writeAndFlush(ByteBuffer(bytes: output))
        }
        try await written?.get()
    }

    private struct Target {
        var host: String
        var port: Int
        var path: String

        init(_ url: String) throws(Failure) {
            guard url.hasPrefix("http://") else {
                throw Failure(description: "the runtime's streams are at \(url)")
            }
            let rest = url.dropFirst(7)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            let authority = rest[..<slash]
            guard let colon = authority.lastIndex(of: ":"),
                let port = Int(authority[authority.index(after: colon)...])
            else { throw Failure(description: "the runtime's streams are at \(url)") }
            self.host = authority[..<colon].filter { $0 != "[" && $0 != "]" }
            self.port = port
            self.path = String(rest[slash...])
        }
    }
}
