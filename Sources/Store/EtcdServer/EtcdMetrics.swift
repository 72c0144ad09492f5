// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
internal import KeyValueStore
package import Metrics

/// What the store tells under etcd's names. Numbers are read from it when they are asked for.
///
/// Source: etcd 3.6 `server/etcdserver/metrics.go`, `server/storage/mvcc/metrics.go`.
package enum EtcdMetrics {
    /// Adds the metrics of `store`.
    package static func register(_ store: EmbeddedStore, in registry: MetricRegistry) {
        self.registerServer(store, in: registry)
        self.registerStorage(store, in: registry)
    }

    private static func registerServer(_ store: EmbeddedStore, in registry: MetricRegistry) {
        registry.callback(
            "etcd_server_has_leader",
            help: "Whether or not a leader exists. 1 is existence, 0 is not."
        ) { store.failure == nil ? 1 : 0 }
        registry.callback(
            "etcd_server_is_leader",
            help: "Whether or not this member is a leader. 1 if is, 0 otherwise."
        ) { store.failure == nil ? 1 : 0 }
        registry.callback(
            "etcd_server_is_learner",
            help: "Whether or not this member is a learner. 1 if is, 0 otherwise."
        ) { 0 }
        registry.callback(
            "etcd_server_leader_changes_seen_total",
            .counter,
            help: "The number of leader changes seen."
        ) { 1 }
        registry.callback(
            "etcd_server_proposals_committed_total",
            help: "The total number of consensus proposals committed."
        ) { Double(store.figures.requestIndex) }
        registry.callback(
            "etcd_server_proposals_applied_total",
            help: "The total number of consensus proposals applied."
        ) { Double(store.figures.requestIndex) }
        registry.callback(
            "etcd_server_proposals_pending",
            help: "The current number of pending proposals to commit."
        ) { Double(store.figures.pendingRequests) }
        registry.callback(
            "etcd_server_quota_backend_bytes",
            help: "Current backend storage quota size in bytes."
        ) { Double(store.options.limits.quotaBytes) }
        registry.callback(
            "etcd_server_version",
            help: "Which version is running. 1 for 'server_version' label with current version.",
            labels: ["server_version"]
        ) { [Sample(labels: [EmbeddedStore.etcdVersion], 1)] }
        registry.callback(
            "etcd_cluster_version",
            help: "Which version is running. 1 for 'cluster_version' label with current cluster "
                + "version",
            labels: ["cluster_version"]
        ) { [Sample(labels: [EtcdServices.clusterSeries], 1)] }
        registry.callback(
            "etcd_server_id",
            help: "Server or member ID in hexadecimal format. 1 for 'server_id' label with "
                + "current ID.",
            labels: ["server_id"]
        ) { [Sample(labels: [String(store.figures.memberID, radix: 16)], 1)] }
    }

    private static func registerStorage(_ store: EmbeddedStore, in registry: MetricRegistry) {
        registry.callback(
            "etcd_mvcc_db_total_size_in_bytes",
            help: "Total size of the underlying database physically allocated in bytes."
        ) { Double(store.figures.allocatedBytes) }
        registry.callback(
            "etcd_mvcc_db_total_size_in_use_in_bytes",
            help: "Total size of the underlying database logically in use in bytes."
        ) { Double(store.figures.usedBytes) }
        registry.callback(
            "etcd_debugging_mvcc_keys_total",
            help: "Total number of keys."
        ) { Double(store.figures.keys) }
        registry.callback(
            "etcd_debugging_mvcc_current_revision",
            help: "The current revision of store."
        ) { Double(store.figures.revision) }
        registry.callback(
            "etcd_debugging_mvcc_compact_revision",
            help: "The revision of the last compaction in store."
        ) { Double(store.figures.compactRevision) }
        registry.callback(
            "etcd_debugging_mvcc_watch_stream_total",
            help: "Total number of watch streams."
        ) { Double(store.figures.watchStreams) }
        registry.callback(
            "etcd_debugging_mvcc_watcher_total",
            help: "Total number of watchers."
        ) { Double(store.figures.watchers) }
        registry.callback(
            "apus_etcd_leases",
            help: "Number of leases."
        ) { Double(store.figures.leases) }
    }
}
