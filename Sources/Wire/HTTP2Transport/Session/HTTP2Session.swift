// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
public import HTTP
public import NIOCore

/// One side of an HTTP/2 connection without its socket: bytes and time go in, calls to the streams'
/// receivers and bytes to send come out.
///
/// ```
///   receive(bytes, now) ──► nghttp2 ──callbacks──► FrameRecorder ──► dispatch ──► receivers
///   produce(into:)      ◄── nghttp2 ◄──submit── stream.send(...), consume(...), reset(...)
///   tick(now)           ──► time-outs, pings        nextDeadline ──► when to tick
/// ```
///
/// nghttp2 keeps the frames, HPACK and stream states of RFC 9113 and 7541 and answers what breaks
/// them; this class keeps the streams' queues, their flow-control accounts, the limits of
/// ``HTTPLimits`` and the connection's life. All calls come from one event loop.
public final class HTTP2Session {
    public enum Role: Sendable { case server, client }

    /// Where the session stands. It only moves forward.
    public enum Phase: Equatable {
        case open
        /// New streams are refused or not started; running ones go on.
        case draining
        /// Nothing is read any more; what is ready leaves, then the connection closes.
        case closing(HTTPConnectionError)
        /// Over.
        case closed(HTTPConnectionError)
    }

    public let role: Role
    public let limits: HTTPLimits
    public let output: OutboundBatch
    public var phase: Phase = .open

    /// Called when something is ready to leave and the session was not entered from the shell.
    public var onNeedsFlush: () -> Void = {}
    /// Client: called once when no more requests can be started here.
    public var onDraining: () -> Void = {}

    let times: SessionTimes
    let connection: HTTPConnection
    private let handler: (any HTTPConnectionHandler)?

    let recorder: UnsafeMutablePointer<FrameRecorder>
    let native: OpaquePointer
    private let vector = HeaderVector.ofCurrentThread()
    let streams = StreamTable()
    var scanner: FrameScanner

    /// The shell is inside `receive`, `produce` or `tick` and will flush by itself.
    private var isEntered = false
    private var isDispatching = false
    var now: Int64

    // Flow control.
    private var connectionConsumed = 0

    /// Streams that have ended on our side only.
    struct Lingering {
        let id: Int32
        let deadline: Int64
    }
    var lingering = CircularBuffer<Lingering>(initialCapacity: 1)

    // Client.
    private var waiting = CircularBuffer<HTTP2Stream>(initialCapacity: 1)
    private var unstartable: [HTTP2Stream] = []
    private var peerConcurrentStreams = 100
    /// Requests that may wait for a free stream.
    public var waitingLimit = 10_000

    // Limits.
    var buckets: Buckets?
    var bytesSent = 0
    /// RST_STREAM frames that the application or the session asked for and that have not left.
    var ownResets = 0
    var lastGoAwayCode = HTTP2ErrorCode.protocolError
    /// It was the peer who sent GOAWAY.
    var drainIsPeers = false
    var lastStallCheckAt: Int64 = 0
    var lastBodyCheckAt: Int64 = 0

    // Time, in nanoseconds of the shell's clock.
    let startedAt: Int64
    var lastReceivedAt: Int64
    var lastProgressAt: Int64
    var idleSince: Int64?
    var pingSentAt: Int64?
    var settingsReceived = false
    var settingsAcknowledged = false
    var drainStartedAt: Int64?
    var finalGoAwaySent = false
    var writeBlockedSince: Int64?
    let ageLimit: Int64

    /// Payloads from this size on go to the socket from where they are.
    public static let zeroCopyByteCount = 4096

