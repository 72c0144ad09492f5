// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Bytes
package import Engine
internal import EtcdAPI
internal import EtcdCodec
internal import KeyValueStore
internal import RPC
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
            .etcd(Etcd.KVMethods.put) { (request: PutRequest, answer) in
                store.put(request, then: answer)
            },
            .etcd(Etcd.KVMethods.deleteRange) { (request: DeleteRangeRequest, answer) in
                store.deleteRange(request, then: answer)
            },
            .etcd(Etcd.KVMethods.txn) { (request: TxnRequest, answer) in
                store.txn(request, then: answer)
            },
            .etcd(Etcd.KVMethods.compact) { (request: CompactionRequest, answer) in
                store.compact(request, then: answer)
            },
        ]
    }

    // MARK: - Range

    /// The bytes of keys that are encoded before they are handed on.
    private static let partBytes = 64 << 10

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
                    if EmbeddedStore.canOpen(request), let call = call as? any RPCPartsCall,
                        call.takesParts
                    {
                        try await Self.answerInParts(request, store, call)
                    } else {
                        try Self.answer(request, store, call)
                    }
                }
            }
        )
    }

    /// Answers in one piece.
    private static func answer(
        _ request: RangeRequest,
        _ store: EmbeddedStore,
        _ call: any RPCServerCall
    ) throws {
        try Self.encoding { failure in
            _ = try call.append { sink in
                do throws(StoreError) {
                    try Self.encodeRange(request, store, to: &sink)
                } catch {
                    failure = error
                    throw error
                }
            }
        }
    }

    /// Answers as the client reads: however long the range is, one part of it is in memory.
    private static func answerInParts(
        _ request: RangeRequest,
        _ store: EmbeddedStore,
        _ call: any RPCPartsCall
    ) async throws {
        let reading: RangeReading
        do throws(StoreError) {
            reading = try store.openRange(request)
        } catch {
            throw RPCError(error)
        }
        let summary = reading.summary
        func encodePart(_ sink: inout RPCByteSink) throws(StoreError) {
            let end = sink.byteCount + Self.partBytes
            try reading.read { kv in
                Self.encode(kv, to: &sink)
                return sink.byteCount < end
            }
            if reading.isAtEnd { Self.encodeEnd(summary, to: &sink) }
        }
        var hasRoom = try Self.encoding { failure in
            try call.appendStart { sink in
                do throws(StoreError) {
                    Self.encode(summary.header, to: &sink)
                    try encodePart(&sink)
                    if reading.isAtEnd { return 0 }
                    var rest = Self.endByteCount(summary)
                    try reading.measureRest { rest += WireSize.message($0) }
                    return rest
                } catch {
                    failure = error
                    throw error
                }
            }
        }
        while !reading.isAtEnd {
            if !hasRoom { try await call.waitForRoom() }
            hasRoom = try Self.encoding { failure in
                try call.appendPart { sink in
                    do throws(StoreError) {
                        try encodePart(&sink)
                    } catch {
                        failure = error
                        throw error
                    }
                }
            }
        }
    }

    /// Runs `body`; if the store failed in it, throws the store's error as clients see it.
    private static func encoding<Result>(
        _ body: (inout StoreError?) throws -> Result
    ) throws -> Result {
        var failure: StoreError?
        do {
            return try body(&failure)
        } catch {
            throw failure.map { RPCError($0) } ?? error
        }
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
        var found: EmbeddedStore.RangeSummary?
        try withUnsafeMutablePointer(to: &output) { output throws(StoreError) in
            try store.visitRange(request) { summary in
                found = summary
                Self.encode(summary.header, to: &output.pointee)
            } _: { kv in
                Self.encode(kv, to: &output.pointee)
            }
        }
        if let found { Self.encodeEnd(found, to: &output) }
    }

    // MARK: - Fields of a response

    private static func encode(_ header: ResponseHeader, to sink: inout RPCByteSink) {
        sink.append(byteCount: WireSize.message(header.wireByteCount)) { buffer in
            guard let base = buffer.baseAddress else { return }
            var wire = WireOutput(base)
            wire.message(0x0A, header)
        }
    }

    private static func encode(_ kv: UnsafeRawBufferPointer, to sink: inout RPCByteSink) {
        sink.append(byteCount: WireSize.message(kv.count)) { buffer in
            guard let base = buffer.baseAddress else { return }
            _ = Wire.writeBytes(base, tag: 0x12, kv)
        }
    }

    private static func endByteCount(_ summary: EmbeddedStore.RangeSummary) -> Int {
        WireSize.flag(summary.more) + Wire.intFieldCount(summary.count)
    }

    private static func encodeEnd(
        _ summary: EmbeddedStore.RangeSummary,
        to sink: inout RPCByteSink
    ) {
        sink.append(byteCount: Self.endByteCount(summary)) { buffer in
            guard let base = buffer.baseAddress else { return }
            var wire = WireOutput(base)
            wire.flag(0x18, summary.more)
            wire.int(0x20, summary.count)
        }
    }
}

extension RPCServerMethod {
    /// A method with one request and one response, which the store hands to the handler's callback
    /// on whatever thread it has it. No task waits for it where the transport can do without.
    static func etcd<Request: EtcdMessage, Response: EtcdMessage>(
        _ method: RPCMethod,
        _ handler:
            @escaping @Sendable (
                Request, @escaping @Sendable (Result<Response, StoreError>) -> Void
            ) -> Void
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
                if let call = call as? any RPCDeferredCall, call.beginDeferred() {
                    handler(request) { result in
                        switch result {
                        case .success(let response):
                            call.answer { sink in try response.encodeRPC(to: &sink) }
                        case .failure(let error): call.refuse(RPCError(error))
                        }
                    }
                    return
                }
                call.run {
                    let result = await withUnsafeContinuation { continuation in
                        handler(request) { continuation.resume(returning: $0) }
                    }
                    switch result {
                    case .success(let response):
                        _ = try call.append { sink in try response.encodeRPC(to: &sink) }
                    case .failure(let error): throw RPCError(error)
                    }
                }
            }
        )
    }
}
