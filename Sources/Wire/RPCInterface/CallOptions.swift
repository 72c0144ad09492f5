// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// How messages are compressed.
public enum RPCCompression: String, Sendable, Hashable, CaseIterable {
    /// Not at all.
    case identity
    /// RFC 1952.
    case gzip
    /// The zlib format, RFC 1950: what gRPC calls `deflate`.
    case deflate
}

/// What a caller may say about one call.
public struct CallOptions: Sendable {
    /// How long the call may take from its start; sent as `grpc-timeout`. `nil`: for ever.
    public var timeout: Duration?
    /// A point in time by which the call must be over; the earlier of this and ``timeout`` counts.
    public var deadline: ContinuousClock.Instant?
    /// Request metadata.
    public var metadata: Metadata
    /// Compression of requests; `nil`: as the channel is configured.
    public var compression: RPCCompression?
    /// Whether the call waits while the server cannot be reached, until its deadline, instead of
    /// failing with `UNAVAILABLE`; `nil`: as the channel is configured.
    public var waitForReady: Bool?
    /// Largest request message in bytes; `nil`: as the channel is configured.
    public var maxRequestMessageBytes: Int?
    /// Largest response message in bytes, after decompression; `nil`: as the channel is configured.
    public var maxResponseMessageBytes: Int?

    /// Options; what is left out is the channel's.
    public init(
        timeout: Duration? = nil,
        deadline: ContinuousClock.Instant? = nil,
        metadata: Metadata = Metadata(),
        compression: RPCCompression? = nil,
        waitForReady: Bool? = nil,
        maxRequestMessageBytes: Int? = nil,
        maxResponseMessageBytes: Int? = nil
    ) {
        self.timeout = timeout
        self.deadline = deadline
        self.metadata = metadata
        self.compression = compression
        self.waitForReady = waitForReady
        self.maxRequestMessageBytes = maxRequestMessageBytes
        self.maxResponseMessageBytes = maxResponseMessageBytes
    }

    /// Options for a call on behalf of the call that `context` serves: the same deadline.
    public init(propagating context: ServerContext) {
        self.init(deadline: context.deadline)
    }
}
