// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// The limits of the store. Defaults are etcd's.
public struct StoreLimits: Hashable, Sendable {
    /// The most bytes of a request, as encoded for etcd.
    ///
    /// Source: etcd `server/embed/config.go`, `DefaultMaxRequestBytes`.
    public var maximumRequestBytes = 1_572_864

    /// The most operations, and the most compares, of a transaction on each level.
    ///
    /// Source: etcd `server/embed/config.go`, `DefaultMaxTxnOps`.
    public var maximumTxnOperations = 128

    /// How deep transactions may be nested. etcd has no bound of its own but the request size; the
    /// evaluator recurses, so this one has.
    public var maximumTxnDepth = 32

    /// The most bytes of data before writes are refused and the alarm is raised; 0 for no limit.
    ///
    /// Source: etcd `server/storage/quota.go`, `DefaultQuotaBytes`.
    public var quotaBytes: Int64 = 2_147_483_648

    /// The shortest time to live of a lease in seconds.
    public var minimumLeaseTTL: Int64 = 1

    /// The longest time to live of a lease in seconds.
    ///
    /// Source: etcd `server/lease/lessor.go`, `MaxLeaseTTL`.
    public var maximumLeaseTTL: Int64 = 9_000_000_000

    /// The most requests waiting to be written before more are refused as too many.
    ///
    /// Source: etcd `server/etcdserver/v3_server.go`, `maxGapBetweenApplyAndCommitIndex`.
    public var maximumPendingRequests = 5_000

    /// The most bytes of requests waiting to be written.
    public var maximumPendingBytes = 128 << 20

    /// The most bytes a watch stream may hold for a reader that does not read. Beyond it the
    /// stream's watchers fall back to reading history at the reader's own pace.
    public var maximumWatchStreamBytes = 8 << 20

    /// The most watchers of one stream.
    public var maximumWatchersPerStream = 100_000

    /// The most bytes of events in one watch response, where a revision allows it. A watcher with
    /// `fragment` gets no bigger response at all.
    public var maximumWatchResponseBytes = 1_572_864

    /// How often a watcher that asks for it hears of progress while it has no events, in seconds.
    ///
    /// Source: etcd `server/etcdserver/api/v3rpc/watch.go`, `progressReportInterval`.
    public var watchProgressIntervalSeconds: Int64 = 600

    public init() {}
}