    /// - Parameters:
    ///   - handler: serves requests; nil for a client.
    ///   - now: nanoseconds of a monotonic clock.
    ///   - ageJitter: -1...1, moves the age limit by a tenth.
    public init?(
        role: Role,
        limits: HTTPLimits,
        connection: HTTPConnection,
        handler: (any HTTPConnectionHandler)?,
        zeroCopyThreshold: Int = HTTP2Session.zeroCopyByteCount,
        now: Int64,
        ageJitter: Double = 0,
    ) {
        self.role = role
        self.limits = limits
        self.scanner = FrameScanner(isServer: role == .server)
        self.times = SessionTimes(limits)
        self.connection = connection
        self.handler = handler
        self.output = OutboundBatch(zeroCopyThreshold: zeroCopyThreshold)
        self.output.limit = limits.connectionSendBufferBytes
        self.now = now
        self.startedAt = now
        self.lastReceivedAt = now
        self.lastProgressAt = now
        self.idleSince = now
        self.ageLimit = Int64(Double(limits.connectionAge.nanoseconds) * (1 + ageJitter / 10))
        self.recorder = .allocate(capacity: 1)
        self.recorder.initialize(to: FrameRecorder(limits: limits, output: self.output))

        var option: OpaquePointer?
        var native: OpaquePointer?
        guard nghttp2_option_new(&option) == 0, let option, let callbacks = Callbacks.make() else {
            self.recorder.pointee.tearDown()
            self.recorder.deinitialize(count: 1)
            self.recorder.deallocate()
            return nil
        }
        Self.configure(option, limits: limits)
        let result =
            role == .server
            ? nghttp2_session_server_new2(&native, callbacks, self.recorder, option)
            : nghttp2_session_client_new2(&native, callbacks, self.recorder, option)
        nghttp2_session_callbacks_del(callbacks)
        nghttp2_option_del(option)
        guard result == 0, let native else {
            self.recorder.pointee.tearDown()
            self.recorder.deinitialize(count: 1)
            self.recorder.deallocate()
            return nil
        }
        self.native = native
        self.submitSettings()
    }

    deinit {
        nghttp2_session_del(self.native)
        self.recorder.pointee.tearDown()
        self.recorder.deinitialize(count: 1)
        self.recorder.deallocate()
    }

    private static func configure(_ option: OpaquePointer, limits: HTTPLimits) {
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_no_closed_streams(option, 1)
        nghttp2_option_set_max_continuations(option, max(limits.continuationFrames, 1))
        nghttp2_option_set_max_outbound_ack(option, max(limits.outboundControlFrames, 1))
        nghttp2_option_set_max_settings(option, 32)
        nghttp2_option_set_max_reserved_remote_streams(option, 0)
        nghttp2_option_set_max_deflate_dynamic_table_size(option, limits.headerTableBytes)
        nghttp2_option_set_max_send_header_block_length(option, 1 << 20)
        // The session's own bucket answers first; this only bounds a single read.
        nghttp2_option_set_stream_reset_rate_limit(option, 100_000, 100_000)
    }

    private func submitSettings() {
        var entries: [nghttp2_settings_entry] = []
        func add(_ id: nghttp2_settings_id, _ value: Int) {
            entries.append(
                nghttp2_settings_entry(
                    settings_id: Int32(bitPattern: id.rawValue),
                    value: UInt32(clamping: value),
                )
            )
        }
        let window = min(max(self.limits.streamWindowBytes, 1), 1 << 30)
        let connectionWindow = min(max(self.limits.connectionWindowBytes, 65_535), 1 << 30)
        if self.role == .server {
            let isAnonymous = self.connection.peer.certificates.isEmpty
            let streams =
                isAnonymous
                ? min(self.limits.concurrentStreams, self.limits.unauthenticatedConcurrentStreams)
                : self.limits.concurrentStreams
            add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max(streams, 1))
            add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1)
        } else {
            add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
        }
        add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window)
        add(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, min(max(self.limits.frameBytes, 16_384), 16_777_215))
        add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, self.limits.headerListBytes)
        if self.limits.headerTableBytes != 4096 {
            add(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, self.limits.headerTableBytes)
        }
        add(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1)
        nghttp2_submit_settings(
            self.native,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            entries,
            entries.count,
        )
        nghttp2_session_set_local_window_size(
            self.native,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            0,
            Int32(connectionWindow),
        )
    }
}

