// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import KubernetesAPI
import Protobuf
import Scalars
import Testing

@Suite("Envelope")
struct EnvelopeTests {
    @Test("is written as upstream writes it")
    func layout() {
        let sealed = Envelope.seal(CoreV1.LocalObjectReference.with { $0.name = "a" })
        // typeMeta {apiVersion "v1", kind "LocalObjectReference"}, raw {0a 01 61}, two empty texts.
        let head: [UInt8] = [0x0A, 2, 0x76, 0x31, 0x12, 20] + Array("LocalObjectReference".utf8)
        #expect(
            sealed == [0x6B, 0x38, 0x73, 0, 0x0A, UInt8(head.count)] + head
                + [0x12, 3, 0x0A, 1, 0x61, 0x1A, 0, 0x22, 0]
        )
    }

    @Test("gives back what was put in")
    func roundTrip() throws {
        let pod = MessageValueTests.pod()
        let content = try Envelope.open(Envelope.seal(pod))
        #expect(content.typeMeta == TypeMeta(kind: "Pod", apiVersion: "v1"))
        #expect(try CoreV1.Pod(serialized: content.raw) == pod)
        #expect(content.contentType == "")
        let large = AppsV1.Deployment.with {
            $0.metadata.name = String(repeating: "n", count: 40_000)
        }
        let opened = try Envelope.open(Envelope.seal(large))
        #expect(opened.typeMeta.apiVersion == "apps/v1")
        #expect(try AppsV1.Deployment(serialized: opened.raw) == large)
    }

    struct Row: Sendable {
        let name: String
        let bytes: [UInt8]
        let failure: Envelope.Failure
    }

    static let bad: [Row] = [
        Row(name: "nothing", bytes: [], failure: .empty),
        Row(name: "JSON", bytes: Array("{}".utf8), failure: .missingPrefix),
        Row(name: "half a prefix", bytes: [0x6B, 0x38], failure: .missingPrefix),
        Row(name: "another prefix", bytes: [0x6B, 0x38, 0x73, 1], failure: .missingPrefix),
        Row(
            name: "cut content",
            bytes: [0x6B, 0x38, 0x73, 0, 0x12, 5],
            failure: .malformed(.truncated(offset: 1))
        ),
        Row(
            name: "raw as number",
            bytes: [0x6B, 0x38, 0x73, 0, 0x10, 5],
            failure: .malformed(.wrongWireType(field: 2, wireType: 0, offset: 1))
        ),
        Row(
            name: "compressed",
            bytes: [0x6B, 0x38, 0x73, 0, 0x1A, 4] + Array("gzip".utf8),
            failure: .unsupportedEncoding("gzip")
        ),
    ]

    @Test("refuses what is none", arguments: bad)
    func refuses(row: Row) {
        #expect(throws: row.failure, "\(row.name)") { try Envelope.open(row.bytes) }
    }

    private static func outcome(
        _ body: () throws(Envelope.Failure) -> Envelope.Content
    ) -> String {
        do throws(Envelope.Failure) {
            let content = try body()
            return "\(content.typeMeta) \([UInt8](content.raw)) \(content.contentType)"
        } catch {
            return "\(error)"
        }
    }

    @Test("is the same whether its bytes are shared or copied, whatever is wrong with it")
    func shared() throws {
        let sealed = Envelope.seal(CoreV1.LocalObjectReference.with { $0.name = "a" })
        var cases = (0...sealed.count).map { Array(sealed[..<$0]) }
        for index in sealed.indices {
            for byte in [0, 1, 2, 0x0A, 0x12, 0x7F, 0x80, 0xFF] as [UInt8] {
                var changed = sealed
                changed[index] = byte
                cases.append(changed)
            }
        }
        cases += Self.bad.map(\.bytes)
        for bytes in cases {
            let copied = Self.outcome { () throws(Envelope.Failure) in
                try Envelope.open(bytes)
            }
            let shared = Self.outcome { () throws(Envelope.Failure) in
                try Envelope.open(Bytes(bytes))
            }
            #expect(shared == copied, "\(bytes)")
            let raw = try? Envelope.open(bytes).raw
            #expect(Envelope.raw(in: Bytes(bytes)) == raw, "\(bytes)")
        }
    }

    @Test("without type or with unknown fields is read")
    func lenient() throws {
        let bare = try Envelope.open([0x6B, 0x38, 0x73, 0])
        #expect(bare.typeMeta == TypeMeta() && bare.raw.isEmpty)
        let extended = try Envelope.open([0x6B, 0x38, 0x73, 0, 0x12, 1, 0x61, 0x7A, 1, 0x62])
        #expect(extended.raw == "a")
    }
}

@Suite("Values of Kubernetes' own types")
struct ScalarValueTests {
    @Test("times lose what upstream loses")
    func times() {
        let moment = Timestamp(seconds: 1_777_889_472, nanoseconds: 123_456_789)
        #expect(MetaV1.Time(moment).timestamp == Timestamp(seconds: 1_777_889_472))
        #expect(
            MetaV1.MicroTime(moment).timestamp
                == Timestamp(seconds: 1_777_889_472, nanoseconds: 123_456_000)
        )
        #expect(MetaV1.Time().timestamp == nil)
        #expect(MetaV1.Time(.zero).serialized() == [])
    }

    @Test("an unset quantity is written as zero")
    func unsetQuantity() {
        let selector = CoreV1.ResourceFieldSelector()
        #expect(selector.serialized() == [0x0A, 0, 0x12, 0, 0x1A, 3, 0x0A, 1, 0x30])
    }

    @Test("quantities, ports and durations convert both ways")
    func others() throws {
        let quantity = try Scalars.Quantity(parsing: "1536Mi")
        #expect(try Resource.Quantity(quantity).parsed() == quantity)
        #expect(try Resource.Quantity().parsed().description == "0")
        let port: IntStr.IntOrString = "http"
        #expect(port.value == .string("http"))
        #expect((8080 as IntStr.IntOrString).value == .int(8080))
        #expect(MetaV1.Duration(GoDuration(nanoseconds: 5)).goDuration.nanoseconds == 5)
    }
}
