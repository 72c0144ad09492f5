// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Every limit of a connection, server or client side. Crossing one gives the protocol's own
/// answer, named at each; other connections notice nothing.
///
/// Rates are counted in a bucket that holds one second's worth times ``burstSeconds``.
public struct HTTPLimits: Sendable {
    // MARK: Headers

    /// The size of a header list, counted as HPACK does (SETTINGS_MAX_HEADER_LIST_SIZE). Answer:
    /// 431 (the header block is still read, so that HPACK stays in step); a block beyond
    /// four times this ends the connection with ENHANCE_YOUR_CALM.
    public var headerListBytes = 64 << 10
    /// The number of fields in a header list. Answer: as ``headerListBytes``.
    public var headerCount = 256
    /// CONTINUATION frames after one HEADERS (CVE-2024-27316). Answer: GOAWAY
    /// ENHANCE_YOUR_CALM.
    public var continuationFrames = 8
    /// HPACK's dynamic table, each direction (SETTINGS_HEADER_TABLE_SIZE), in bytes.
    public var headerTableBytes = 4096

    // MARK: Streams

    /// Concurrent streams that the peer may open (SETTINGS_MAX_CONCURRENT_STREAMS). Answer:
    /// RST_STREAM REFUSED_STREAM.
    public var concurrentStreams = 1000
    /// The same for a connection without a verified client certificate, when smaller. API
    /// servers give 100 to those (CVE-2023-44487).
    public var unauthenticatedConcurrentStreams = 1000
    /// RST_STREAM frames from the peer per second (rapid reset, CVE-2023-44487). Answer: GOAWAY
    /// ENHANCE_YOUR_CALM.
    public var peerResetsPerSecond = 100
    /// Streams that *we* had to reset because of what the peer did, per second (MadeYouReset,
    /// CVE-2025-8671). Answer: GOAWAY ENHANCE_YOUR_CALM.
    public var provokedResetsPerSecond = 100
    /// How many seconds' worth a bucket holds.
    public var burstSeconds = 10

    // MARK: Floods. Answer to each: GOAWAY ENHANCE_YOUR_CALM.

    /// SETTINGS frames (not acks) from the peer per second.
    public var settingsPerSecond = 10
    /// PING frames (not acks) from the peer per second.
    public var pingsPerSecond = 50
    /// PRIORITY and PRIORITY_UPDATE frames, and frames of unknown type, per second.
    public var prioritiesPerSecond = 200
    /// DATA frames without payload that do not end their stream, per second.
    public var emptyFramesPerSecond = 100
    /// WINDOW_UPDATE frames beyond one for each ``windowUpdateFreeBytes`` that we sent, per
    /// second.
    public var windowUpdatesPerSecond = 1000
    /// Sent bytes for which a WINDOW_UPDATE is not counted.
    public var windowUpdateFreeBytes = 1024
    /// Control frames (acks, resets) that wait for a peer that does not read. Answer: the
    /// connection is closed.
    public var outboundControlFrames = 1000

    // MARK: Flow control

    /// Bytes that the peer may send on one stream before they are consumed
    /// (SETTINGS_INITIAL_WINDOW_SIZE): the bound of what an unread body holds.
    public var streamWindowBytes = 256 << 10
    /// The same for all streams of a connection together.
    public var connectionWindowBytes = 4 << 20
    /// The largest frame we accept (SETTINGS_MAX_FRAME_SIZE), 16,384 to 16,777,215.
    public var frameBytes = 16 << 10
    /// Queued body bytes from which a stream is not writable; it is again below half.
    public var streamSendBufferBytes = 64 << 10
    /// Bytes handed to the socket and not yet taken by the peer, from which no more frames are
    /// made.
    public var connectionSendBufferBytes = 256 << 10

    // MARK: Time

    /// From accepting a connection to the end of its TLS handshake and first bytes. Answer: the
    /// connection is closed.
    public var handshakeTimeout: Duration = .seconds(10)
    /// From a request's first byte to the end of its head on HTTP/1.1. Answer: 408 and close.
    public var headerTimeout: Duration = .seconds(30)
    /// Without a byte of a body that the application waits for. Answer: 408, or RST_STREAM
    /// CANCEL. Zero: none, as watches and RPC streams need.
    public var bodyIdleTimeout: Duration = .zero
    /// Without any stream. Answer: GOAWAY NO_ERROR, or close. Zero: none.
    public var idleTimeout: Duration = .seconds(300)
    /// Without progress while bytes wait for the peer to read them. Answer: close. Zero: none.
    public var writeTimeout: Duration = .seconds(60)
    /// Without a byte leaving for any stream while the peer's windows are shut. Answer: RST_STREAM
    /// CANCEL to the streams that wait. Zero: none.
    public var flowStallTimeout: Duration = .seconds(300)
    /// Without a byte from the peer before a PING asks for one. Zero: no PINGs.
    public var keepaliveInterval: Duration = .zero
    /// From that PING to its answer. Answer: close.
    public var keepaliveTimeout: Duration = .seconds(20)
    /// From which age on a connection is drained; ±10% so that many do not do so at once. Zero: never.
    public var connectionAge: Duration = .zero
    /// What running streams get after GOAWAY before the connection is closed.
    public var drainTimeout: Duration = .seconds(30)

    // MARK: Connections

    /// Connections of a listener. Answer: the next one is closed at once.
    public var connections = 20_000

    /// The defaults.
    public init() {}
}
