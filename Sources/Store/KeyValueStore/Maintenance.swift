// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The state of a member.
public struct StatusResponse: Hashable, Sendable {
    public var header: ResponseHeader
    /// The version of etcd whose behaviour the member has.
    public var version: String
    /// The size of the backend on disk in bytes.
    public var databaseBytes: Int64
    /// The part of it that holds data.
    public var databaseBytesInUse: Int64
    /// The most it may hold; 0 for no limit.
    public var databaseQuotaBytes: Int64
    public var leader: UInt64
    public var raftIndex: UInt64
    public var raftTerm: UInt64
    public var raftAppliedIndex: UInt64
    /// What is wrong with the member, alarms among it.
    public var errors: [String]
    public var isLearner: Bool
    /// The version of the backend's schema.
    public var storageVersion: String

    public init(
        header: ResponseHeader = ResponseHeader(),
        version: String = "",
        databaseBytes: Int64 = 0,
        databaseBytesInUse: Int64 = 0,
        databaseQuotaBytes: Int64 = 0,
        leader: UInt64 = 0,
        raftIndex: UInt64 = 0,
        raftTerm: UInt64 = 0,
        raftAppliedIndex: UInt64 = 0,
        errors: [String] = [],
        isLearner: Bool = false,
        storageVersion: String = ""
    ) {
        self.header = header
        self.version = version
        self.databaseBytes = databaseBytes
        self.databaseBytesInUse = databaseBytesInUse
        self.databaseQuotaBytes = databaseQuotaBytes
        self.leader = leader
        self.raftIndex = raftIndex
        self.raftTerm = raftTerm
        self.raftAppliedIndex = raftAppliedIndex
        self.errors = errors
        self.isLearner = isLearner
        self.storageVersion = storageVersion
    }
}

/// A hash of the backend.
public struct HashResponse: Hashable, Sendable {
    public var header: ResponseHeader
    public var hash: UInt32

    public init(header: ResponseHeader = ResponseHeader(), hash: UInt32 = 0) {
        self.header = header
        self.hash = hash
    }
}

/// A hash of the keys and values at a revision.
public struct HashKVResponse: Hashable, Sendable {
    public var header: ResponseHeader
    public var hash: UInt32
    /// The revision up to which history was given up.
    public var compactRevision: Int64
    /// The revision that was hashed.
    public var hashRevision: Int64

    public init(
        header: ResponseHeader = ResponseHeader(),
        hash: UInt32 = 0,
        compactRevision: Int64 = 0,
        hashRevision: Int64 = 0
    ) {
        self.header = header
        self.hash = hash
        self.compactRevision = compactRevision
        self.hashRevision = hashRevision
    }
}

/// A condition that an operator has to resolve.
public enum AlarmType: Int32, Hashable, Sendable, CaseIterable {
    case none = 0
    /// The backend is full; writes that need space are refused.
    case noSpace = 1
    /// The data is damaged; everything is refused.
    case corrupt = 2
}

/// Reads, raises or clears alarms.
public struct AlarmRequest: Hashable, Sendable {
    /// What to do.
    public enum Action: Int32, Hashable, Sendable, CaseIterable {
        case get = 0
        case activate = 1
        case deactivate = 2
    }

    public var action: Action
    /// The member concerned; 0 for all.
    public var memberID: UInt64
    /// The alarm concerned; for `get`, `none` means all.
    public var alarm: AlarmType

    public init(action: Action = .get, memberID: UInt64 = 0, alarm: AlarmType = .none) {
        self.action = action
        self.memberID = memberID
        self.alarm = alarm
    }
}

/// A raised alarm.
public struct AlarmMember: Hashable, Sendable {
    public var memberID: UInt64
    public var alarm: AlarmType

    public init(memberID: UInt64 = 0, alarm: AlarmType = .none) {
        self.memberID = memberID
        self.alarm = alarm
    }
}

/// The alarms read or changed.
public struct AlarmResponse: Hashable, Sendable {
    public var header: ResponseHeader
    public var alarms: [AlarmMember]

    public init(header: ResponseHeader = ResponseHeader(), alarms: [AlarmMember] = []) {
        self.header = header
        self.alarms = alarms
    }
}

/// The answer to a defragmentation.
public struct DefragmentResponse: Hashable, Sendable {
    public var header: ResponseHeader
    /// Whether there was anything to do. The embedded engine reuses its free pages and has not.
    public var performed: Bool

    public init(header: ResponseHeader = ResponseHeader(), performed: Bool = false) {
        self.header = header
        self.performed = performed
    }
}
