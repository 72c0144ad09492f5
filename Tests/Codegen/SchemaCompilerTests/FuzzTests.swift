// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Descriptors
import SchemaCompiler
import Testing

/// A small generator with a seed, so that every run is the same.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let mixed = (self.state ^ (self.state >> 33)) &* 0xff51_afd7_ed55_8ccd
        return mixed ^ (mixed >> 29)
    }
}

@Suite("Fuzzing")
struct FuzzTests {
    @Test(
        "every cut of a schema ends in an error or in descriptors",
        arguments: ["comments2.proto"]
    )
    func truncation(_ name: String) throws {
        let bytes = try #require(try Self.read(name))
        for end in bytes.indices { bytes[..<end].withUnsafeBytes { _ = fuzzSchemaParser($0) } }
    }

    @Test(
        "schemas with bytes and words changed end in errors or in descriptors",
        arguments: Repository.schemas(in: Repository.valid),
    )
    func mutations(_ name: String) throws {
        let bytes = try #require(try Self.read(name))
        var random = Seeded(state: UInt64(bytes.count))
        for _ in 0..<60 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                Self.mutate(&changed, &random)
            }
            changed.withUnsafeBytes { _ = fuzzSchemaParser($0) }
        }
    }

    @Test("a good schema gives descriptors")
    func good() {
        let text = Array("syntax = \"proto3\"; message M { map<string, M> m = 1; }".utf8)
        let set = text.withUnsafeBytes { fuzzSchemaParser($0) }
        #expect(set?.files.first?.messages.first?.name == "M")
    }

    @Test(
        "deep nesting of every bracket ends",
        arguments: [
            "{", "[", "(", "<", "message M {", "a.", "-", "\"\\", "/*", "oneof o {",
            "option (a) = {", "option (a) = { b: [{",
        ]
    )
    func deep(_ piece: String) {
        for prefix in ["", "syntax = \"proto2\"; message M { optional int32 a = 1 "] {
            let text = Array((prefix + String(repeating: piece, count: 20_000)).utf8)
            text.withUnsafeBytes { _ = fuzzSchemaParser($0) }
        }
    }

    private static func read(_ name: String) throws -> [UInt8]? {
        try LocalFileSystem().read("\(Repository.valid)/\(name)", limit: 1 << 20)
    }

    private static let words = [
        "message", "enum", "oneof", "map<", "optional", "repeated", "group", "extend", "extensions",
        "reserved", "max", "to", "option", "(", ")", "{", "}", "[", "]", ";", "=", "-", "\"", "'",
        "\\",
        "0x", "1e400", "99999999999999999999", "-9223372036854775809", "stream", "rpc", "import",
        "default", "json_name", "packed", "/*", "*/", "//", "\0", "\u{feff}", "nan", "inf", ".",
        "..",
    ]

    private static func mutate(_ bytes: inout [UInt8], _ random: inout Seeded) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1:
            bytes.remove(at: at)
        case 2:
            bytes.insert(
                contentsOf: Array((Self.words.randomElement(using: &random) ?? "").utf8),
                at: at
            )
        case 3:
            let end = min(bytes.count, at + Int.random(in: 1...40, using: &random))
            bytes.removeSubrange(at..<end)
        default:
            let end = min(bytes.count, at + Int.random(in: 1...60, using: &random))
            let to = Int.random(in: bytes.indices, using: &random)
            bytes.insert(contentsOf: bytes[at..<end], at: to)
        }
    }
}
