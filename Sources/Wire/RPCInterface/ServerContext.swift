// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Who is at the other end of a call.
public struct RPCPeer: Sendable, Hashable {
    /// `ipv4:ADDRESS:PORT`, `ipv6:[ADDRESS]:PORT`, `unix:PATH` or `inprocess`.
    public var address: String
    /// The peer's verified TLS certificates in DER, its own first; empty without mutual TLS.
    public var certificates: [[UInt8]]

    /// A peer.
    public init(address: String, certificates: [[UInt8]] = []) {
        self.address = address
        self.certificates = certificates
    }
}

/// A call as a transport gives it to a server's handler. Handlers use ``ServerContext``.
public protocol RPCServerCall: RPCInbound, RPCOutbound {
    /// The method that was called.
    var method: RPCMethod { get }
    /// Who calls.
    var peer: RPCPeer { get }
    /// The request's metadata.
    var requestMetadata: Metadata { get }
    /// When the call must be over.
    var deadline: ContinuousClock.Instant? { get }
    /// Whether nobody waits for the answer any more.
    var isCancelled: Bool { get }
    /// Compression of responses from the next message on, if the client accepts it.
    var compression: RPCCompression { get set }
    /// Whether the request that was taken last came compressed.
    var isRequestCompressed: Bool { get }
    /// A slot for interceptors, see ``ServerContext/attachment``.
    var attachment: (any Sendable)? { get set }
    /// Response headers; does nothing once they are sent.
    func addInitialMetadata(_ metadata: Metadata)
    /// Sends the response headers now instead of with the first message.
    func sendInitialMetadata() throws(RPCError)
    /// Trailers that go with the status.
    func addTrailingMetadata(_ metadata: Metadata)

    /// Runs the call's interceptors around `handler` in a task of its own that is cancelled when the
    /// call is, then ends the call with `OK` or with what was thrown.
    func run(_ handler: @escaping @Sendable () async throws -> Void)
}

/// What a handler knows and may say about the call it serves, apart from the messages.
public struct ServerContext: Sendable {
    /// The call.
    public let call: any RPCServerCall

    /// The context of `call`.
    @inlinable
    public init(_ call: any RPCServerCall) { self.call = call }

    /// The method that was called.
    public var method: RPCMethod { self.call.method }
    /// Who calls.
    public var peer: RPCPeer { self.call.peer }
    /// The request's metadata.
    public var metadata: Metadata { self.call.requestMetadata }
    /// When the call must be over; `nil` without a deadline.
    public var deadline: ContinuousClock.Instant? { self.call.deadline }
    /// Whether the client cancelled, its connection is gone or the deadline passed. The handler's
    /// task is cancelled at the same time.
    public var isCancelled: Bool { self.call.isCancelled }

    /// Adds response headers. Does nothing once they are sent.
    public func addInitialMetadata(_ metadata: Metadata) { self.call.addInitialMetadata(metadata) }

    /// Sends the response headers now instead of with the first message.
    public func sendInitialMetadata() throws(RPCError) { try self.call.sendInitialMetadata() }

    /// Adds trailers.
    public func addTrailingMetadata(_ metadata: Metadata) {
        self.call.addTrailingMetadata(metadata)
    }

    /// Compression of responses from the next message on; ignored when the client does not accept
    /// it.
    public var compression: RPCCompression {
        get { self.call.compression }
        nonmutating set { self.call.compression = newValue }
    }

    /// Whether the request that was read last came compressed.
    public var isRequestCompressed: Bool { self.call.isRequestCompressed }

    /// What an interceptor leaves for the handler, such as who the caller was found to be.
    public var attachment: (any Sendable)? {
        get { self.call.attachment }
        nonmutating set { self.call.attachment = newValue }
    }
}