// MARK: - Bytes

extension HTTP2Session {
    /// The number of streams that are open.
    public var streamCount: Int { self.streams.count }

    /// Whether more input is wanted.
    public var wantsInput: Bool {
        switch self.phase {
        case .open, .draining: true
        case .closing, .closed: false
        }
    }

    /// Takes bytes from the peer and tells the receivers what they mean.
    public func receive(_ input: ByteBuffer, now: Int64) {
        guard self.wantsInput else { return }
        self.now = now
        self.lastReceivedAt = now
        let wasEntered = self.isEntered
        self.isEntered = true
        defer { self.isEntered = wasEntered }
        var violation: FrameScanner.Violation?
        let result = input.withUnsafeReadableBytes { bytes -> Int in
            guard let base = bytes.baseAddress else { return 0 }
            violation = self.scanner.scan(bytes)
            self.recorder.pointee.inputBase = base
            return nghttp2_session_mem_recv(
                self.native,
                base.assumingMemoryBound(to: UInt8.self),
                violation?.offset ?? bytes.count,
            )
        }
        self.recorder.pointee.inputBase = nil
        self.dispatch(input)
        if result < 0 {
            self.inputFailed(Int32(truncatingIfNeeded: result))
        } else if let violation {
            self.terminate(
                violation.code,
                .protocolViolation(violation.code, "a frame on a stream that takes none"),
            )
        } else if self.scanner.cheapFrames > 0 || !self.recorder.pointee.counters.isZero {
            self.checkCounters()
        }
        self.checkNativeEnd()
    }

    /// The peer closed its side, or the connection failed. All streams end.
    public func inputClosed(_ error: HTTPConnectionError) {
        self.close(error)
    }

    /// Moves frames that are ready to ``output`` until it is full or nothing is ready.
    ///
    /// - Returns: whether there may be more when the output has been drained.
    public func produce(now: Int64) -> Bool {
        if case .closed = self.phase { return false }
        self.now = now
        let wasEntered = self.isEntered
        self.isEntered = true
        defer { self.isEntered = wasEntered }
        if self.connectionConsumed > 0 {
            nghttp2_session_consume_connection(self.native, self.connectionConsumed)
            self.connectionConsumed = 0
        }
        self.failUnstartable()
        let before = self.output.byteCount
        while !self.output.isFull {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(self.native, &bytes)
            if count > 0 {
                self.output.append(UnsafeRawBufferPointer(start: bytes, count: count))
                continue
            }
            if count < 0 {
                self.close(.closed("nghttp2 cannot send: \(Self.text(of: Int32(count)))"))
                return false
            }
            // Nothing more for now; events of sending may lead to more.
            guard self.recorder.pointee.eventCount > 0 else { break }
            self.dispatch(nil)
        }
        if self.recorder.pointee.eventCount > 0 { self.dispatch(nil) }
        let produced = self.output.byteCount - before
        if produced > 0 {
            self.bytesSent &+= produced
            self.lastProgressAt = now
        }
        if self.recorder.pointee.windowOverflow {
            self.recorder.pointee.windowOverflow = false
            self.terminate(
                .flowControlError,
                .protocolViolation(.flowControlError, "SETTINGS took a window above 2^31-1"),
            )
            return true
        }
        self.recorder.pointee.settingsSinceWrite = false
        if self.recorder.pointee.counters.sentResets > 0 { self.checkCounters() }
        self.checkNativeEnd()
        return self.output.isFull || nghttp2_session_want_write(self.native) != 0
    }

