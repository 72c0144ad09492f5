// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import HTTP
import NIOCore
public import RPCInterface
import Synchronization

/// How a server treats its calls.
public struct RPCServerOptions: Sendable {
    /// The limits.
    public var limits = RPCLimits()
    /// What runs around every handler, outermost first.
    public var interceptors: [any ServerInterceptor] = []
    /// Compression of responses to clients that accept it, unless the handler says otherwise.
    public var compression: RPCCompression = .identity

    /// The defaults.
    public init() {}
}

/// Serves RPC on HTTP connections: requests with `content-type: application/grpc` and its variants
/// go to the services, all others to another handler.
public struct RPCHTTPHandler: HTTPServerHandler {
    let core: ServerCore
    private let other: (any HTTPServerHandler)?

    /// A handler for services.
    ///
    /// - Parameter other: who answers requests that are not RPC; without one they get 415.
    public init(
        services: [any RPCService],
        options: RPCServerOptions = RPCServerOptions(),
        other: (any HTTPServerHandler)? = nil
    ) {
        self.init(table: RPCServiceTable(services), options: options, other: other)
    }

    /// A handler for a table of services.
    public init(
        table: RPCServiceTable,
        options: RPCServerOptions = RPCServerOptions(),
        other: (any HTTPServerHandler)? = nil
    ) {
        self.core = ServerCore(table: table, options: options)
        self.other = other
    }

    public func handler(for connection: HTTPConnection) -> any HTTPConnectionHandler {
        ServerConnection(
            core: self.core,
            connection: connection,
            other: self.other?.handler(for: connection)
        )
    }
}

/// What all connections of a server share.
final class ServerCore: Sendable {
    let table: RPCServiceTable
    let options: RPCServerOptions
    /// The interceptors if all of them only look on; `nil` if one needs a task around handlers.
    let observers: [any ServerObserver]?
    /// Calls that run now. Relaxed: a limit, not a lock.
    let runningCalls = Atomic<Int>(0)
    private let answers = Mutex<[ObjectIdentifier: DeferredAnswers]>([:])

    init(table: RPCServiceTable, options: RPCServerOptions) {
        self.table = table
        self.options = options
        let observers = options.interceptors.compactMap { $0 as? any ServerObserver }
        self.observers = observers.count == options.interceptors.count ? observers : nil
    }

    /// The answers on their way to `loop`.
    func answers(to loop: any EventLoop) -> DeferredAnswers {
        self.answers.withLock { answers in
            let key = ObjectIdentifier(loop)
            if let known = answers[key] { return known }
            let new = DeferredAnswers(loop)
            answers[key] = new
            return new
        }
    }
}

/// One connection of a server. On its event loop.
final class ServerConnection: HTTPConnectionHandler {
    let core: ServerCore
    let executor: LoopExecutor
    let answers: DeferredAnswers
    let peer: RPCPeer
    private let other: (any HTTPConnectionHandler)?
    /// The last header block and what it said: clients repeat themselves.
    private var lastPlan: CallPlan?

    init(core: ServerCore, connection: HTTPConnection, other: (any HTTPConnectionHandler)?) {
        self.core = core
        self.executor = LoopExecutor(connection.eventLoop)
        self.answers = core.answers(to: connection.eventLoop)
        self.peer = RPCPeer(connection.peer)
        self.other = other
    }

    func startStream(_ stream: HTTPStream, head: HTTPRequestHead) -> any HTTPStreamReceiver {
        let plan: CallPlan
        if let last = self.lastPlan, last.fits(head) {
            plan = last
        } else {
            guard CompressionNegotiation.isRPC(head.fields) else {
                return self.startOther(stream, head: head)
            }
            do throws(RPCError) {
                plan = try CallPlan.parse(
                    head,
                    in: self.core.table,
                    maxTimeout: self.core.options.limits.maxTimeout
                )
            } catch {
                return self.refuse(stream, error)
            }
            self.lastPlan = plan
        }
        let running = self.core.runningCalls.add(1, ordering: .relaxed).newValue
        guard running <= self.core.options.limits.concurrentCalls else {
            self.callClosed()
            return self.refuse(
                stream,
                RPCError(code: .resourceExhausted, message: "too many calls at once")
            )
        }
        let call = ServerCall(stream: stream, plan: plan, connection: self)
        call.begin()
        return call
    }

    func callClosed() {
        self.core.runningCalls.subtract(1, ordering: .relaxed)
    }

    func connectionClosed(_ connection: HTTPConnection) {
        self.lastPlan = nil
        self.other?.connectionClosed(connection)
    }

    private func startOther(
        _ stream: HTTPStream,
        head: HTTPRequestHead
    ) -> any HTTPStreamReceiver {
        if let other = self.other { return other.startStream(stream, head: head) }
        stream.send(HTTPResponseHead(status: .unsupportedMediaType), endStream: true)
        return DiscardingReceiver(stream)
    }

    private func refuse(_ stream: HTTPStream, _ error: RPCError) -> any HTTPStreamReceiver {
        stream.send(
            ResponseHeads.trailersOnly(
                error,
                messageLimit: self.core.options.limits.statusMessageBytes
            ),
            endStream: true
        )
        return DiscardingReceiver(stream)
    }
}

/// Ignores what a refused request still sends.
final class DiscardingReceiver: HTTPStreamReceiver {
    private var stream: HTTPStream?

    init(_ stream: HTTPStream) { self.stream = stream }

    func received(data: ByteBuffer) { self.stream?.consume(data.readableBytes) }
    func received(trailers: HeaderFields) {}
    func receivedEnd() {}
    func closed(_ reason: HTTPStreamClosure) { self.stream = nil }
}

extension RPCPeer {
    /// The peer of an HTTP connection.
    init(_ peer: HTTPPeer) {
        let address =
            switch peer.remoteAddress {
            case .v4(let address)?: "ipv4:\(address.host):\(peer.remoteAddress?.port ?? 0)"
            case .v6(let address)?: "ipv6:[\(address.host)]:\(peer.remoteAddress?.port ?? 0)"
            case .unixDomainSocket?: "unix:\(peer.remoteAddress?.pathname ?? "")"
            case nil: "unix:"
            }
        self.init(address: address, certificates: peer.certificates)
    }
}
