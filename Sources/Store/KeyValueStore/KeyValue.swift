// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// A key with its value and history, as of one revision.
///
/// Source: etcd `mvccpb.KeyValue`.
public struct KeyValue: Hashable, Sendable {
    /// The key: any bytes, not empty.
    public var key: Bytes
    /// The revision that created the key.
    public var createRevision: Int64
    /// The revision that changed it last.
    public var modRevision: Int64
    /// The number of changes since it was created, 1 after creation.
    public var version: Int64
    /// The value: any bytes.
    public var value: Bytes
    /// The lease that ends the key, or 0.
    public var lease: Int64

    public init(
        key: Bytes = Bytes(),
        createRevision: Int64 = 0,
        modRevision: Int64 = 0,
        version: Int64 = 0,
        value: Bytes = Bytes(),
        lease: Int64 = 0
    ) {
        self.key = key
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.value = value
        self.lease = lease
    }
}

/// What every answer says about the store. Operations inside a transaction carry the revision only.
public struct ResponseHeader: Hashable, Sendable {
    /// The cluster that answered.
    public var clusterID: UInt64
    /// The member that answered.
    public var memberID: UInt64
    /// The store's revision when the request was applied.
    public var revision: Int64
    /// The term of the member.
    public var raftTerm: UInt64

    public init(
        clusterID: UInt64 = 0,
        memberID: UInt64 = 0,
        revision: Int64 = 0,
        raftTerm: UInt64 = 0
    ) {
        self.clusterID = clusterID
        self.memberID = memberID
        self.revision = revision
        self.raftTerm = raftTerm
    }
}
