// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// Reads keys.
///
/// `rangeEnd` empty means the one key; a single zero byte means all keys from `key` on; anything
/// else means the keys in `key..<rangeEnd`.
public struct RangeRequest: Hashable, Sendable {
    /// The order of the answer.
    public enum SortOrder: Int32, Hashable, Sendable, CaseIterable {
        case none = 0
        case ascend = 1
        case descend = 2
    }

    /// What the answer is ordered by.
    public enum SortTarget: Int32, Hashable, Sendable, CaseIterable {
        case key = 0
        case version = 1
        case create = 2
        case mod = 3
        case value = 4
    }

    public var key: Bytes
    public var rangeEnd: Bytes
    /// The most keys to answer; 0 for all.
    public var limit: Int64
    /// The revision to read at; 0 or less for the current one.
    public var revision: Int64
    public var sortOrder: SortOrder
    public var sortTarget: SortTarget
    /// Whether a member may answer from its own state without asking the others.
    public var serializable: Bool
    public var keysOnly: Bool
    public var countOnly: Bool
    /// Bounds on the revisions of the keys answered, each inclusive; 0 for no bound.
    public var minModRevision: Int64
    public var maxModRevision: Int64
    public var minCreateRevision: Int64
    public var maxCreateRevision: Int64

    public init(
        key: Bytes,
        rangeEnd: Bytes = Bytes(),
        limit: Int64 = 0,
        revision: Int64 = 0,
        sortOrder: SortOrder = .none,
        sortTarget: SortTarget = .key,
        serializable: Bool = false,
        keysOnly: Bool = false,
        countOnly: Bool = false,
        minModRevision: Int64 = 0,
        maxModRevision: Int64 = 0,
        minCreateRevision: Int64 = 0,
        maxCreateRevision: Int64 = 0
    ) {
        self.key = key
        self.rangeEnd = rangeEnd
        self.limit = limit
        self.revision = revision
        self.sortOrder = sortOrder
        self.sortTarget = sortTarget
        self.serializable = serializable
        self.keysOnly = keysOnly
        self.countOnly = countOnly
        self.minModRevision = minModRevision
        self.maxModRevision = maxModRevision
        self.minCreateRevision = minCreateRevision
        self.maxCreateRevision = maxCreateRevision
    }
}

/// The answer to a range.
public struct RangeResponse: Hashable, Sendable {
    public var header: ResponseHeader
    /// The keys, empty if only counted.
    public var kvs: [KeyValue]
    /// Whether the limit left keys out.
    public var more: Bool
    /// The number of keys in the range, whatever limit and revision bounds were asked for.
    public var count: Int64

    public init(
        header: ResponseHeader = ResponseHeader(),
        kvs: [KeyValue] = [],
        more: Bool = false,
        count: Int64 = 0
    ) {
        self.header = header
        self.kvs = kvs
        self.more = more
        self.count = count
    }
}

/// Ends of ranges with a meaning of their own.
public enum RangeEnd {
    /// All keys from the first key on.
    public static let fromKey: Bytes = [0]

    /// The end of the range of all keys that start with `prefix`: the prefix with its last byte
    /// that is not 0xFF made one greater; `fromKey` if there is no such byte.
    public static func prefix(_ prefix: Bytes) -> Bytes {
        var end = [UInt8](prefix)
        while let last = end.last {
            if last < 0xFF {
                end[end.count - 1] = last + 1
                return Bytes(end)
            }
            end.removeLast()
        }
        return Self.fromKey
    }
}