    /// Whether the connection can be closed once the output is drained.
    public var isFinished: Bool {
        switch self.phase {
        case .closed: true
        case .closing: self.output.isEmpty && nghttp2_session_want_write(self.native) == 0
        case .draining:
            self.finalGoAwaySent && self.streams.count == 0 && self.output.isEmpty
                && nghttp2_session_want_write(self.native) == 0
        case .open: false
        }
    }

    private static func text(of code: Int32) -> String {
        nghttp2_strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}

// MARK: - Ends

extension HTTP2Session {
    private func inputFailed(_ code: Int32) {
        let error: HTTPConnectionError
        var wire = HTTP2ErrorCode.enhanceYourCalm
        if let crossed = self.recorder.pointee.crossed {
            error = .limitExceeded(crossed)
        } else if code == NGHTTP2_ERR_FLOODED.rawValue {
            error = .limitExceeded(.outboundQueue)
        } else if code == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue {
            error = .limitExceeded(.continuations)
        } else {
            wire = code == NGHTTP2_ERR_NOMEM.rawValue ? .internalError : .protocolError
            error = .protocolViolation(wire, Self.text(of: code))
        }
        self.terminate(wire, error)
    }

    /// Sends GOAWAY with this code and ends the connection.
    func terminate(_ code: HTTP2ErrorCode, _ error: HTTPConnectionError) {
        guard self.wantsInput else { return }
        nghttp2_session_terminate_session(self.native, code.rawValue)
        self.phase = .closing(error)
        self.endStreams(.connectionLost(error))
        self.flushSoon()
    }

    /// nghttp2 may have ended the session by itself, for a connection error that it found.
    private func checkNativeEnd() {
        guard self.wantsInput else { return }
        if case .draining = self.phase, self.streams.count == 0 { return }
        guard nghttp2_session_want_read(self.native) == 0 else { return }
        let error = HTTPConnectionError.protocolViolation(
            self.lastGoAwayCode,
            self.recorder.pointee.lastError,
        )
        self.phase = .closing(error)
        self.endStreams(.connectionLost(error))
    }

    /// Ends the session at once. Nothing leaves any more.
    public func close(_ error: HTTPConnectionError) {
        if case .closed = self.phase { return }
        let cause: HTTPConnectionError
        if case .closing(let earlier) = self.phase { cause = earlier } else { cause = error }
        let wasOpen = self.phase == .open
        self.phase = .closed(cause)
        if wasOpen { self.onDraining() }
        self.endStreams(.connectionLost(cause))
        self.handler?.connectionClosed(self.connection)
    }

    private func endStreams(_ reason: HTTPStreamClosure) {
        for stream in self.streams.removeAll() { self.finish(stream, reason) }
        while let stream = self.waiting.popFirst() { self.finish(stream, .notProcessed) }
        self.failUnstartable()
    }

    private func finish(_ stream: HTTP2Stream, _ reason: HTTPStreamClosure) {
        stream.session = nil
        stream.dropQueue()
        let receiver = stream.receiver
        stream.receiver = nil
        receiver?.closed(reason)
    }

    /// Starts the two steps of a graceful end (RFC 9113 section 6.8): first a GOAWAY that refuses
    /// nothing yet, then, when the peer must have seen it, one with the last stream.
    public func shutdownGracefully(now: Int64) {
        guard case .open = self.phase else { return }
        self.now = now
        self.phase = .draining
        self.drainStartedAt = now
        self.onDraining()
        while let stream = self.waiting.popFirst() { self.unstartable.append(stream) }
        if self.role == .server && self.settingsReceived {
            nghttp2_submit_shutdown_notice(self.native)
            self.submitPing(.drain)
        } else {
            self.sendFinalGoAway()
        }
        self.flushSoon()
    }

    func sendFinalGoAway() {
        guard !self.finalGoAwaySent else { return }
        self.finalGoAwaySent = true
        nghttp2_submit_goaway(
            self.native,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            nghttp2_session_get_last_proc_stream_id(self.native),
            HTTP2ErrorCode.noError.rawValue,
            nil,
            0,
        )
        self.flushSoon()
    }

