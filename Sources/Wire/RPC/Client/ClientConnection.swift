// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import NIOCore
import RPCInterface

/// One connection of a client through its lives: it connects when calls want it, and again when it
/// was lost.
final class ClientConnection: @unchecked Sendable {
    // SAFETY (Sendable): everything but the constants is used on `loop` only, asserted at entry.

    let loop: any EventLoop
    let core: ClientCore
    private var machine: ConnectionMachine
    private var transport: (any ClientTransport)?
    private var waiting: [ClientCall] = []
    private var timer: NIOScheduledCallback?
    private var lastFailure = RPCError(code: .unavailable, message: "not connected")
    private var lastTemplate: (path: String, head: HTTPRequestHead)?
    private var templates: [String: HTTPRequestHead] = [:]

    /// Header blocks that are kept, one a method.
    private static let keptTemplates = 1024

    init(loop: any EventLoop, core: ClientCore, seed: UInt64) {
        self.loop = loop
        self.core = core
        self.machine = ConnectionMachine(backoff: core.options.backoff, seed: seed)
    }

    /// A call wants to start.
    func submit(_ call: ClientCall) {
        self.loop.assertInEventLoop()
        if let transport = self.transport,
            !transport.isAcceptingRequests || transport.isOutdated
        {
            self.transport = nil
            self.machine.connectionLost()
            transport.close(gracefully: true)
        }
        switch self.machine.submit(waitsForReady: call.waitsForReady) {
        case .open:
            guard let transport = self.transport else { return }
            call.open(on: transport)
        case .wait:
            self.wait(call)
        case .connectAndWait:
            self.wait(call)
            self.connect()
        case .failUnreachable:
            call.unreachable(self.lastFailure)
        case .failClosed:
            call.unreachable(RPCError(code: .unavailable, message: "the client is closed"))
        }
    }

    /// A call that waits is over.
    func forget(_ call: ClientCall) {
        self.loop.assertInEventLoop()
        self.waiting.removeAll { $0 === call }
    }

    /// The header block of calls of a method, without what belongs to one call.
    func template(for method: RPCMethod) -> HTTPRequestHead {
        if let last = self.lastTemplate, last.path == method.path { return last.head }
        let head: HTTPRequestHead
        if let kept = self.templates[method.path] {
            head = kept
        } else {
            head = HTTPRequestHead(
                method: .post,
                scheme: self.core.connector.scheme,
                authority: self.core.options.authority ?? self.core.connector.authority,
                path: method.path,
                fields: [
                    .te: "trailers",
                    .contentType: "application/grpc",
                    .userAgent: self.core.options.userAgent,
                    .grpcAcceptEncoding: CompressionNegotiation.accepted,
                ]
            )
            if self.templates.count >= Self.keptTemplates { self.templates.removeAll() }
            self.templates[method.path] = head
        }
        self.lastTemplate = (method.path, head)
        return head
    }

    /// Closes the connection: calls that run may finish when it is graceful.
    func close(gracefully: Bool) {
        self.loop.assertInEventLoop()
        self.machine.close()
        self.timer?.cancel()
        self.timer = nil
        self.transport?.close(gracefully: gracefully)
        self.transport = nil
        self.failWaiting(RPCError(code: .unavailable, message: "the client is closed")) { _ in
            true
        }
    }

    // MARK: -

    private func wait(_ call: ClientCall) {
        guard self.waiting.count < self.core.options.limits.waitingCalls else {
            call.unreachable(
                RPCError(code: .unavailable, message: "too many calls wait for a connection")
            )
            return
        }
        self.waiting.append(call)
    }

    private func connect() {
        let future = self.core.connector.connect(on: self.loop) { [weak self] transport in
            self?.lost(transport)
        }
        future.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let transport): self.connected(transport)
            case .failure(let error): self.connectFailed(error)
            }
        }
    }

    private func connected(_ transport: any ClientTransport) {
        switch self.machine.connected() {
        case .close:
            transport.close(gracefully: false)
        case .openWaiting:
            self.transport = transport
            let waiting = self.waiting
            self.waiting = []
            for call in waiting { self.submit(call) }
        }
    }

    private func connectFailed(_ error: any Error) {
        self.lastFailure = RPCError(
            code: .unavailable,
            message: "cannot connect: \(error)",
            cause: error
        )
        switch self.machine.connectFailed() {
        case .none:
            break
        case .failImpatient(let nanoseconds):
            self.timer = try? self.loop.scheduleCallback(
                in: .nanoseconds(nanoseconds),
                handler: ReconnectTimer(connection: self)
            )
            self.failWaiting(self.lastFailure) { !$0.waitsForReady }
        }
    }

    fileprivate func timerFired() {
        self.timer = nil
        switch self.machine.timer(hasWaitingCalls: !self.waiting.isEmpty) {
        case .connect: self.connect()
        case .none: break
        }
    }

    private func lost(_ transport: any ClientTransport) {
        self.loop.assertInEventLoop()
        guard self.transport === transport else { return }
        self.transport = nil
        self.machine.connectionLost()
    }

    private func failWaiting(_ error: RPCError, where condition: (ClientCall) -> Bool) {
        let failing = self.waiting.filter(condition)
        self.waiting.removeAll(where: condition)
        for call in failing { call.unreachable(error) }
    }
}

/// Looks again after a failed attempt to connect.
private struct ReconnectTimer: NIOScheduledCallbackHandler {
    weak var connection: ClientConnection?

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.connection?.timerFired()
    }
}

/// What all connections of a client share.
final class ClientCore: Sendable {
    let options: RPCClientOptions
    let connector: any ClientConnector

    init(options: RPCClientOptions, connector: any ClientConnector) {
        self.options = options
        self.connector = connector
    }
}
