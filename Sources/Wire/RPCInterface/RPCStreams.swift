// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// What a side of a call finds when it looks for a message.
public enum RPCInboundStep: Sendable, Hashable {
    /// A message was there and has been taken.
    case message
    /// None is there yet.
    case wait
    /// The peer sends no more and all is well. On the client: the status was `OK`.
    case end
}

/// The messages that arrive on a call. Transports implement it; stubs use ``RPCResponseStream`` and
/// ``RPCRequestStream``.
///
/// One task at a time reads a call.
public protocol RPCInbound: AnyObject, Sendable {
    /// Decodes the next message when one is there.
    ///
    /// Never blocks for the network. `decode` is called at most once, before this returns, with
    /// bytes that are valid during that call. An error of `decode` ends the call with `INTERNAL`.
    ///
    /// - Throws: the call's error, once the messages before it have been taken.
    func take(_ decode: (UnsafeRawBufferPointer) throws -> Void) throws(RPCError) -> RPCInboundStep

    /// Returns when ``take(_:)`` will find something else than ``RPCInboundStep/wait``.
    ///
    /// - Throws: `CANCELLED` when the reading task is cancelled; a client's call is then cancelled,
    ///   too.
    func waitForMessage() async throws(RPCError)
}

/// The messages that a side of a call sends. Transports implement it; stubs use ``RPCWriter``.
///
/// One task at a time writes a call.
public protocol RPCOutbound: AnyObject, Sendable {
    /// Encodes a message into the call's buffer, to be sent soon.
    ///
    /// Never blocks for the network. `encode` is called at most once, before this returns.
    ///
    /// - Returns: whether there is room for more; if not, ``waitForRoom()`` comes before the next.
    /// - Throws: the call's error if it is over, `RESOURCE_EXHAUSTED` when the message is larger
    ///   than the limit, `INTERNAL` when `encode` throws.
    func append(_ encode: (inout RPCByteSink) throws -> Void) throws(RPCError) -> Bool

    /// Returns when the peer has read enough that there is room again.
    ///
    /// - Throws: the call's error when it ends meanwhile, `CANCELLED` when the writing task is
    ///   cancelled; a client's call is then cancelled, too.
    func waitForRoom() async throws(RPCError)
}

/// Sends messages of one type on a call.
///
/// A writer that is faster than its peer is suspended: at most the transport's window and one
/// buffer are under way.
public struct RPCWriter<Message: RPCMessage>: Sendable {
    /// The call.
    public let outbound: any RPCOutbound

    /// Writes to `outbound`.
    @inlinable
    public init(_ outbound: any RPCOutbound) { self.outbound = outbound }

    /// Sends a message; messages written without a pause travel together.
    ///
    /// - Throws: the call's error if it is over, `RESOURCE_EXHAUSTED` when the message is larger
    ///   than the limit.
    @inlinable
    public func write(_ message: Message) async throws(RPCError) {
        let hasRoom = try self.outbound.append { sink in try message.encodeRPC(to: &sink) }
        if !hasRoom { try await self.outbound.waitForRoom() }
    }

    /// Sends several messages.
    @inlinable
    public func write(contentsOf messages: some Sequence<Message>) async throws(RPCError) {
        for message in messages {
            try await self.write(message)
        }
    }
}

/// The requests of a client-streaming or bidirectional call, as its handler reads them.
public struct RPCRequestStream<Message: RPCMessage>: AsyncSequence, Sendable {
    public typealias Element = Message
    public typealias Failure = RPCError

    /// The call.
    public let inbound: any RPCInbound

    /// Reads from `inbound`.
    @inlinable
    public init(_ inbound: any RPCInbound) { self.inbound = inbound }

    /// The next request; `nil` when the client has sent its last.
    ///
    /// - Throws: the call's error: cancelled, deadline exceeded, a request too large or not
    ///   decodable, a lost connection.
    @inlinable
    public func next() async throws(RPCError) -> Message? {
        try await RPCMessageReader.next(from: self.inbound)
    }

    @inlinable
    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    /// Reads on; several iterators of one stream share its messages.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let stream: RPCRequestStream<Message>

        @usableFromInline
        init(stream: RPCRequestStream<Message>) { self.stream = stream }

        @inlinable
        public mutating func next() async throws -> Message? { try await self.stream.next() }

        @inlinable
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(RPCError) -> Message? {
            try await self.stream.next()
        }
    }
}

/// The loop that both directions read with.
@usableFromInline
enum RPCMessageReader {
    @inlinable
    static func next<Message: RPCMessage>(
        from inbound: any RPCInbound
    ) async throws(RPCError) -> Message? {
        while true {
            var message: Message?
            let step = try inbound.take { bytes in message = try Message(rpcBytes: bytes) }
            switch step {
            case .message: return message
            case .end: return nil
            case .wait: try await inbound.waitForMessage()
            }
        }
    }
}