    func flushSoon() {
        if !self.isEntered { self.onNeedsFlush() }
    }

    /// Client: requests that wait for a stream.
    public var waitingCount: Int { self.waiting.count }

    func forEachStream(_ body: (HTTP2Stream) -> Void) { self.streams.forEach(body) }
}

// MARK: - Events

extension HTTP2Session {
    /// Tells receivers what the recorder holds, and what that leads to.
    private func dispatch(_ input: ByteBuffer?) {
        guard !self.isDispatching else { return }
        self.isDispatching = true
        defer { self.isDispatching = false }
        var index = 0
        while index < self.recorder.pointee.eventCount {
            let event = self.recorder.pointee.event(at: index)
            index &+= 1
            self.handle(event, input)
        }
        self.recorder.pointee.removeAllEvents()
    }

    private func handle(_ event: FrameEvent, _ input: ByteBuffer?) {
        switch event.kind {
        case .data:
            self.received(event, input)
        case .headers:
            let storage = self.recorder.pointee.blocks[Int(event.a)]
            if event.b & HeaderBlockFlags.isRequest != 0 {
                self.startStream(event.streamID, storage, flags: event.b)
            } else if let stream = self.streams[event.streamID] {
                self.received(storage, flags: event.b, on: stream)
            }
        case .endStream:
            guard let stream = self.streams[event.streamID] else { return }
            stream.flags.insert(.remoteEnded)
            if !stream.flags.contains(.ignored) { stream.receiver?.receivedEnd() }
        case .reset:
            let stream = self.streams[event.streamID]
            stream?.flags.insert(.resetReceived)
            // Giving up a request whose response is complete costs nobody anything.
            if !(stream?.flags.contains(.endSent) ?? false) {
                self.recorder.pointee.counters.peerResets &+= 1
            }
        case .close:
            self.closed(event.streamID, HTTP2ErrorCode(rawValue: event.a))
        case .endSent:
            self.endSent(event.streamID)
        case .bodySent:
            self.sendTrailers(event.streamID)
        case .drained:
            guard let stream = self.streams[event.streamID], stream.flags.contains(.blocked),
                stream.queued <= self.limits.streamSendBufferBytes / 2
            else { return }
            stream.flags.remove(.blocked)
            stream.receiver?.writabilityChanged(true)
        case .headersNotSent:
            self.reset(event.streamID)
        case .settings:
            self.settingsReceived = true
            if self.role == .client { self.peerSettingsChanged() }
        case .settingsAck:
            self.settingsAcknowledged = true
        case .pingAck:
            self.pingAnswered(event.a)
        case .goAway:
            self.peerGoesAway(HTTP2ErrorCode(rawValue: event.a))
        }
    }

    private func received(_ event: FrameEvent, _ input: ByteBuffer?) {
        let count = Int(event.b)
        guard let stream = self.streams[event.streamID], let receiver = stream.receiver,
            !stream.flags.contains(.ignored), let input,
            let data = input.getSlice(at: input.readerIndex + Int(event.a), length: count)
        else {
            self.connectionConsumed += count
            return
        }
        stream.unconsumed += count
        stream.lastDataSeconds = self.nowSeconds
        receiver.received(data: data)
    }

    private func startStream(_ id: Int32, _ storage: HeaderStorage, flags: UInt32) {
        guard let handler = self.handler else { return }
        let stream = HTTP2Stream(session: self, connection: self.connection, id: id)
        stream.lastDataSeconds = self.nowSeconds
        self.streams.insert(stream, id: id)
        self.idleSince = nil
        if flags & HeaderBlockFlags.tooLarge != 0 {
            stream.flags.insert(.ignored)
            self.send(HTTPResponseHead(status: .headerFieldsTooLarge), endStream: true, on: stream)
            return
        }
        let head = HTTPRequestHead(storage: storage)
        if head.extendedConnectProtocol != nil { stream.flags.insert(.extendedConnect) }
        guard Self.hasValidTarget(storage) else {
            stream.flags.insert(.ignored)
            self.reset(stream, code: .protocolError)
            return
        }
        stream.receiver = handler.startStream(stream, head: head)
        if stream.session == nil { stream.receiver = nil }
    }

