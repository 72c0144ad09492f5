// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Builds the index of a store that is being opened, on a thread of its own, while another one reads
/// and checks the records.
final class IndexLoader: Sendable {
    private struct Loaded: ~Copyable {
        var index = KeyIndex()
        var leases: LeaseTable
    }

    /// How many batches may wait. Beyond them, reading waits for the index.
    private static let maximumWaiting = 4

    private let inbox = Mailbox<IndexBatch>()
    /// Told when batches were taken.
    private let room = Mailbox<Never>()
    private let loaded: Guarded<Loaded>

    private init(leases: LeaseTable) {
        self.loaded = Guarded(Loaded(leases: leases))
    }

    /// Runs `body`, and gives `state` the index of all it has sent, and the leases with their keys.
    static func load(
        into state: inout StoreState,
        leases: LeaseTable,
        _ body: (IndexLoader) throws(BackendError) -> Void
    ) throws(BackendError) {
        let loader = IndexLoader(leases: leases)
        let thread = EngineThread.start(name: "store-index") { loader.build() }
        defer {
            loader.inbox.close()
            thread.join()
            loader.loaded.withLock { loaded in
                swap(&state.index, &loaded.index)
                swap(&state.leases, &loaded.leases)
            }
        }
        try body(loader)
    }

    /// Adds records, which come in order.
    func send(_ batch: IndexBatch) {
        if batch.isEmpty { return }
        while true {
            let acceptance = self.inbox.send(
                batch,
                weight: 1,
                maximumCount: Self.maximumWaiting,
                maximumWeight: .max
            )
            guard case .full = acceptance else { return }
            _ = self.room.take(timeout: nil)
        }
    }

    private func build() {
        while let batches = self.inbox.take(timeout: nil) {
            self.room.poke()
            self.loaded.withLock { loaded in
                for batch in batches { batch.apply(to: &loaded.index, &loaded.leases) }
            }
        }
    }
}
