// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Engine
internal import EtcdAPI
internal import EtcdCodec
internal import KeyValueStore
package import RPCInterface

/// `etcdserverpb.Watch`.
package struct WatchServer: RPCService {
    package static let rpcServiceName = "etcdserverpb.Watch"

    private let store: EmbeddedStore

    package init(store: EmbeddedStore) {
        self.store = store
    }

    package var rpcMethods: [RPCServerMethod] {
        let store = self.store
        return [
            RPCServerMethod(
                method: Etcd.WatchMethods.watch,
                start: .onHeaders { call in
                    call.run { try await Self.serve(store, call) }
                }
            )
        ]
    }

    /// Serves one stream until the client is done or gone.
    private static func serve(_ store: EmbeddedStore, _ call: any RPCServerCall) async throws {
        let stream: any WatchStream
        do throws(StoreError) {
            stream = try await store.openWatchStream()
        } catch {
            throw RPCError(error)
        }
        defer { stream.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Self.send(stream, call)
                // The store has closed the stream: it is stopping.
                throw RPCError(StoreError.stopped)
            }
            group.addTask { try await Self.receive(stream, call) }
            // The first to end is the client saying that it is done, or an error.
            try await group.next()
            group.cancelAll()
        }
    }

    private static func receive(
        _ stream: any WatchStream,
        _ call: any RPCServerCall
    ) async throws {
        let requests = RPCRequestStream<WatchStreamRequest>(call)
        while let request = try await requests.next() {
            do throws(StoreError) {
                switch request {
                case .create(let request): try await stream.create(request)
                case .cancel(let id): try await stream.cancel(id)
                case .progress: try await stream.requestProgress()
                case .empty: continue
                }
            } catch {
                throw RPCError(error)
            }
        }
    }

    private static func send(
        _ stream: any WatchStream,
        _ call: any RPCServerCall
    ) async throws {
        while true {
            let response: WatchResponse?
            do throws(StoreError) {
                response = try await stream.next()
            } catch {
                throw RPCError(error)
            }
            guard let response else { return }
            let hasRoom = try call.append { sink in try response.encodeRPC(to: &sink) }
            if !hasRoom { try await call.waitForRoom() }
        }
    }
}