    /// What nghttp2 leaves open: a path in origin form whatever the scheme, "*" only for OPTIONS.
    private static func hasValidTarget(_ storage: HeaderStorage) -> Bool {
        guard let method = storage.firstIndex(of: .methodPseudo, from: 0),
            storage.valueBytes(at: method).count <= HTTPMethod.maximumByteCount
        else { return false }
        guard let path = storage.firstIndex(of: .pathPseudo, from: 0) else {
            return storage.valueBytes(at: method).elementsEqual("CONNECT".utf8)
        }
        let bytes = storage.valueBytes(at: path)
        if bytes.count == 1, bytes[0] == UInt8(ascii: "*") {
            return storage.valueBytes(at: method).elementsEqual("OPTIONS".utf8)
        }
        return PathSyntax.isOriginForm(bytes)
    }

    private func received(_ storage: HeaderStorage, flags: UInt32, on stream: HTTP2Stream) {
        guard !stream.flags.contains(.ignored) else { return }
        if flags & HeaderBlockFlags.tooLarge != 0 {
            self.reset(stream, code: .enhanceYourCalm)
            return
        }
        let fields = HeaderFields(storage: storage)
        guard self.role == .client, flags & HeaderBlockFlags.hasPseudo != 0 else {
            stream.receiver?.received(trailers: fields)
            return
        }
        guard let index = storage.firstIndex(of: .statusPseudo, from: 0),
            let status = StatusDigits.parse(storage.valueBytes(at: index))
        else {
            self.reset(stream, code: .protocolError)
            return
        }
        if !status.isInformational { stream.flags.insert(.headReceived) }
        stream.receiver?.received(head: HTTPResponseHead(status: status, fields: fields))
    }

    private func closed(_ id: Int32, _ code: HTTP2ErrorCode) {
        guard let stream = self.streams.remove(id) else { return }
        self.connectionConsumed += stream.unconsumed
        let reason: HTTPStreamClosure
        if stream.flags.contains(.resetReceived) {
            reason =
                self.role == .client && code == .refusedStream ? .notProcessed : .resetByPeer(code)
        } else if code == .noError {
            reason = .finished
        } else if self.role == .client && code == .refusedStream
            && !stream.flags.contains(.resetSubmitted)
        {
            reason = .notProcessed
        } else {
            reason = .resetLocally(code)
        }
        self.finish(stream, reason)
        if self.streams.count == 0 { self.idleSince = self.now }
        if self.role == .client { self.startWaiting() }
    }

    /// Our side has ended. A server does not want the rest of a request then
    /// (RFC 9113 section 8.1): it drops what comes, and resets the stream with NO_ERROR a little
    /// later, because some clients forget a response that they see together with a reset.
    private func endSent(_ id: Int32) {
        guard let stream = self.streams[id] else { return }
        stream.flags.insert(.endSent)
        if self.role == .server, !stream.flags.contains(.remoteEnded) {
            stream.flags.insert(.ignored)
            self.connectionConsumed += stream.unconsumed
            stream.unconsumed = 0
            self.lingering.append(Lingering(id: id, deadline: self.now + self.times.linger))
            self.finish(stream, .finished)
        }
    }

    /// Resets the streams whose client goes on sending after the response.
    func endLingering() {
        while let first = self.lingering.first, first.deadline <= self.now {
            self.lingering.removeFirst()
            guard let stream = self.streams[first.id], !stream.flags.contains(.remoteEnded) else {
                continue
            }
            self.submitReset(first.id, .noError)
            self.flushSoon()
        }
    }

