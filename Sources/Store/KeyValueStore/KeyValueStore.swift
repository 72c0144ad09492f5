// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes

/// The cluster's key-value store, with the semantics of etcd v3.
///
/// Every write gets the next *revision*; a read can ask for any revision that is not compacted.
/// Implementations are an embedded store and a client of a remote one; both pass the same
/// behaviour suite.
///
/// All calls may be made from any task at any time. A write returns when it is durable. A read
/// sees every write that was acknowledged before the read began. Errors are `StoreError`s with
/// etcd's code and text. A cancelled task stops waiting, but a write that was started may still
/// happen.
///
/// Source: etcd 3.6 `api/etcdserverpb/rpc.proto` and its server.
public protocol KeyValueStore: Sendable {
    /// Reads one key or a range of keys.
    func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse

    /// Writes one key.
    func put(_ request: PutRequest) async throws(StoreError) -> PutResponse

    /// Deletes one key or a range of keys, in one revision. Nothing deleted means no new revision.
    func deleteRange(_ request: DeleteRangeRequest) async throws(StoreError) -> DeleteRangeResponse

    /// Evaluates compares and runs one of two lists of operations, in one revision.
    func txn(_ request: TxnRequest) async throws(StoreError) -> TxnResponse

    /// Gives up history before a revision.
    func compact(_ request: CompactionRequest) async throws(StoreError) -> CompactionResponse

    /// Opens a stream that carries any number of watchers.
    func openWatchStream() async throws(StoreError) -> any WatchStream

    /// Creates a lease.
    func leaseGrant(_ request: LeaseGrantRequest) async throws(StoreError) -> LeaseGrantResponse

    /// Ends a lease and deletes its keys, in one revision.
    func leaseRevoke(_ request: LeaseRevokeRequest) async throws(StoreError) -> LeaseRevokeResponse

    /// Starts a lease's time over. An unknown lease answers with a time to live of 0.
    func leaseKeepAlive(
        _ request: LeaseKeepAliveRequest
    ) async throws(StoreError) -> LeaseKeepAliveResponse

    /// What is left of a lease. An unknown lease answers with a time to live of -1.
    func leaseTimeToLive(
        _ request: LeaseTimeToLiveRequest
    ) async throws(StoreError) -> LeaseTimeToLiveResponse

    /// All leases.
    func leaseLeases() async throws(StoreError) -> LeaseLeasesResponse

    /// The state of the member that answers.
    func status() async throws(StoreError) -> StatusResponse

    /// A hash of everything the backend holds.
    func hash() async throws(StoreError) -> HashResponse

    /// A hash of keys and values at a revision; 0 is the current one.
    func hashKV(revision: Int64) async throws(StoreError) -> HashKVResponse

    /// Reads, raises or clears alarms.
    func alarm(_ request: AlarmRequest) async throws(StoreError) -> AlarmResponse

    /// Gives unused disk space back, where the engine needs that.
    func defragment() async throws(StoreError) -> DefragmentResponse

    /// A consistent copy of the store at its current revision, as an etcd snapshot file.
    func openSnapshot() async throws(StoreError) -> any SnapshotStream
}

/// The bytes of a snapshot, in order.
public protocol SnapshotStream: Sendable {
    /// The revision the snapshot holds.
    var revision: Int64 { get }

    /// The size of what `next` gives in all, in bytes.
    var totalBytes: UInt64 { get }

    /// The next bytes, or nil at the end. Only one task may call it.
    func next() async throws(StoreError) -> Bytes?

    /// Ends the stream early. Ending it twice or after the end is harmless.
    func close()
}
