// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import Testing

@Suite("Base64")
struct Base64Tests {
    struct Pair: Sendable {
        let bytes: [UInt8]
        let text: String
    }

    /// RFC 4648 section 10, and bytes beyond ASCII.
    static let pairs: [Pair] = [
        Pair(bytes: [], text: ""),
        Pair(bytes: Array("f".utf8), text: "Zg=="),
        Pair(bytes: Array("fo".utf8), text: "Zm8="),
        Pair(bytes: Array("foo".utf8), text: "Zm9v"),
        Pair(bytes: Array("foob".utf8), text: "Zm9vYg=="),
        Pair(bytes: Array("fooba".utf8), text: "Zm9vYmE="),
        Pair(bytes: Array("foobar".utf8), text: "Zm9vYmFy"),
        Pair(bytes: [0xFF, 0xEF, 0xBE], text: "/+++"),
        Pair(bytes: [0, 0, 0], text: "AAAA"),
    ]

    @Test("encodes and decodes", arguments: pairs)
    func roundTrip(pair: Pair) throws {
        #expect(Base64.encode(pair.bytes) == pair.text)
        let decoded = try Array(pair.text.utf8).withUnsafeBytes { try Base64.decode($0) }
        #expect(decoded == pair.bytes)
    }

    @Test("skips line ends as Go does")
    func lineEnds() throws {
        let decoded = try Array("Zm9v\r\nYmFy\n".utf8).withUnsafeBytes { try Base64.decode($0) }
        #expect(decoded == Array("foobar".utf8))
    }

    struct BadText: Sendable {
        let text: String
        let failure: Base64.Failure
    }

    static let badTexts: [BadText] = [
        BadText(text: "Z", failure: .truncated),
        BadText(text: "Zg", failure: .truncated),
        BadText(text: "Zg=", failure: .truncated),
        BadText(text: "Zm9vY", failure: .truncated),
        BadText(text: "=", failure: .invalidByte(offset: 0)),
        BadText(text: "Z===", failure: .invalidByte(offset: 1)),
        BadText(text: "Zg==Zg==", failure: .invalidByte(offset: 4)),
        BadText(text: "Zm9v=", failure: .invalidByte(offset: 4)),
        BadText(text: "Zm9-", failure: .invalidByte(offset: 3)),
        BadText(text: "Zm 9v", failure: .invalidByte(offset: 2)),
    ]

    @Test("refuses what is not base 64", arguments: badTexts)
    func refuses(row: BadText) {
        #expect(throws: row.failure) {
            try Array(row.text.utf8).withUnsafeBytes { try Base64.decode($0) }
        }
    }
}
