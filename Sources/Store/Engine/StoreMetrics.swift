// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Metrics

/// What the engine counts and measures while it works, under etcd's names.
///
/// Source: etcd 3.6 `server/storage/mvcc/metrics.go`, `server/storage/backend/metrics.go`,
/// `server/storage/wal/metrics.go`.
package struct StoreMetrics: Sendable {
    /// Flushes of the log: what a write waits for.
    let flushes: Histogram
    /// Transactions of the table.
    let applications: Histogram
    let puts: Counter
    let deletes: Counter
    let txns: Counter
    /// Requests that were evaluated together, by how many there were.
    let groups: Histogram

    /// Registers them.
    package init(_ registry: MetricRegistry) {
        // Etcd's buckets: 1 ms to 8 s.
        let bounds = [Double].exponential(start: 0.001, factor: 2, count: 14)
        self.flushes = registry.histogram(
            "etcd_disk_wal_fsync_duration_seconds",
            help: "The latency distributions of fsync called by WAL.",
            bounds: bounds
        )
        self.applications = registry.histogram(
            "etcd_disk_backend_commit_duration_seconds",
            help: "The latency distributions of commit called by backend.",
            bounds: bounds
        )
        self.puts = registry.counter(
            "etcd_mvcc_put_total",
            help: "Total number of puts seen by this member."
        )
        self.deletes = registry.counter(
            "etcd_mvcc_delete_total",
            help: "Total number of deletes seen by this member."
        )
        self.txns = registry.counter(
            "etcd_mvcc_txn_total",
            help: "Total number of txns seen by this member."
        )
        self.groups = registry.histogram(
            "apus_etcd_commit_group_requests",
            help: "Requests that were committed with one flush.",
            bounds: .exponential(start: 1, factor: 4, count: 7)
        )
    }
}

extension Histogram {
    /// Counts a time given in nanoseconds, in seconds.
    func observe(nanoseconds: Int64) {
        self.observe(Double(nanoseconds) * 1e-9)
    }
}
