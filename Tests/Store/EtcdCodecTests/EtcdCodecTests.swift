// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import EtcdAPI
import KeyValueStore
import Protobuf
import RPCInterface
import StoreTestSupport
import Testing

@testable import EtcdCodec

/// The direct codec against the generated one, which knows nothing of it.
@Suite("EtcdCodec")
struct EtcdCodecTests {
    private static func encode(_ message: some RPCMessage) throws -> [UInt8] {
        var sink = RPCByteSink()
        try message.encodeRPC(to: &sink)
        return sink.withBytes { Array($0) }
    }

    private static func decode<Message: RPCMessage>(
        _ type: Message.Type,
        _ bytes: [UInt8]
    ) throws -> Message {
        try bytes.withUnsafeBytes { try Message(rpcBytes: $0) }
    }

    /// Checks that `value` comes back from its encoding, that the generated type reads the same
    /// message, and that no part of the encoding brings the reader down.
    private static func check<Value: EtcdMessage & Equatable, Generated: RPCMessage>(
        _ value: Value,
        _ generated: Generated.Type,
        _ comment: String
    ) throws {
        let bytes = try self.encode(value)
        #expect(bytes.count == value.wireByteCount, "\(comment)")
        #expect(try self.decode(Value.self, bytes) == value, "\(comment)")
        let other = try self.encode(self.decode(Generated.self, bytes))
        #expect(try self.decode(Value.self, other) == value, "\(comment)")
        for end in 0..<min(bytes.count, 120) {
            _ = try? self.decode(Value.self, Array(bytes[..<end]))
        }
    }

    @Test("reads and writes what the generated types do, for random requests")
    func requests() throws {
        for seed in 1...UInt64(6) {
            var generator = RequestGenerator(seed: seed)
            for step in 0..<100 {
                let comment = "seed \(seed), step \(step)"
                switch generator.step(revision: 50, compactRevision: 7) {
                case .range(let request):
                    try Self.check(request, Etcd.RangeRequest.self, comment)
                case .put(let request):
                    try Self.check(request, Etcd.PutRequest.self, comment)
                case .deleteRange(let request):
                    try Self.check(request, Etcd.DeleteRangeRequest.self, comment)
                case .txn(let request):
                    try Self.check(request, Etcd.TxnRequest.self, comment)
                case .compact(let revision):
                    let request = CompactionRequest(revision: revision, physical: step % 2 == 0)
                    try Self.check(request, Etcd.CompactionRequest.self, comment)
                case .grant, .revoke, .restart: continue
                }
            }
        }
    }

    static let header = ResponseHeader(
        clusterID: .max,
        memberID: 1 << 63,
        revision: 300,
        raftTerm: 4
    )

    static let keyValue = KeyValue(
        key: [0, 255],
        createRevision: 2,
        modRevision: 1 << 40,
        version: 3,
        value: Bytes([UInt8](repeating: 7, count: 300)),
        lease: -5
    )

    @Test("reads and writes what the generated types do, for responses")
    func responses() throws {
        let range = RangeResponse(
            header: Self.header,
            kvs: [Self.keyValue, KeyValue(key: "a")],
            more: true,
            count: 17
        )
        let put = PutResponse(header: Self.header, prevKV: Self.keyValue)
        let deletion = DeleteRangeResponse(
            header: Self.header,
            deleted: 1,
            prevKVs: [Self.keyValue]
        )
        let txn = TxnResponse(
            header: Self.header,
            succeeded: true,
            responses: [
                .range(range), .put(put), .deleteRange(deletion),
                .txn(TxnResponse(responses: [.put(PutResponse())])),
            ]
        )
        try Self.check(range, Etcd.RangeResponse.self, "range")
        try Self.check(RangeResponse(), Etcd.RangeResponse.self, "empty range")
        try Self.check(put, Etcd.PutResponse.self, "put")
        try Self.check(deletion, Etcd.DeleteRangeResponse.self, "deletion")
        try Self.check(txn, Etcd.TxnResponse.self, "txn")
        try Self.check(
            CompactionResponse(header: Self.header),
            Etcd.CompactionResponse.self,
            "compaction"
        )
    }

    @Test("reads and writes what the generated types do, for watches")
    func watches() throws {
        let create = WatchCreateRequest(
            key: "a",
            rangeEnd: [0],
            startRevision: 9,
            progressNotify: true,
            filters: [.noPut, .noDelete],
            prevKV: true,
            watchID: -1,
            fragment: true
        )
        for request in [.create(create), .cancel(7), .cancel(0), .progress] as [WatchStreamRequest]
        {
            try Self.check(request, Etcd.WatchRequest.self, "\(request)")
        }
        let events = [
            Event(type: .put, kv: Self.keyValue, prevKV: KeyValue(key: "b")),
            Event(type: .delete, kv: KeyValue(key: "a", modRevision: 5)),
        ]
        let responses = [
            WatchResponse(header: Self.header, watchID: 3, events: WatchEvents(events)),
            WatchResponse(header: Self.header, watchID: -1),
            WatchResponse(
                watchID: 3,
                created: true,
                canceled: true,
                compactRevision: 4,
                cancelReason: "é",
                fragment: true
            ),
        ]
        for response in responses {
            try Self.check(response, Etcd.WatchResponse.self, "\(response.watchID)")
        }
    }

    @Test("skips fields that it does not know, and takes filters one by one")
    func unknownFields() throws {
        // Field 100 as number, bytes, 32 and 64 bits, around a key.
        let bytes: [UInt8] =
            [0xA0, 0x06, 5, 0xA2, 0x06, 1, 9, 0xA5, 0x06, 1, 2, 3, 4]
            + [0x0A, 1, 97, 0xA1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]
        #expect(try Self.decode(RangeRequest.self, bytes) == RangeRequest(key: "a"))
        let filters = try Self.decode(WatchCreateRequest.self, [0x0A, 1, 97, 0x28, 0, 0x28, 1])
        #expect(filters.filters == [.noPut, .noDelete])
    }

    @Test(
        "refuses what is no message",
        arguments: [
            [0x0A], [0x0A, 5, 1], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x18], [0x18, 0x80],
            [0x07], [0x0B], [0x80],
            [0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ] as [[UInt8]]
    )
    func malformed(bytes: [UInt8]) {
        #expect(throws: (any Error).self) { try Self.decode(RangeRequest.self, bytes) }
        #expect(throws: (any Error).self) { try Self.decode(PutRequest.self, bytes) }
        #expect(throws: (any Error).self) { try Self.decode(TxnRequest.self, bytes) }
    }

    @Test("refuses transactions that are nested without end")
    func depth() throws {
        var bytes: [UInt8] = []
        for _ in 0..<200 {
            let inner = [0x22] + Self.varint(bytes.count) + bytes
            bytes = [0x12] + Self.varint(inner.count) + inner
        }
        #expect(throws: MalformedMessage.depth) { try Self.decode(TxnRequest.self, bytes) }
    }

    private static func varint(_ number: Int) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    @Test("survives random damage")
    func damage() throws {
        var random = SeededGenerator(seed: 11)
        for seed in 1...UInt64(300) {
            var generator = RequestGenerator(seed: seed)
            var txn: TxnRequest?
            while txn == nil {
                if case .txn(let found) = generator.step(revision: 9, compactRevision: 2) {
                    txn = found
                }
            }
            var bytes = try txn.map { try Self.encode($0) } ?? []
            if bytes.isEmpty { continue }
            for _ in 0..<4 {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
                for kind in UInt8(0)..<12 { ([kind] + bytes).withUnsafeBytes(fuzzEtcdMessages) }
            }
        }
    }
}
