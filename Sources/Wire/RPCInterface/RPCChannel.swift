// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Something that calls can be made on: a client with its connections, or a server in this process.
///
/// Stubs hold one. Any number of tasks may use a channel at once.
public protocol RPCChannel: Sendable {
    /// Starts a call.
    ///
    /// Waits for interceptors only, neither for a connection nor for the server: a call that cannot
    /// be made fails when it is read.
    ///
    /// - Throws: `CANCELLED` when the calling task is, `INTERNAL` for metadata that breaks the rules,
    ///   or what an interceptor threw.
    func start(
        _ method: RPCMethod,
        options: CallOptions
    ) async throws(RPCError)
        -> any RPCClientCall

    /// Makes a whole call with one request and one response.
    ///
    /// - Throws: the call's status when it is not `OK`; `UNIMPLEMENTED` when the server did not send
    ///   exactly one message with it.
    func unary<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ request: Request,
        options: CallOptions,
        returning response: Response.Type
    ) async throws(RPCError) -> RPCResponse<Response>
}

/// A call as a transport gives it to a client. Stubs wrap it in the types below.
public protocol RPCClientCall: RPCInbound, RPCOutbound {
    /// Says that no more requests come. Later calls do nothing.
    func finishRequests()

    /// The server's response headers: waits for them. Empty when the server sent trailers only.
    ///
    /// - Throws: the call's error when it ends before they arrive.
    func initialMetadata() async throws(RPCError) -> Metadata

    /// The server's trailers; empty before the call is over.
    var trailingMetadata: Metadata { get }

    /// Ends the call with `CANCELLED` and tells the server. Does nothing when the call is over.
    func cancel()
}

/// The response of a call with one response, and what came with it.
public struct RPCResponse<Message: RPCMessage>: Sendable {
    /// The message.
    public var message: Message
    /// The server's response headers.
    public var initialMetadata: Metadata
    /// The server's trailers.
    public var trailingMetadata: Metadata

    /// A response with its metadata.
    public init(message: Message, initialMetadata: Metadata, trailingMetadata: Metadata) {
        self.message = message
        self.initialMetadata = initialMetadata
        self.trailingMetadata = trailingMetadata
    }
}

/// Keeps a call alive: cancels it when nobody holds it any more.
@usableFromInline
final class RPCCallOwner: Sendable {
    @usableFromInline let call: any RPCClientCall

    @usableFromInline
    init(_ call: any RPCClientCall) { self.call = call }

    deinit { self.call.cancel() }
}

/// The responses of a server-streaming or bidirectional call.
///
/// Ends after the last message when the status is `OK` and throws any other status. The call is
/// cancelled when the last copy of the stream goes away before its end.
public struct RPCResponseStream<Message: RPCMessage>: AsyncSequence, Sendable {
    public typealias Element = Message
    public typealias Failure = RPCError

    @usableFromInline let owner: RPCCallOwner

    /// Reads the responses of `call`.
    @inlinable
    public init(_ call: any RPCClientCall) { self.owner = RPCCallOwner(call) }

    @usableFromInline
    init(owner: RPCCallOwner) { self.owner = owner }

    /// The next response; `nil` when the call ended with `OK`.
    @inlinable
    public func next() async throws(RPCError) -> Message? {
        try await RPCMessageReader.next(from: self.owner.call)
    }

    /// The server's response headers: waits for them.
    public func initialMetadata() async throws(RPCError) -> Metadata {
        try await self.owner.call.initialMetadata()
    }

    /// The server's trailers; empty before the call is over.
    public var trailingMetadata: Metadata { self.owner.call.trailingMetadata }

    /// Ends the call now. The server's handler is cancelled.
    public func cancel() { self.owner.call.cancel() }

    @inlinable
    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    /// Reads on; several iterators of one stream share its messages.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let stream: RPCResponseStream<Message>

        @usableFromInline
        init(stream: RPCResponseStream<Message>) { self.stream = stream }

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

/// A call with any number of requests and one response.
///
/// The call is cancelled when the last copy goes away before its end.
public struct RPCClientStreamingCall<Request: RPCMessage, Response: RPCMessage>: Sendable {
    @usableFromInline let owner: RPCCallOwner

    /// Wraps a started call.
    @inlinable
    public init(_ call: any RPCClientCall) { self.owner = RPCCallOwner(call) }

