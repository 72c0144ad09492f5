// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// MARK: - Figures

extension EmbeddedStore {
    /// What can be told of the store at a moment, for metrics.
    package struct Figures: Sendable {
        /// Keys that are there or whose deletion is remembered.
        package var keys = 0
        package var revision: Int64 = 0
        package var compactRevision: Int64 = 0
        package var leases = 0
        package var memberID: UInt64 = 0
        /// Requests evaluated since the store was made.
        package var requestIndex: UInt64 = 0
        package var pendingRequests = 0
        package var watchers = 0
        package var watchStreams = 0
        /// Bytes on disk, and the part of them that holds data.
        package var allocatedBytes: Int64 = 0
        package var usedBytes: Int64 = 0
    }

    /// The figures now. Takes the store's locks one after the other, each for a moment.
    package var figures: Figures {
        var figures = self.state.withLock { state in
            Figures(
                keys: state.index.count,
                revision: state.committed,
                compactRevision: state.compactRevision,
                leases: state.leases.count,
                memberID: state.memberID,
                requestIndex: state.requestIndex
            )
        }
        let usage = self.backend.usage
        figures.allocatedBytes = usage.allocatedBytes
        figures.usedBytes = usage.usedBytes
        figures.pendingRequests = self.inbox.count
        figures.watchers = self.hub.watcherCount
        figures.watchStreams = self.watchStreamCount
        return figures
    }
}
