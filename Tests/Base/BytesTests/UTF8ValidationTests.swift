// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Testing

@Suite("UTF-8 validation")
struct UTF8ValidationTests {
    struct Row: Sendable {
        let name: String
        let bytes: [UInt8]
        let offset: Int?
    }

    static let rows: [Row] = [
        Row(name: "empty", bytes: [], offset: nil),
        Row(name: "ASCII", bytes: Array("hello, world".utf8), offset: nil),
        Row(name: "two, three and four bytes", bytes: Array("aÄ中🙂b".utf8), offset: nil),
        Row(
            name: "first and last of each length",
            bytes: [0xC2, 0x80, 0xDF, 0xBF, 0xE0, 0xA0, 0x80, 0xEF, 0xBF, 0xBF]
                + [0xF0, 0x90, 0x80, 0x80, 0xF4, 0x8F, 0xBF, 0xBF],
            offset: nil
        ),
        Row(
            name: "around the surrogates",
            bytes: [0xED, 0x9F, 0xBF, 0xEE, 0x80, 0x80],
            offset: nil
        ),
        Row(name: "lone continuation", bytes: [0x61, 0x80], offset: 1),
        Row(name: "overlong slash", bytes: [0xC0, 0xAF], offset: 0),
        Row(name: "overlong in three", bytes: [0xE0, 0x9F, 0xBF], offset: 0),
        Row(name: "overlong in four", bytes: [0xF0, 0x8F, 0xBF, 0xBF], offset: 0),
        Row(name: "surrogate", bytes: [0x61, 0xED, 0xA0, 0x80], offset: 1),
        Row(name: "above U+10FFFF", bytes: [0xF4, 0x90, 0x80, 0x80], offset: 0),
        Row(name: "no lead byte", bytes: [0xF8, 0x88, 0x80, 0x80, 0x80], offset: 0),
        Row(name: "cut in two", bytes: [0x61, 0xC3], offset: 1),
        Row(name: "cut in three", bytes: [0xE4, 0xB8], offset: 0),
        Row(name: "cut in four", bytes: [0xF0, 0x9F, 0x99], offset: 0),
        Row(name: "behind eight plain bytes", bytes: Array("12345678".utf8) + [0xFF], offset: 8),
    ]

    @Test("finds the first invalid byte", arguments: rows)
    func firstInvalidOffset(row: Row) {
        let found = row.bytes.withUnsafeBytes { UTF8Validation.firstInvalidOffset(in: $0) }
        #expect(found == row.offset, "\(row.name)")
    }

    @Test("agrees with the standard library on every pair of bytes behind a lead")
    func agreesWithStandardLibrary() {
        for lead in UInt8(0xC0)...0xFF {
            for second in stride(from: 0, through: 255, by: 7) {
                let bytes: [UInt8] = [lead, UInt8(second), 0x80, 0xBF, 0x41]
                let isValid = String(validating: bytes, as: UTF8.self) != nil
                let found = bytes.withUnsafeBytes { UTF8Validation.firstInvalidOffset(in: $0) }
                #expect((found == nil) == isValid, "\(bytes)")
            }
        }
    }
}
