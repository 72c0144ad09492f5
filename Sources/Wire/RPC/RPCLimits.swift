// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The limits of the RPC layer, for a server or a client. HTTP's own are in `HTTPLimits`.
public struct RPCLimits: Sendable, Hashable {
    /// Largest message that is accepted, in bytes, before and after decompression. Answer:
    /// `RESOURCE_EXHAUSTED`.
    public var maxInboundMessageBytes = 4 << 20
    /// Largest message that is sent, in bytes before compression. Answer: `RESOURCE_EXHAUSTED`.
    public var maxOutboundMessageBytes = Int(Int32.max)
    /// Bytes of messages that wait in a call for the transport; a writer is suspended beyond them.
    public var outboundBufferBytes = 64 << 10
    /// Server: the longest deadline that is kept; a later one counts as this.
    public var maxTimeout: Duration = .seconds(365 * 86_400)
    /// Server: calls that may run at once on one listener. Answer: `RESOURCE_EXHAUSTED`.
    public var concurrentCalls = 100_000
    /// Client: calls that may wait for a connection. Answer: `UNAVAILABLE`.
    public var waitingCalls = 10_000
    /// Bytes of a status message after percent-encoding; the rest is cut off.
    public var statusMessageBytes = 8 << 10

    /// The defaults.
    public init() {}
}
