// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
import HTTP

/// The clocks of ``HTTPLimits`` in nanoseconds; zero is none.
struct SessionTimes {
    let handshake: Int64
    let idle: Int64
    let write: Int64
    let keepaliveInterval: Int64
    let keepaliveTimeout: Int64
    let drain: Int64
    let body: Int64
    /// How long without any progress queued body bytes may wait for a window of the peer.
    let stall: Int64
    /// How long the last frames of a connection that failed may take to leave.
    let close: Int64 = 5_000_000_000
    /// How long the first GOAWAY of a graceful end may be under way.
    let shutdownNotice: Int64 = 1_000_000_000
    /// How long a client may go on sending after the response.
    let linger: Int64 = 1_000_000_000

    init(_ limits: HTTPLimits) {
        self.handshake = limits.handshakeTimeout.nanoseconds
        self.idle = limits.idleTimeout.nanoseconds
        self.write = limits.writeTimeout.nanoseconds
        self.keepaliveInterval = limits.keepaliveInterval.nanoseconds
        self.keepaliveTimeout = limits.keepaliveTimeout.nanoseconds
        self.drain = limits.drainTimeout.nanoseconds
        self.body = limits.bodyIdleTimeout.nanoseconds
        self.stall = limits.flowStallTimeout.nanoseconds
    }
}

extension Duration {
    /// The whole duration in nanoseconds, as large as fits.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds > 0 ? Int64.max / 4 : 0 }
        return min(whole, Int64.max / 4) + attoseconds / 1_000_000_000
    }
}

extension HTTP2Session {
    /// What a PING of ours asks for; the first byte of its data.
    enum PingPurpose: UInt8 {
        case keepalive = 1
        case drain = 2
    }

    var nowSeconds: UInt32 { UInt32(truncatingIfNeeded: self.now / 1_000_000_000) }

    func submitPing(_ purpose: PingPurpose) {
        var data: [UInt8] = [purpose.rawValue, 0, 0, 0, 0, 0, 0, 0]
        nghttp2_submit_ping(self.native, UInt8(NGHTTP2_FLAG_NONE.rawValue), &data)
    }

    func pingAnswered(_ purpose: UInt32) {
        if purpose == UInt32(PingPurpose.drain.rawValue), case .draining = self.phase {
            self.sendFinalGoAway()
        }
    }

    /// Says whether the socket takes what is written.
    public func writeBlocked(_ isBlocked: Bool, now: Int64) {
        if isBlocked {
            if self.writeBlockedSince == nil { self.writeBlockedSince = now }
        } else {
            self.writeBlockedSince = nil
        }
    }

    /// The next moment at which ``tick(now:)`` has something to look at; nil for never.
    public var nextDeadline: Int64? {
        var next = Int64.max
        func consider(_ start: Int64, _ length: Int64) {
            if length > 0 { next = min(next, start &+ length) }
        }
        switch self.phase {
        case .closed: return nil
        case .closing:
            consider(self.lastProgressAt, self.times.close)
            return next
        case .open:
            if let since = self.idleSince { consider(since, self.times.idle) }
            consider(self.startedAt, self.ageLimit)
        case .draining: break
        }
        if !self.settingsReceived || !self.settingsAcknowledged {
            consider(self.startedAt, self.times.handshake)
        }
        if let sent = self.pingSentAt {
            consider(sent, self.times.keepaliveTimeout)
        } else {
            consider(self.lastReceivedAt, self.times.keepaliveInterval)
        }
        if let since = self.drainStartedAt {
            if !self.finalGoAwaySent { consider(since, self.times.shutdownNotice) }
            if !self.drainIsPeers { consider(since, self.times.drain) }
        }
        if let first = self.lingering.first { next = min(next, first.deadline) }
        if let since = self.writeBlockedSince { consider(since, self.times.write) }
        if self.streamCount > 0 {
            consider(max(self.lastProgressAt, self.lastStallCheckAt), self.times.stall)
            if self.times.body > 0 { consider(self.lastBodyCheckAt, self.bodyCheckInterval) }
        }
        return next == Int64.max ? nil : next
    }

    private var bodyCheckInterval: Int64 { max(self.times.body / 2, 100_000_000) }

    /// Looks at the clocks.
    public func tick(now: Int64) {
        self.now = now
        func isOver(_ start: Int64, _ length: Int64) -> Bool {
            length > 0 && now >= start &+ length
        }
        switch self.phase {
        case .closed: return
        case .closing(let error):
            if isOver(self.lastProgressAt, self.times.close) { self.close(error) }
            return
        case .open:
            if let since = self.idleSince, isOver(since, self.times.idle) {
                return self.shutdownGracefully(now: now)
            }
            if isOver(self.startedAt, self.ageLimit) {
                return self.shutdownGracefully(now: now)
            }
        case .draining: break
        }
        if let since = self.writeBlockedSince, isOver(since, self.times.write) {
            return self.close(.timedOut(.write))
        }
        if !self.settingsReceived, isOver(self.startedAt, self.times.handshake) {
            return self.terminate(.protocolError, .timedOut(.handshake))
        }
        if !self.settingsAcknowledged, isOver(self.startedAt, self.times.handshake) {
            return self.terminate(.settingsTimeout, .timedOut(.settingsAck))
        }
        if let sent = self.pingSentAt {
            if self.lastReceivedAt > sent {
                self.pingSentAt = nil
            } else if isOver(sent, self.times.keepaliveTimeout) {
                return self.terminate(.noError, .timedOut(.keepalive))
            }
        }
        if self.pingSentAt == nil, isOver(self.lastReceivedAt, self.times.keepaliveInterval) {
            self.pingSentAt = now
            self.submitPing(.keepalive)
            self.flushSoon()
        }
        if let since = self.drainStartedAt {
            if !self.finalGoAwaySent, isOver(since, self.times.shutdownNotice) {
                self.sendFinalGoAway()
            }
            if !self.drainIsPeers, isOver(since, self.times.drain) {
                return self.terminate(.noError, .shuttingDown)
            }
        }
        self.endLingering()
        self.checkBodies()
    }

    /// Resets streams whose peer neither sends nor takes anything.
    private func checkBodies() {
        var stalled: [HTTP2Stream] = []
        let stallBase = max(self.lastProgressAt, self.lastStallCheckAt)
        if self.times.stall > 0, self.now >= stallBase &+ self.times.stall {
            self.lastStallCheckAt = self.now
            self.forEachStream { if $0.queued > 0 { stalled.append($0) } }
        }
        if self.times.body > 0, self.now >= self.lastBodyCheckAt &+ self.bodyCheckInterval {
            self.lastBodyCheckAt = self.now
            let seconds = UInt32(clamping: max(self.times.body / 1_000_000_000, 1))
            let current = self.nowSeconds
            self.forEachStream { stream in
                // A body whose bytes are not consumed waits for the application, not the peer.
                if !stream.flags.contains(.remoteEnded), stream.unconsumed == 0,
                    current &- stream.lastDataSeconds >= seconds
                {
                    stalled.append(stream)
                }
            }
        }
        for stream in stalled { self.reset(stream, code: .cancel) }
    }
}
