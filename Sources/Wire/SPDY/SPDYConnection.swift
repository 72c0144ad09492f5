// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SPDYFraming
import Synchronization

/// What carries a SPDY connection: a socket after its upgrade, or a WebSocket.
package protocol SPDYTransport: Sendable {
    /// The next bytes; nil at the end.
    func read() async throws -> [UInt8]?
    /// Sends bytes; returns when there is room for more.
    func write(_ bytes: [UInt8]) async throws
}

/// The server's side of a SPDY/3.1 connection, as far as Kubernetes' streams use it: streams that the
/// client opens, each with a task's reads and writes. There is no flow control but the connection's
/// own.
package final class SPDYConnection: Sendable {
    private let transport: any SPDYTransport
    private let session = SPDYOutput(SPDYSession(role: .server))
    private let writer: SPDYWriter
    private let streams = Mutex<[UInt32: SPDYStream]>([:])

    package init(_ transport: any SPDYTransport) {
        self.transport = transport
        self.writer = SPDYWriter(transport, self.session)
    }

    /// Reads frames until the connection ends.
    ///
    /// - Parameter onStream: hears of each stream that the client opens; must return soon.
    package func run(_ onStream: @Sendable (SPDYStream) -> Void) async throws {
        defer { self.closeAll() }
        while let bytes = try await self.transport.read() {
            let events = try self.session.with { session throws(SPDYError) in
                try session.receive(bytes)
            }
            for event in events { try await self.handle(event, onStream) }
            try await self.writer.flush()
        }
    }

    private func closeAll() {
        let streams = self.streams.withLock { streams in
            defer { streams = [:] }
            return Array(streams.values)
        }
        for stream in streams { stream.input.close() }
    }

    private func handle(
        _ event: SPDYSession.Event,
        _ onStream: @Sendable (SPDYStream) -> Void
    ) async throws {
        switch event {
        case .opened(let id, let headers, let isEnd):
            let stream = SPDYStream(id: id, headers: headers, connection: self)
            self.streams.withLock { $0[id] = stream }
            if isEnd { stream.input.finish() }
            try await self.change { session throws(SPDYError) in try session.reply(to: id) }
            onStream(stream)
        case .data(let id, let bytes, let isEnd):
            guard let stream = self.streams.withLock({ $0[id] }) else { return }
            await stream.input.write(Array(bytes))
            if isEnd {
                stream.input.finish()
                self.forgetIfOver(id)
            }
        case .reset(let id, _):
            self.streams.withLock { $0.removeValue(forKey: id) }?.input.close()
        case .replied, .goAway:
            return
        }
    }

    /// Changes the session and sends what it has to say.
    func change(_ body: (inout SPDYSession) throws(SPDYError) -> Void) async throws {
        try self.session.with(body)
        try await self.writer.flush()
    }

    func forget(_ id: UInt32) {
        self.streams.withLock { $0[id] = nil }
    }

    /// Forgets a stream that has ended both ways.
    func forgetIfOver(_ id: UInt32) {
        if !self.session.with({ $0.isOpen(id) }) { self.forget(id) }
    }
}

/// A stream that a client has opened.
package final class SPDYStream: Sendable {
    let id: UInt32
    private let headers: [SPDYSession.Header]
    let input = BytePipe()
    private let connection: SPDYConnection

    /// The most bytes that are put behind each other before the transport has to take them.
    private static let pieceBytes = 32 << 10

    init(id: UInt32, headers: [SPDYSession.Header], connection: SPDYConnection) {
        self.id = id
        self.headers = headers
        self.connection = connection
    }

    /// The value of a header; names are compared without regard to case.
    package func header(_ name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The next bytes; nil when the client sends no more.
    package func read() async -> [UInt8]? { await self.input.read() }

    package func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.pieceBytes)
            try await self.connection.change { $0.send(part, on: self.id) }
            rest = rest.dropFirst(part.count)
        }
    }

    /// No more is written.
    package func finish() async throws {
        try await self.connection.change { $0.send([], on: self.id, isEnd: true) }
        self.connection.forgetIfOver(self.id)
    }

    /// Ends the stream both ways.
    package func reset() async throws {
        self.input.close()
        self.connection.forget(self.id)
        try await self.connection.change { $0.reset(self.id) }
    }
}
