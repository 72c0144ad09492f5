// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// Creates a lease.
public struct LeaseGrantRequest: Hashable, Sendable {
    /// The time to live in seconds. Less than the minimum gives the minimum.
    public var ttl: Int64
    /// The wanted number; 0 lets the store choose.
    public var id: Int64

    public init(ttl: Int64, id: Int64 = 0) {
        self.ttl = ttl
        self.id = id
    }
}

/// The answer to a grant.
public struct LeaseGrantResponse: Hashable, Sendable {
    public var header: ResponseHeader
    public var id: Int64
    /// The time to live that was given, in seconds.
    public var ttl: Int64

    public init(header: ResponseHeader = ResponseHeader(), id: Int64 = 0, ttl: Int64 = 0) {
        self.header = header
        self.id = id
        self.ttl = ttl
    }
}

/// Ends a lease.
public struct LeaseRevokeRequest: Hashable, Sendable {
    public var id: Int64

    public init(id: Int64) {
        self.id = id
    }
}

/// The answer to a revocation.
public struct LeaseRevokeResponse: Hashable, Sendable {
    public var header: ResponseHeader

    public init(header: ResponseHeader = ResponseHeader()) {
        self.header = header
    }
}

/// Starts a lease's time over.
public struct LeaseKeepAliveRequest: Hashable, Sendable {
    public var id: Int64

    public init(id: Int64) {
        self.id = id
    }
}

/// The answer to a keep-alive.
public struct LeaseKeepAliveResponse: Hashable, Sendable {
    public var header: ResponseHeader
    public var id: Int64
    /// The new time to live in seconds; 0 if there is no such lease.
    public var ttl: Int64

    public init(header: ResponseHeader = ResponseHeader(), id: Int64 = 0, ttl: Int64 = 0) {
        self.header = header
        self.id = id
        self.ttl = ttl
    }
}

/// Asks what is left of a lease.
public struct LeaseTimeToLiveRequest: Hashable, Sendable {
    public var id: Int64
    /// Whether to answer with the lease's keys.
    public var keys: Bool

    public init(id: Int64, keys: Bool = false) {
        self.id = id
        self.keys = keys
    }
}

/// What is left of a lease.
public struct LeaseTimeToLiveResponse: Hashable, Sendable {
    public var header: ResponseHeader
    public var id: Int64
    /// The seconds left; -1 if there is no such lease.
    public var ttl: Int64
    /// The time to live as granted.
    public var grantedTTL: Int64
    /// The keys, in order.
    public var keys: [Bytes]

    public init(
        header: ResponseHeader = ResponseHeader(),
        id: Int64 = 0,
        ttl: Int64 = 0,
        grantedTTL: Int64 = 0,
        keys: [Bytes] = []
    ) {
        self.header = header
        self.id = id
        self.ttl = ttl
        self.grantedTTL = grantedTTL
        self.keys = keys
    }
}

/// All leases, by number.
public struct LeaseLeasesResponse: Hashable, Sendable {
    public var header: ResponseHeader
    public var leases: [Int64]

    public init(header: ResponseHeader = ResponseHeader(), leases: [Int64] = []) {
        self.header = header
        self.leases = leases
    }
}
