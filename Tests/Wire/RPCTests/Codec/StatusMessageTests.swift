// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import RPC

@Suite("StatusMessage")
struct StatusMessageTests {
    @Test(
        "encodes and decodes",
        arguments: [
            ("", ""), ("plain text, with ~ and spaces", "plain text, with ~ and spaces"),
            ("100%", "100%25"), ("a\nb", "a%0Ab"),
            (
                "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n",
                "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A"
            ),
            ("\u{7f}\u{0}", "%7F%00"), ("é", "%C3%A9"),
        ]
    )
    func roundTrip(_ text: String, _ encoded: String) {
        #expect(StatusMessage.encode(text) == encoded)
        #expect(StatusMessage.decode(encoded) == text)
    }

    @Test(
        "lets malformed escapes stand",
        arguments: [
            ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("a%2", "a%2"), ("%%41", "%A"),
            ("%c3%a9", "é"), ("%FF", "\u{fffd}"),
        ]
    )
    func lenient(_ encoded: String, _ text: String) {
        #expect(StatusMessage.decode(encoded) == text)
    }

    @Test(
        "cuts at a whole character",
        arguments: [
            ("abc", 2, "ab"), ("abc", 3, "abc"), ("ab☺", 10, "ab"), ("ab☺", 11, "ab%E2%98%BA"),
            ("☺", 8, ""), ("", 0, ""),
        ]
    )
    func cuts(_ text: String, _ limit: Int, _ expected: String) {
        #expect(StatusMessage.encode(text, limit: limit) == expected)
    }
}
