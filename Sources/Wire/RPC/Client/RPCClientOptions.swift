// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import RPCInterface

/// How a client treats its calls and its connections.
public struct RPCClientOptions: Sendable {
    /// The limits.
    public var limits = RPCLimits()
    /// What sees every call, outermost first.
    public var interceptors: [any ClientInterceptor] = []
    /// Compression of requests.
    public var compression: RPCCompression = .identity
    /// Whether calls wait while the server cannot be reached, rather than fail.
    public var waitForReady = false
    /// The timeout of calls that set none.
    public var timeout: Duration?
    /// Connections to the server. One carries as many calls as the server allows streams; more use
    /// more event loops.
    public var connections = 1
    /// How long to wait between attempts to connect.
    public var backoff = RPCBackoff()
    /// Seed of the jitter; `nil`: random.
    public var seed: UInt64?
    /// `:authority`; `nil`: the host and port of the endpoint, `localhost` for a unix socket.
    public var authority: String?
    /// The `user-agent`.
    public var userAgent = "grpc-swift-apus/1.0"
    /// Times that a call the server did not process is sent again.
    public var maxRetries = 4
    /// Bytes of requests that a call keeps for sending them again.
    public var retryBufferBytes = 64 << 10

    /// The defaults.
    public init() {}
}

/// Time between attempts to connect: it grows exponentially, with jitter so that many clients do
/// not come back at once.
///
/// Source: gRPC `doc/connection-backoff.md`.
public struct RPCBackoff: Sendable, Hashable {
    /// Before the second attempt.
    public var initial: Duration = .seconds(1)
    /// Growth from one attempt to the next.
    public var multiplier = 1.6
    /// The part of the time that is random, both ways.
    public var jitter = 0.2
    /// The most.
    public var maximum: Duration = .seconds(120)

    /// The defaults of the specification.
    public init() {}

    /// These times.
    public init(initial: Duration, multiplier: Double, jitter: Double, maximum: Duration) {
        self.initial = initial
        self.multiplier = multiplier
        self.jitter = jitter
        self.maximum = maximum
    }

    /// Nanoseconds to wait after `failures` attempts in a row have failed.
    func nanoseconds(
        afterFailures failures: Int,
        using generator: inout some RandomNumberGenerator
    ) -> Int64 {
        var base = Double(max(self.initial.wholeNanoseconds, 0))
        let most = Double(max(self.maximum.wholeNanoseconds, 0))
        for _ in 1..<max(failures, 1) where base < most { base *= max(self.multiplier, 1) }
        base = min(base, most)
        let part = min(max(self.jitter, 0), 1)
        let factor = part == 0 ? 1 : Double.random(in: (1 - part)...(1 + part), using: &generator)
        return Int64(min(base * factor, Double(Int64.max / 2)))
    }
}

/// A generator that a seed determines (SplitMix64).
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

/// Sees the calls of a client: credentials, metrics, logging.
public protocol ClientInterceptor: Sendable {
    /// Before a call starts. It may change the options, such as adding metadata, and may wait.
    ///
    /// - Throws: what the call ends with; it is not started then.
    func willStart(
        _ method: RPCMethod,
        _ options: inout CallOptions
    ) async throws(RPCError)

    /// After a call that was started is over. Must not block.
    func didFinish(_ method: RPCMethod, _ status: RPCStatus)
}

extension ClientInterceptor {
    public func willStart(
        _ method: RPCMethod,
        _ options: inout CallOptions
    ) async throws(RPCError) {}

    public func didFinish(_ method: RPCMethod, _ status: RPCStatus) {}
}