    private func reset(_ id: Int32) {
        guard let stream = self.streams[id] else { return }
        self.reset(stream, code: .internalError)
    }

    private func peerGoesAway(_ code: HTTP2ErrorCode) {
        if case .open = self.phase {
            self.phase = .draining
            self.drainStartedAt = self.now
            // The peer decides about the time that is left; we only stop when all is done.
            self.drainIsPeers = true
            self.onDraining()
            while let stream = self.waiting.popFirst() { self.unstartable.append(stream) }
            self.sendFinalGoAway()
        }
        self.lastGoAwayCode = code
    }
}

// MARK: - What streams ask

extension HTTP2Session {
    func send(_ head: HTTPResponseHead, endStream: Bool, on stream: HTTP2Stream) {
        guard self.role == .server, !stream.flags.contains(.headSent) else { return }
        self.vector.removeAll()
        self.vector.append(status: head.status)
        if let storage = head.fields.storage { self.vector.append(storage, pseudo: false) }
        if head.status.isInformational {
            nghttp2_submit_headers(
                self.native,
                UInt8(NGHTTP2_FLAG_NONE.rawValue),
                stream.streamID,
                nil,
                self.vector.pointer,
                self.vector.count,
                nil,
            )
        } else {
            stream.flags.insert(.headSent)
            if endStream { stream.flags.insert(.localEnded) }
            if endStream
                || (stream.flags.contains(.localEnded) && stream.queued == 0
                    && stream.trailers == nil)
            {
                nghttp2_submit_response(
                    self.native,
                    stream.streamID,
                    self.vector.pointer,
                    self.vector.count,
                    nil,
                )
            } else {
                var provider = self.provider(for: stream)
                nghttp2_submit_response(
                    self.native,
                    stream.streamID,
                    self.vector.pointer,
                    self.vector.count,
                    &provider,
                )
            }
        }
        withExtendedLifetime(head) {}
        self.flushSoon()
    }

    private func provider(for stream: HTTP2Stream) -> nghttp2_data_provider {
        nghttp2_data_provider(
            source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()),
            read_callback: Callbacks.readData,
        )
    }

    /// There is more to send on a stream, or it has ended.
    func bodyChanged(_ stream: HTTP2Stream) {
        guard stream.flags.contains(.headSent) else { return }
        if stream.flags.contains(.deferred) {
            stream.flags.remove(.deferred)
            nghttp2_session_resume_data(self.native, stream.streamID)
        }
        self.flushSoon()
    }

    private func sendTrailers(_ id: Int32) {
        guard let stream = self.streams[id], let trailers = stream.trailers else { return }
        stream.trailers = nil
        self.vector.removeAll()
        if let storage = trailers.storage { self.vector.append(storage, pseudo: false) }
        nghttp2_submit_trailer(self.native, id, self.vector.pointer, self.vector.count)
        withExtendedLifetime(trailers) {}
    }

    func reset(_ stream: HTTP2Stream, code: HTTP2ErrorCode) {
        if stream.flags.contains(.waiting) {
            stream.flags.remove(.waiting)
            if let index = self.waiting.firstIndex(where: { $0 === stream }) {
                self.waiting.remove(at: index)
            }
            stream.flags.insert(.resetSubmitted)
            self.unstartable.append(stream)
            self.flushSoon()
            return
        }
        guard stream.streamID != 0, !stream.flags.contains(.resetSubmitted) else { return }
        stream.flags.insert(.resetSubmitted)
        stream.flags.insert(.localEnded)
        self.submitReset(stream.streamID, code)
        self.flushSoon()
    }

    private func submitReset(_ id: Int32, _ code: HTTP2ErrorCode) {
        self.ownResets &+= 1
        nghttp2_submit_rst_stream(
            self.native,
            UInt8(NGHTTP2_FLAG_NONE.rawValue),
            id,
            code.rawValue,
        )
    }

