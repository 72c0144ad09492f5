// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import Engine
internal import EtcdAPI
internal import EtcdCodec
internal import KeyValueStore
package import RPCInterface

/// `etcdserverpb.KV`.
package struct KVServer: RPCService {
    package static let rpcServiceName = "etcdserverpb.KV"

    private let store: EmbeddedStore

    package init(store: EmbeddedStore) {
        self.store = store
    }

    /// `RangeStream` is new in etcd 3.7, which this does not claim to be; clients fall back to
    /// `Range`.
    package var rpcMethods: [RPCServerMethod] {
        let store = self.store
        return [
            Self.range(store),
            .etcd(Etcd.KVMethods.put) { (request: PutRequest) throws(StoreError) in
                try await store.put(request)
            },
            .etcd(Etcd.KVMethods.deleteRange) { (request: DeleteRangeRequest) throws(StoreError) in
                try await store.deleteRange(request)
            },
            .etcd(Etcd.KVMethods.txn) { (request: TxnRequest) throws(StoreError) in
                try await store.txn(request)
            },
            .etcd(Etcd.KVMethods.compact) { (request: CompactionRequest) throws(StoreError) in
                try await store.compact(request)
            },
        ]
    }

    // MARK: - Range

    /// Answers ranges by copying keys as they are stored.
    private static func range(_ store: EmbeddedStore) -> RPCServerMethod {
        RPCServerMethod(
            method: Etcd.KVMethods.range,
            start: .onRequest { bytes, call in
                let request: RangeRequest
                do {
                    request = try RangeRequest(rpcBytes: bytes)
                } catch let error as StoreError {
                    call.run { throw RPCError(error) }
                    return
                }
                call.run {
                    var failure: StoreError?
                    do {
                        _ = try call.append { sink in
                            do throws(StoreError) {
                                try Self.encodeRange(request, store, to: &sink)
                            } catch {
                                failure = error
                                throw error
                            }
                        }
                    } catch {
                        throw failure.map { RPCError($0) } ?? error
                    }
                }
            }
        )
    }

    private static func encodeRange(
        _ request: RangeRequest,
        _ store: EmbeddedStore,
        to sink: inout RPCByteSink
    ) throws(StoreError) {
        // The closures of the two phases share the sink one after the other.
        var output = RPCByteSink()
        swap(&output, &sink)
        defer { swap(&output, &sink) }
        var tail: (more: Bool, count: Int64) = (false, 0)
        try withUnsafeMutablePointer(to: &output) { output throws(StoreError) in
            try store.visitRange(request) { summary in
                tail = (summary.more, summary.count)
                let header = summary.header
                let count = header.wireByteCount
                output.pointee.append(byteCount: WireSize.message(count)) { buffer in
                    guard let base = buffer.baseAddress else { return }
                    var wire = WireOutput(base)
                    wire.message(0x0A, header)
                }
            } _: { kv in
                output.pointee.append(byteCount: WireSize.message(kv.count)) { buffer in
                    guard let base = buffer.baseAddress else { return }
                    _ = Wire.writeBytes(base, tag: 0x12, kv)
                }
            }
        }
        let size = WireSize.flag(tail.more) + Wire.intFieldCount(tail.count)
        output.append(byteCount: size) { buffer in
            guard let base = buffer.baseAddress else { return }
            var wire = WireOutput(base)
            wire.flag(0x18, tail.more)
            wire.int(0x20, tail.count)
        }
    }
}

extension RPCServerMethod {
    /// A method with one request and one response whose errors are the store's.
    static func etcd<Request: EtcdMessage, Response: EtcdMessage>(
        _ method: RPCMethod,
        _ handler: @escaping @Sendable (Request) async throws(StoreError) -> Response
    ) -> RPCServerMethod {
        RPCServerMethod(
            method: method,
            start: .onRequest { bytes, call in
                let request: Request
                do {
                    request = try Request(rpcBytes: bytes)
                } catch let error as StoreError {
                    call.run { throw RPCError(error) }
                    return
                }
                call.run {
                    let response: Response
                    do throws(StoreError) {
                        response = try await handler(request)
                    } catch {
                        throw RPCError(error)
                    }
                    _ = try call.append { sink in try response.encodeRPC(to: &sink) }
                }
            }
        )
    }
}
