// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
public import HTTP
public import NIOCore

/// A stream of an ``HTTP2Session``.
///
/// nghttp2 refers to it by an unretained pointer in its data source. That is safe because the
/// session's table keeps the stream until nghttp2 has said that the stream is closed.
public final class HTTP2Stream: HTTPStream {
    struct Flags: OptionSet {
        let rawValue: UInt16
        /// The final head was sent, and nghttp2 reads the body from us.
        static let headSent = Flags(rawValue: 1 << 0)
        /// The application has ended its side.
        static let localEnded = Flags(rawValue: 1 << 1)
        /// END_STREAM has left.
        static let endSent = Flags(rawValue: 1 << 2)
        /// The peer has ended its side.
        static let remoteEnded = Flags(rawValue: 1 << 3)
        /// nghttp2 was told that there is nothing to send for now.
        static let deferred = Flags(rawValue: 1 << 4)
        /// RST_STREAM was submitted.
        static let resetSubmitted = Flags(rawValue: 1 << 5)
        /// RST_STREAM has come.
        static let resetReceived = Flags(rawValue: 1 << 6)
        /// More is queued than the limit, and the receiver may have seen it.
        static let blocked = Flags(rawValue: 1 << 7)
        /// A final response head has come (client).
        static let headReceived = Flags(rawValue: 1 << 8)
        /// The request was an extended CONNECT.
        static let extendedConnect = Flags(rawValue: 1 << 9)
        /// The session answered in the application's place; what the peer sends is dropped.
        static let ignored = Flags(rawValue: 1 << 10)
        /// `end` was asked for before a head could be sent (client request waiting).
        static let waiting = Flags(rawValue: 1 << 11)
    }

    /// Nil when the stream is over.
    unowned(unsafe) var session: HTTP2Session?

    var streamID: Int32
    var flags: Flags = []

    /// When the last body bytes came, in whole seconds of the session's clock.
    var lastDataSeconds: UInt32 = 0

    /// Received and not yet consumed.
    var unconsumed = 0

    /// The body bytes that wait: the first buffer as it was sent, then the others, small ones
    /// gathered.
    private var queue: ByteBuffer?
    private var moreQueue: CircularBuffer<ByteBuffer>?
    private(set) var queued = 0
    var trailers: HeaderFields?

    /// A client request that waits for a stream to become free.
    var waitingHead: HTTPRequestHead?

    init(session: HTTP2Session, connection: HTTPConnection, id: Int32) {
        self.session = session
        self.streamID = id
        super.init(connection: connection)
    }

    // MARK: - The face

    public override var id: Int { Int(self.streamID) }

    public override var isWritable: Bool {
        guard let session = self.session else { return false }
        return self.queued < session.limits.streamSendBufferBytes
    }

    public override var queuedByteCount: Int { self.queued }

    public override var requestsUpgrade: Bool { self.flags.contains(.extendedConnect) }

    public override func send(_ head: HTTPResponseHead, endStream: Bool) {
        self.eventLoop.assertInEventLoop()
        self.session?.send(head, endStream: endStream, on: self)
    }

    public override func send(_ data: ByteBuffer, endStream: Bool) {
        self.eventLoop.assertInEventLoop()
        guard let session = self.session, !self.flags.contains(.localEnded) else { return }
        let count = data.readableBytes
        if count > 0 {
            if self.queue == nil {
                self.queue = data
            } else {
                self.enqueue(data)
            }
            self.queued += count
            if self.queued >= session.limits.streamSendBufferBytes {
                self.flags.insert(.blocked)
            }
        }
        if endStream { self.flags.insert(.localEnded) }
        if count > 0 || endStream { session.bodyChanged(self) }
    }

    public override func send(trailers: HeaderFields) {
        self.eventLoop.assertInEventLoop()
        guard let session = self.session, !self.flags.contains(.localEnded) else { return }
        if !trailers.isEmpty { self.trailers = trailers }
        self.flags.insert(.localEnded)
        session.bodyChanged(self)
    }

    public override func end() {
        self.eventLoop.assertInEventLoop()
        guard let session = self.session, !self.flags.contains(.localEnded) else { return }
        self.flags.insert(.localEnded)
        session.bodyChanged(self)
    }

    public override func reset(_ code: HTTP2ErrorCode) {
        self.eventLoop.assertInEventLoop()
        self.session?.reset(self, code: code)
    }

    public override func consume(_ byteCount: Int) {
        self.eventLoop.assertInEventLoop()
        let count = min(max(byteCount, 0), self.unconsumed)
        guard count > 0, let session = self.session else { return }
        self.unconsumed -= count
        session.consumed(count, on: self)
    }

    public override func upgrade(to protocolName: String, fields: HeaderFields) -> Bool {
        guard self.flags.contains(.extendedConnect), !self.flags.contains(.headSent) else {
            return false
        }
        self.send(HTTPResponseHead(status: .ok, fields: fields), endStream: false)
        return true
    }

    /// Buffers below this size are copied together.
    private static let gatheredByteCount = 1024
    /// The memory of a gathering buffer, in bytes.
    private static let gatheringCapacity = 8192

    /// Queues a buffer behind the first. A stream of small messages becomes a few large buffers.
    private func enqueue(_ data: ByteBuffer) {
        var more = self.moreQueue ?? CircularBuffer(initialCapacity: 2)
        self.moreQueue = nil
        let count = data.readableBytes
        if count >= Self.gatheredByteCount {
            more.append(data)
        } else if let last = more.indices.last, more[last].writableBytes >= count {
            more[last].writeImmutableBuffer(data)
        } else {
            var gathering = ByteBufferAllocator().buffer(capacity: Self.gatheringCapacity)
            gathering.writeImmutableBuffer(data)
            more.append(gathering)
        }
        self.moreQueue = more
    }

    // MARK: - What nghttp2 asks

    /// How many bytes the next DATA frame takes, at most `maximum`.
    func offer(
        _ maximum: Int,
        flags dataFlags: inout UInt32,
        recorder: UnsafeMutablePointer<FrameRecorder>,
    ) -> Int {
        let count = min(maximum, self.queued)
        let isLast = count == self.queued && self.flags.contains(.localEnded)
        if count == 0 && !isLast {
            self.flags.insert(.deferred)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if count > 0 { dataFlags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
        if isLast {
            dataFlags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if self.trailers != nil {
                dataFlags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                recorder.pointee.record(.bodySent, self.streamID)
            }
        }
        return count
    }

    /// Moves exactly `count` queued bytes to the output.
    func take(
        _ count: Int,
        into output: OutboundBatch,
        recorder: UnsafeMutablePointer<FrameRecorder>,
    ) {
        var left = count
        while left > 0, let first = self.queue {
            let available = first.readableBytes
            if available <= left {
                output.append(payload: first)
                left -= available
                self.queue = self.moreQueue?.popFirst()
            } else {
                var rest = first
                if let part = rest.readSlice(length: left) { output.append(payload: part) }
                self.queue = rest
                left = 0
            }
        }
        self.queued -= count
        if self.flags.contains(.blocked) { recorder.pointee.record(.drained, self.streamID) }
    }

    /// Forgets what was not sent, when the stream is over.
    func dropQueue() {
        self.queue = nil
        self.moreQueue = nil
        self.queued = 0
        self.trailers = nil
        self.waitingHead = nil
    }
}