    func consumed(_ count: Int, on stream: HTTP2Stream) {
        self.connectionConsumed += count
        if !stream.flags.contains(.remoteEnded), !stream.flags.contains(.resetSubmitted) {
            nghttp2_session_consume_stream(self.native, stream.streamID, count)
        }
        // A window update of the connection may wait for the next write unless it is large.
        self.flushSoon()
    }
}

// MARK: - Client

extension HTTP2Session {
    /// Starts a request, or queues it while the peer's limit of streams is reached.
    ///
    /// When it cannot be started, `closed(.notProcessed)` follows soon.
    public func startRequest(
        _ head: HTTPRequestHead,
        endStream: Bool,
        receiver: any HTTPStreamReceiver,
    ) -> HTTP2Stream {
        let stream = HTTP2Stream(session: self, connection: self.connection, id: 0)
        stream.receiver = receiver
        if endStream { stream.flags.insert(.localEnded) }
        guard self.phase == .open, self.role == .client else {
            self.unstartable.append(stream)
            if case .closed = self.phase {
                // Nobody asks for frames any more.
                let bound = NIOLoopBound(self, eventLoop: self.connection.eventLoop)
                self.connection.eventLoop.execute { bound.value.failUnstartable() }
            } else {
                self.flushSoon()
            }
            return stream
        }
        if self.streams.count >= self.peerConcurrentStreams || !self.waiting.isEmpty {
            if self.waiting.count >= self.waitingLimit {
                self.unstartable.append(stream)
            } else {
                stream.waitingHead = head
                stream.flags.insert(.waiting)
                self.waiting.append(stream)
            }
            self.flushSoon()
            return stream
        }
        self.submit(head, on: stream)
        return stream
    }

    private func submit(_ head: HTTPRequestHead, on stream: HTTP2Stream) {
        self.vector.removeAll()
        if let storage = head.storage { self.vector.append(storage, pseudo: true) }
        let endsAtOnce =
            stream.flags.contains(.localEnded) && stream.queued == 0 && stream.trailers == nil
        let id: Int32
        if endsAtOnce {
            id = nghttp2_submit_request(
                self.native,
                nil,
                self.vector.pointer,
                self.vector.count,
                nil,
                nil,
            )
        } else {
            var provider = self.provider(for: stream)
            id = nghttp2_submit_request(
                self.native,
                nil,
                self.vector.pointer,
                self.vector.count,
                &provider,
                nil,
            )
        }
        withExtendedLifetime(head) {}
        guard id > 0 else {
            // Stream identifiers are used up, or memory is: another connection has to take it.
            self.unstartable.append(stream)
            if id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE.rawValue {
                self.shutdownGracefully(now: self.now)
            }
            self.flushSoon()
            return
        }
        stream.flags.insert(.headSent)
        stream.streamID = id
        stream.lastDataSeconds = self.nowSeconds
        self.streams.insert(stream, id: id)
        self.idleSince = nil
        self.flushSoon()
    }

    private func startWaiting() {
        while self.streams.count < self.peerConcurrentStreams, self.phase == .open,
            let stream = self.waiting.popFirst()
        {
            stream.flags.remove(.waiting)
            guard let head = stream.waitingHead else { continue }
            stream.waitingHead = nil
            self.submit(head, on: stream)
        }
    }

    private func peerSettingsChanged() {
        let value = nghttp2_session_get_remote_settings(
            self.native,
            NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
        )
        self.peerConcurrentStreams = Int(min(value, 1 << 30))
        self.startWaiting()
    }

    private func failUnstartable() {
        while !self.unstartable.isEmpty {
            let failed = self.unstartable
            self.unstartable = []
            for stream in failed {
                self.finish(
                    stream,
                    stream.flags.contains(.resetSubmitted)
                        ? .resetLocally(.cancel) : .notProcessed,
                )
            }
        }
    }
}
