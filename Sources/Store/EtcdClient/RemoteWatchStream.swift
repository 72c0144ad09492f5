// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
internal import EtcdAPI
internal import EtcdCodec
internal import KeyValueStore
internal import Protobuf
internal import RPCInterface
internal import Synchronization

/// A watch stream over the network.
final class RemoteWatchStream: WatchStream {
    private let call: any RPCClientCall
    private let requests: RPCWriter<WatchStreamRequest>
    private let responses: RPCResponseStream<WatchResponse>
    private let isClosed = Atomic<Bool>(false)

    private let onFailure: @Sendable (RPCError) -> Void

    /// - Parameter onFailure: Told why the stream ended, if it was not closed.
    init(_ call: any RPCClientCall, onFailure: @escaping @Sendable (RPCError) -> Void) {
        self.call = call
        self.onFailure = onFailure
        self.requests = RPCWriter(call)
        self.responses = RPCResponseStream(call)
    }

    private func send(_ request: WatchStreamRequest) async throws(StoreError) {
        do throws(RPCError) {
            try await self.requests.write(request)
        } catch {
            throw StoreError(error)
        }
    }

    func create(_ request: WatchCreateRequest) async throws(StoreError) {
        try await self.send(.create(request))
    }

    func cancel(_ watchID: Int64) async throws(StoreError) {
        try await self.send(.cancel(watchID))
    }

    func requestProgress() async throws(StoreError) {
        try await self.send(.progress)
    }

    func next() async throws(StoreError) -> WatchResponse? {
        do throws(RPCError) {
            return try await self.responses.next()
        } catch {
            if self.isClosed.load(ordering: .relaxed) || Task.isCancelled { return nil }
            self.onFailure(error)
            throw StoreError(error)
        }
    }

    func close() {
        self.isClosed.store(true, ordering: .relaxed)
        self.call.cancel()
    }
}

/// A snapshot over the network.
final class RemoteSnapshotStream: SnapshotStream {
    private let responses: RPCResponseStream<Etcd.SnapshotResponse>
    private let first: Mutex<Bytes?>

    /// Not told by the server before the end.
    var revision: Int64 { 0 }
    let totalBytes: UInt64

    init(
        _ responses: RPCResponseStream<Etcd.SnapshotResponse>,
        first: Etcd.SnapshotResponse?
    ) {
        self.responses = responses
        self.first = Mutex(first?.blob.detached())
        self.totalBytes = first.map { $0.remainingBytes + UInt64($0.blob.count) } ?? 0
    }

    func next() async throws(StoreError) -> Bytes? {
        let first = self.first.withLock { first in
            defer { first = nil }
            return first
        }
        if let first { return first }
        do throws(RPCError) {
            return try await self.responses.next()?.blob.detached()
        } catch {
            throw StoreError(error)
        }
    }

    func close() {
        self.responses.cancel()
    }
}
