// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization

/// What carries a SPDY connection: a socket after its upgrade, or a WebSocket.
package protocol SPDYTransport: Sendable {
    /// The next bytes; nil at the end.
    func read() async throws -> [UInt8]?
    /// Sends bytes; returns when there is room for more.
    func write(_ bytes: [UInt8]) async throws
}

/// The server's side of a SPDY/3.1 connection, as far as Kubernetes' streams use it: streams that the
/// client opens, data both ways, resets and pings. There is no flow control but the connection's own.
///
/// Source: SPDY protocol draft 3.1; moby/spdystream for what clients send.
package final class SPDYSession: Sendable {
    /// The largest frame that is read, in bytes.
    package static let maximumFrameBytes = 1 << 20
    /// The most streams of a connection.
    package static let maximumStreams = 1024
    /// The most bytes of data in one frame that is written.
    static let dataBytes = 32 << 10

    private let transport: any SPDYTransport
    private let writer: FrameWriter
    private let streams = Mutex<[UInt32: SPDYStream]>([:])

    package init(_ transport: any SPDYTransport) throws(SPDYError) {
        self.transport = transport
        self.writer = FrameWriter(transport, try HeaderCompression())
    }

    /// Reads frames until the connection ends.
    ///
    /// - Parameter onStream: hears of each stream that the client opens; must return soon.
    package func run(_ onStream: @Sendable (SPDYStream) -> Void) async throws {
        defer { self.closeAll() }
        let headers = try HeaderCompression()
        var buffer: [UInt8] = []
        while let bytes = try await self.transport.read() {
            buffer += bytes
            var at = 0
            while let frame = try Frame(buffer[at...]) {
                at += frame.byteCount
                try await self.handle(frame, headers, onStream)
            }
            if at > 0 { buffer.removeSubrange(..<at) }
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
        _ frame: Frame,
        _ headers: HeaderCompression,
        _ onStream: @Sendable (SPDYStream) -> Void
    ) async throws {
        switch frame.kind {
        case .data(let id):
            guard let stream = self.streams.withLock({ $0[id] }) else { return }
            await stream.input.write(Array(frame.payload))
            if frame.isLast { stream.input.finish() }
        case .control(1):
            let id = try frame.number(0)
            guard frame.payload.count >= 10 else { throw SPDYError.malformed("SYN_STREAM") }
            let pairs = try headers.decompress(frame.payload.dropFirst(10))
            let stream = SPDYStream(id: id, headers: pairs, writer: self.writer, session: self)
            let hasRoom = self.streams.withLock { streams in
                guard streams.count < Self.maximumStreams, streams[id] == nil else { return false }
                streams[id] = stream
                return true
            }
            guard hasRoom else { throw SPDYError.tooManyStreams }
            if frame.isLast { stream.input.finish() }
            try await self.writer.reply(id)
            onStream(stream)
        case .control(3):
            let id = try frame.number(0)
            let stream = self.streams.withLock { $0.removeValue(forKey: id) }
            stream?.input.close()
        case .control(6):
            try await self.writer.ping(try frame.number(0))
        case .control(8):
            // Headers of a stream that is open; nobody needs them, but the compression goes on.
            guard frame.payload.count >= 4 else { throw SPDYError.malformed("HEADERS") }
            _ = try headers.decompress(frame.payload.dropFirst(4))
            if frame.isLast {
                let id = try frame.number(0)
                self.streams.withLock { $0[id] }?.input.finish()
            }
        case .control:
            // SETTINGS, GOAWAY and WINDOW_UPDATE ask for nothing.
            return
        }
    }

    func forget(_ id: UInt32) {
        self.streams.withLock { $0[id] = nil }
    }
}

/// A stream that a client has opened.
package final class SPDYStream: Sendable {
    let id: UInt32
    package let headers: [(String, String)]
    let input = BytePipe()
    private let writer: FrameWriter
    private let session: SPDYSession

    init(
        id: UInt32,
        headers: [(String, String)],
        writer: FrameWriter,
        session: SPDYSession
    ) {
        self.id = id
        self.headers = headers
        self.writer = writer
        self.session = session
    }

    /// The value of a header; names are compared without regard to case.
    package func header(_ name: String) -> String? {
        self.headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }

    /// The next bytes; nil when the client sends no more.
    package func read() async -> [UInt8]? { await self.input.read() }

    package func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(SPDYSession.dataBytes)
            try await self.writer.data(self.id, Array(part), isLast: false)
            rest = rest.dropFirst(part.count)
        }
    }

    /// No more is written.
    package func finish() async throws {
        try await self.writer.data(self.id, [], isLast: true)
    }

    /// Ends the stream both ways.
    package func reset() async throws {
        self.input.close()
        self.session.forget(self.id)
        try await self.writer.reset(self.id)
    }
}
