// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import RPCInterface
import Testing

@testable import RPC

@Suite("Metadata")
struct MetadataCodingTests {
    @Test(
        "knows valid names",
        arguments: [
            ("a", true), ("x-a_b.c-9", true), ("", false), ("X", false), ("a b", false),
            ("ä", false), ("a:b", false), ("a\n", false),
        ]
    )
    func names(_ name: String, _ isValid: Bool) {
        #expect(RPCMetadataRules.isName(name) == isValid)
    }

    @Test(
        "refuses entries that break the rules",
        arguments: [
            ("grpc-status", .text("0")), (":path", .text("/")), ("content-type", .text("x")),
            ("te", .text("x")), ("", .text("x")), ("A", .text("x")), ("a", .text("ä")),
            ("a", .text("a\nb")), ("a", .text(" a")), ("a", .text("a ")), ("a", .text("\u{7f}")),
            ("a-bin", .text("x")), ("a", .binary([1])),
        ] as [(String, Metadata.Content)]
    )
    func refuses(_ name: String, _ value: Metadata.Content) {
        let metadata = Metadata(entries: [Metadata.Entry(name: name, value: value)])
        #expect(throws: RPCMetadataRules.Violation.self) { try RPCMetadataRules.check(metadata) }
        var fields = HeaderFields()
        #expect(throws: RPCError.self) { try MetadataCoding.append(metadata, to: &fields) }
        #expect(fields.isEmpty)
    }

    @Test("goes through header fields unchanged")
    func roundTrip() throws {
        var metadata: Metadata = ["x-one": "1", "x-two": "a, b;c", "x-one": "again", "x-empty": ""]
        for count in 0...7 {
            metadata.add("x-\(count)-bin", binary: [UInt8](repeating: 0xab, count: count))
        }
        metadata.add("x-all-bin", binary: [UInt8](0...255))
        var fields: HeaderFields = [.contentType: "application/grpc", .grpcStatus: "0"]
        try MetadataCoding.append(metadata, to: &fields)
        #expect(MetadataCoding.metadata(from: fields) == metadata)
    }

    @Test("writes binary values without padding")
    func padding() throws {
        var fields = HeaderFields()
        var metadata = Metadata()
        metadata.add("a-bin", binary: [0xff])
        try MetadataCoding.append(metadata, to: &fields)
        #expect(fields.value(at: 0) == "/w")
    }

    @Test(
        "reads base64 with and without padding",
        arguments: [
            ("", []), ("/w", [0xff]), ("/w==", [0xff]), ("//8", [0xff, 0xff]),
            ("//8=", [0xff, 0xff]), (" AQID ", [1, 2, 3]), ("AQID", [1, 2, 3]),
        ] as [(String, [UInt8])]
    )
    func base64(_ text: String, _ bytes: [UInt8]) {
        #expect(Array(text.utf8).withUnsafeBytes { MetadataCoding.decode($0) } == bytes)
    }

    @Test(
        "refuses what is not base64",
        arguments: ["a", "/w=", "/===", "ä", "A-_A", "AQ\nID", "A=B="]
    )
    func notBase64(_ text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { MetadataCoding.decode($0) } == nil)
    }

    @Test("splits binary values that were joined by commas")
    func joined() throws {
        let name = try #require(HeaderName("a-bin"))
        var fields = HeaderFields()
        fields.append(name, "AQ,Ag==, Aw,!")
        let values = MetadataCoding.metadata(from: fields).binaryValues(named: "a-bin")
        #expect(values == [[1], [2], [3]])
    }
}
