// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// Writes one key.
public struct PutRequest: Hashable, Sendable {
    public var key: Bytes
    public var value: Bytes
    /// The lease that ends the key; 0 for none.
    public var lease: Int64
    /// Whether to answer with the key as it was.
    public var prevKV: Bool
    /// Keep the key's value. It is an error if the key does not exist.
    public var ignoreValue: Bool
    /// Keep the key's lease. It is an error if the key does not exist.
    public var ignoreLease: Bool

    public init(
        key: Bytes,
        value: Bytes = Bytes(),
        lease: Int64 = 0,
        prevKV: Bool = false,
        ignoreValue: Bool = false,
        ignoreLease: Bool = false
    ) {
        self.key = key
        self.value = value
        self.lease = lease
        self.prevKV = prevKV
        self.ignoreValue = ignoreValue
        self.ignoreLease = ignoreLease
    }
}

/// The answer to a put.
public struct PutResponse: Hashable, Sendable {
    public var header: ResponseHeader
    /// The key as it was, if asked for and there.
    public var prevKV: KeyValue?

    public init(header: ResponseHeader = ResponseHeader(), prevKV: KeyValue? = nil) {
        self.header = header
        self.prevKV = prevKV
    }
}

/// Deletes keys; the range is as in `RangeRequest`.
public struct DeleteRangeRequest: Hashable, Sendable {
    public var key: Bytes
    public var rangeEnd: Bytes
    /// Whether to answer with the keys as they were.
    public var prevKV: Bool

    public init(key: Bytes, rangeEnd: Bytes = Bytes(), prevKV: Bool = false) {
        self.key = key
        self.rangeEnd = rangeEnd
        self.prevKV = prevKV
    }
}

/// The answer to a deletion.
public struct DeleteRangeResponse: Hashable, Sendable {
    public var header: ResponseHeader
    /// The number of keys deleted.
    public var deleted: Int64
    public var prevKVs: [KeyValue]

    public init(
        header: ResponseHeader = ResponseHeader(),
        deleted: Int64 = 0,
        prevKVs: [KeyValue] = []
    ) {
        self.header = header
        self.deleted = deleted
        self.prevKVs = prevKVs
    }
}

/// Gives up history before a revision.
public struct CompactionRequest: Hashable, Sendable {
    /// The first revision that stays readable.
    public var revision: Int64
    /// Whether to wait until the history is off the disk.
    public var physical: Bool

    public init(revision: Int64, physical: Bool = false) {
        self.revision = revision
        self.physical = physical
    }
}

/// The answer to a compaction.
public struct CompactionResponse: Hashable, Sendable {
    public var header: ResponseHeader

    public init(header: ResponseHeader = ResponseHeader()) {
        self.header = header
    }
}
