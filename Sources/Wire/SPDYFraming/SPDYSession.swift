// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// One side of a SPDY/3.1 connection, without I/O: bytes come in and become events; what is to be
/// sent becomes bytes.
///
/// Kubernetes carries the streams of exec, attach and port-forward in it. As its other
/// implementations do, it leaves flow control to the connection below; settings and window updates
/// are read over. Not safe for use from several threads at once.
///
/// Source: draft-mbelshe-httpbis-spdy-00, and SPDY/3.1's changes to it.
package struct SPDYSession {
    package enum Role: Sendable { case client, server }

    /// A header: names are lower case.
    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What the peer did.
    package enum Event: Sendable, Equatable {
        /// It opened a stream.
        case opened(stream: UInt32, headers: [Header], isEnd: Bool)
        /// It answered to a stream of ours.
        case replied(stream: UInt32, headers: [Header], isEnd: Bool)
        case data(stream: UInt32, ArraySlice<UInt8>, isEnd: Bool)
        /// It gave a stream up.
        case reset(stream: UInt32, status: UInt32)
        /// It accepts no more streams.
        case goAway(lastStream: UInt32)
    }

    private enum FrameType {
        static let synStream: UInt16 = 1
        static let synReply: UInt16 = 2
        static let resetStream: UInt16 = 3
        static let ping: UInt16 = 6
        static let goAway: UInt16 = 7
        static let headers: UInt16 = 8
    }

    /// Why a stream is reset.
    package enum Status {
        package static let protocolError: UInt32 = 1
        package static let refusedStream: UInt32 = 3
        package static let cancel: UInt32 = 5
        package static let streamAlreadyClosed: UInt32 = 9
    }

    private static let version: UInt16 = 3
    private static let endFlag: UInt8 = 1
    /// The most of a data frame that is sent.
    private static let dataBytes = 64 << 10

    private let role: Role
    private let limits: SPDYLimits
    private let deflater = HeaderDeflater()
    private let inflater = HeaderInflater()
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var nextStream: UInt32
    private var nextPing: UInt32
    /// Streams that are open, with whether each side has ended.
    private var streams: [UInt32: (local: Bool, remote: Bool)] = [:]
    private var lastPeerStream: UInt32 = 0

    package init(role: Role, limits: SPDYLimits = SPDYLimits()) {
        self.role = role
        self.limits = limits
        self.nextStream = role == .client ? 1 : 2
        self.nextPing = role == .client ? 1 : 2
    }

    /// Streams that are open.
    package var openStreams: Int { self.streams.count }

    /// Whether a side of the stream has not ended yet.
    package func isOpen(_ stream: UInt32) -> Bool { self.streams[stream] != nil }

    /// How much is to be sent.
    package var outputBytes: Int { self.output.count }

    /// What is to be sent; it is taken away.
    package mutating func takeOutput() -> [UInt8] {
        defer { self.output = [] }
        return self.output
    }

    // MARK: - Receiving

    /// Takes bytes of the peer.
    package mutating func receive(_ bytes: some Sequence<UInt8>) throws(SPDYError) -> [Event] {
        self.input += bytes
        var events: [Event] = []
        var offset = 0
        while self.input.count - offset >= 8 {
            let length =
                Int(self.input[offset + 5]) << 16 | Int(self.input[offset + 6]) << 8
                | Int(self.input[offset + 7])
            guard length <= self.limits.frameBytes else { throw .frameTooLarge }
            guard self.input.count - offset >= 8 + length else { break }
            let head = self.input[offset..<(offset + 8)]
            let body = self.input[(offset + 8)..<(offset + 8 + length)]
            if let event = try self.frame(Array(head), body) { events.append(event) }
            offset += 8 + length
        }
        self.input.removeFirst(offset)
        return events
    }

    private mutating func frame(
        _ head: [UInt8],
        _ body: ArraySlice<UInt8>
    ) throws(SPDYError) -> Event? {
        let isEnd = head[4] & Self.endFlag != 0
        guard head[0] & 0x80 != 0 else {
            let stream = Self.number(head[...], at: 0) & 0x7fff_ffff
            guard let state = self.streams[stream], !state.remote else {
                // Data of a stream that was given up may still be on its way.
                if self.isForgotten(stream) { return nil }
                throw .malformed("data on stream \(stream), which is not open")
            }
            if isEnd { self.endRemote(stream) }
            return .data(stream: stream, body, isEnd: isEnd)
        }
        let version = UInt16(head[0] & 0x7f) << 8 | UInt16(head[1])
        guard version == Self.version else { throw .version(version) }
        let type = UInt16(head[2]) << 8 | UInt16(head[3])
        switch type {
        case FrameType.synStream: return try self.open(body, isEnd)
        case FrameType.synReply: return try self.reply(body, isEnd)
        case FrameType.headers:
            guard body.count >= 4 else { throw .malformed("HEADERS is too short") }
            // The block has to go through the decompressor even when nobody wants it.
            _ = try self.headers(body.dropFirst(4))
            let stream = Self.number(body, at: 0) & 0x7fff_ffff
            guard isEnd, let state = self.streams[stream], !state.remote else { return nil }
            self.endRemote(stream)
            return .data(stream: stream, [], isEnd: true)
        case FrameType.resetStream:
            guard body.count >= 8 else { throw .malformed("RST_STREAM is too short") }
            let stream = Self.number(body, at: 0) & 0x7fff_ffff
            guard self.streams.removeValue(forKey: stream) != nil else { return nil }
            return .reset(stream: stream, status: Self.number(body, at: 4))
        case FrameType.ping:
            guard body.count >= 4 else { throw .malformed("PING is too short") }
            let id = Self.number(body, at: 0)
            // Odd ones come from clients; ours come back.
            if (id % 2 == 1) == (self.role == .server) {
                self.control(FrameType.ping, flags: 0, Self.bytes(id))
            }
            return nil
        case FrameType.goAway:
            guard body.count >= 4 else { throw .malformed("GOAWAY is too short") }
            return .goAway(lastStream: Self.number(body, at: 0) & 0x7fff_ffff)
        default:
            return nil
        }
    }

    private mutating func open(
        _ body: ArraySlice<UInt8>,
        _ isEnd: Bool
    ) throws(SPDYError) -> Event {
        guard body.count >= 10 else { throw .malformed("SYN_STREAM is too short") }
        let stream = Self.number(body, at: 0) & 0x7fff_ffff
        let headers = try self.headers(body.dropFirst(10))
        guard (stream % 2 == 1) == (self.role == .server), stream > self.lastPeerStream else {
            throw .malformed("SYN_STREAM with the id \(stream)")
        }
        guard self.streams.count < self.limits.streams else { throw .tooManyStreams }
        self.lastPeerStream = stream
        self.streams[stream] = (false, isEnd)
        return .opened(stream: stream, headers: headers, isEnd: isEnd)
    }

    private mutating func reply(
        _ body: ArraySlice<UInt8>,
        _ isEnd: Bool
    ) throws(SPDYError) -> Event? {
        guard body.count >= 4 else { throw .malformed("SYN_REPLY is too short") }
        let stream = Self.number(body, at: 0) & 0x7fff_ffff
        let headers = try self.headers(body.dropFirst(4))
        guard self.streams[stream] != nil else { return nil }
        if isEnd { self.endRemote(stream) }
        return .replied(stream: stream, headers: headers, isEnd: isEnd)
    }

    private func isForgotten(_ stream: UInt32) -> Bool {
        (stream % 2 == 1) == (self.role == .client)
            ? stream < self.nextStream : stream <= self.lastPeerStream
    }

    private func headers(_ block: ArraySlice<UInt8>) throws(SPDYError) -> [Header] {
        let bytes = try self.inflater.decompress(block, limit: self.limits.headerBytes)
        var rest = bytes[...]
        func number() throws(SPDYError) -> Int {
            guard rest.count >= 4 else { throw .malformed("a header block is cut off") }
            defer { rest = rest.dropFirst(4) }
            return Int(Self.number(rest, at: 0))
        }
        func text() throws(SPDYError) -> String {
            let count = try number()
            guard count <= rest.count else { throw .malformed("a header block is cut off") }
            defer { rest = rest.dropFirst(count) }
            return String(decoding: rest.prefix(count), as: UTF8.self)
        }
        let count = try number()
        guard count <= self.limits.headerBytes / 8 else { throw .headersTooLarge }
        var result: [Header] = []
        for _ in 0..<count {
            let name = try text()
            // Several values of a name stand between zeros.
            for value in try text().split(separator: "\0", omittingEmptySubsequences: false) {
                result.append(Header(name, String(value)))
            }
        }
        return result
    }

    // MARK: - Sending

    /// Opens a stream.
    package mutating func open(
        _ headers: [Header],
        isEnd: Bool = false
    ) throws(SPDYError) -> UInt32 {
        let stream = self.nextStream
        self.nextStream += 2
        self.streams[stream] = (isEnd, false)
        let block = try self.compressed(headers)
        let fixed = Self.bytes(stream) + Self.bytes(0) + [0, 0]
        self.control(FrameType.synStream, flags: isEnd ? Self.endFlag : 0, fixed + block)
        return stream
    }

    /// Answers to a stream of the peer.
    package mutating func reply(
        to stream: UInt32,
        _ headers: [Header] = [],
        isEnd: Bool = false
    ) throws(SPDYError) {
        let block = try self.compressed(headers)
        let flags = isEnd ? Self.endFlag : 0
        self.control(FrameType.synReply, flags: flags, Self.bytes(stream) + block)
        if isEnd { self.endLocal(stream) }
    }

    /// Sends data on a stream; on one that is over, nothing.
    package mutating func send(
        _ bytes: some RandomAccessCollection<UInt8>,
        on stream: UInt32,
        isEnd: Bool = false
    ) {
        guard let state = self.streams[stream], !state.local else { return }
        var rest = bytes[...]
        repeat {
            let part = rest.prefix(Self.dataBytes)
            rest = rest.dropFirst(part.count)
            let flags = isEnd && rest.isEmpty ? Self.endFlag : 0
            self.output += Self.bytes(stream)
            self.output += [
                flags, UInt8(truncatingIfNeeded: part.count >> 16),
                UInt8(truncatingIfNeeded: part.count >> 8), UInt8(truncatingIfNeeded: part.count),
            ]
            self.output += part
        } while !rest.isEmpty
        if isEnd { self.endLocal(stream) }
    }

    /// Gives a stream up.
    package mutating func reset(_ stream: UInt32, status: UInt32 = Status.cancel) {
        guard self.streams.removeValue(forKey: stream) != nil else { return }
        self.control(FrameType.resetStream, flags: 0, Self.bytes(stream) + Self.bytes(status))
    }

    /// Says that no more streams are accepted.
    package mutating func goAway() {
        self.control(FrameType.goAway, flags: 0, Self.bytes(self.lastPeerStream) + Self.bytes(0))
    }

    /// Asks for a sign of life.
    package mutating func ping() {
        self.control(FrameType.ping, flags: 0, Self.bytes(self.nextPing))
        self.nextPing += 2
    }

    private mutating func endLocal(_ stream: UInt32) {
        guard var state = self.streams[stream] else { return }
        state.local = true
        self.streams[stream] = state.remote ? nil : state
    }

    private mutating func endRemote(_ stream: UInt32) {
        guard var state = self.streams[stream] else { return }
        state.remote = true
        self.streams[stream] = state.local ? nil : state
    }

    private func compressed(_ headers: [Header]) throws(SPDYError) -> [UInt8] {
        var names: [String] = []
        var values: [String: String] = [:]
        for header in headers {
            let name = header.name.lowercased()
            if let old = values[name] {
                values[name] = old + "\0" + header.value
            } else {
                names.append(name)
                values[name] = header.value
            }
        }
        var block = Self.bytes(UInt32(names.count))
        for name in names {
            let value = values[name] ?? ""
            block += Self.bytes(UInt32(name.utf8.count)) + name.utf8
            block += Self.bytes(UInt32(value.utf8.count)) + value.utf8
        }
        return try self.deflater.compress(block)
    }

    private mutating func control(_ type: UInt16, flags: UInt8, _ body: [UInt8]) {
        self.output += [
            0x80, UInt8(Self.version), UInt8(type >> 8), UInt8(truncatingIfNeeded: type), flags,
            UInt8(truncatingIfNeeded: body.count >> 16), UInt8(truncatingIfNeeded: body.count >> 8),
            UInt8(truncatingIfNeeded: body.count),
        ]
        self.output += body
    }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ]
    }

    private static func number(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt32 {
        let start = bytes.startIndex + offset
        return UInt32(bytes[start]) << 24 | UInt32(bytes[start + 1]) << 16
            | UInt32(bytes[start + 2]) << 8 | UInt32(bytes[start + 3])
    }
}