    /// Sends a request.
    ///
    /// - Throws: the call's status when the server ended it; ``finish()`` then throws the same.
    @inlinable
    public func write(_ request: Request) async throws(RPCError) {
        try await RPCWriter<Request>(self.owner.call).write(request)
    }

    /// Says that no more requests come and waits for the response.
    @inlinable
    public func finish() async throws(RPCError) -> Response {
        try await self.response().message
    }

    /// Says that no more requests come and waits for the response and its metadata.
    @inlinable
    public func response() async throws(RPCError) -> RPCResponse<Response> {
        self.owner.call.finishRequests()
        return try await RPCResponse(only: self.owner.call)
    }

    /// Ends the call now.
    public func cancel() { self.owner.call.cancel() }
}

/// A call with any number of messages both ways.
///
/// Requests and responses may be used from two tasks. The call is cancelled when the last copy of it
/// and of its responses goes away before its end.
public struct RPCBidirectionalCall<Request: RPCMessage, Response: RPCMessage>: Sendable {
    @usableFromInline let owner: RPCCallOwner

    /// Wraps a started call.
    @inlinable
    public init(_ call: any RPCClientCall) { self.owner = RPCCallOwner(call) }

    /// Sends a request.
    ///
    /// - Throws: the call's status when the server ended it.
    @inlinable
    public func write(_ request: Request) async throws(RPCError) {
        try await RPCWriter<Request>(self.owner.call).write(request)
    }

    /// Says that no more requests come.
    public func finishRequests() { self.owner.call.finishRequests() }

    /// The responses.
    public var responses: RPCResponseStream<Response> { RPCResponseStream(owner: self.owner) }

    /// Ends the call now. The server's handler is cancelled.
    public func cancel() { self.owner.call.cancel() }
}

extension RPCResponse {
    /// Reads the one response of `call`.
    @inlinable
    public init(only call: any RPCClientCall) async throws(RPCError) {
        guard let message: Message = try await RPCMessageReader.next(from: call) else {
            throw RPCError(code: .unimplemented, message: "the server sent no response message")
        }
        if let _: Message = try await RPCMessageReader.next(from: call) {
            call.cancel()
            throw RPCError(
                code: .unimplemented,
                message: "the server sent more than one response message"
            )
        }
        self.init(
            message: message,
            initialMetadata: try await call.initialMetadata(),
            trailingMetadata: call.trailingMetadata
        )
    }
}

// MARK: - What generated stubs call

extension RPCChannel {
    /// A call with one request and one response.
    @inlinable
    public func unary<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ request: Request,
        options: CallOptions
    ) async throws(RPCError) -> Response {
        try await self.unary(method, request, options: options, returning: Response.self).message
    }

    /// A call with one request and any number of responses.
    @inlinable
    public func serverStreaming<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ request: Request,
        options: CallOptions
    ) async throws(RPCError) -> RPCResponseStream<Response> {
        let stream = RPCResponseStream<Response>(try await self.start(method, options: options))
        let call = stream.owner.call
        try await RPCWriter<Request>(call).write(request)
        call.finishRequests()
        return stream
    }

    /// A call with any number of requests and one response.
    @inlinable
    public func clientStreaming<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        options: CallOptions
    ) async throws(RPCError) -> RPCClientStreamingCall<Request, Response> {
        RPCClientStreamingCall(try await self.start(method, options: options))
    }

    /// A call with any number of messages both ways.
    @inlinable
    public func bidirectional<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        options: CallOptions
    ) async throws(RPCError) -> RPCBidirectionalCall<Request, Response> {
        RPCBidirectionalCall(try await self.start(method, options: options))
    }

    /// ``unary(_:_:options:returning:)`` by way of ``start(_:options:)``.
    @inlinable
    public func unary<Request: RPCMessage, Response: RPCMessage>(
        _ method: RPCMethod,
        _ request: Request,
        options: CallOptions,
        returning response: Response.Type
    ) async throws(RPCError) -> RPCResponse<Response> {
        let call = try await self.start(method, options: options)
        let owner = RPCCallOwner(call)
        defer { withExtendedLifetime(owner) {} }
        try await RPCWriter<Request>(call).write(request)
        call.finishRequests()
        return try await RPCResponse(only: call)
    }
}
