// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Registry

@Suite("ContinueToken")
struct ContinueTokenTests {
    @Test(
        "comes back as it was",
        arguments: [
            (Int64(1), "default/a\u{0}"), (-1, "a\u{0}"), (9_000_000_000, "x/y\"z\\\u{0}"),
            (5, "ns/ä€😀\u{0}"),
        ]
    )
    func roundTrip(revision: Int64, start: String) throws {
        let token = ContinueToken(revision: revision, start: Array(start.utf8))
        #expect(ContinueToken(parsing: token.text) == token)
    }

    @Test("is what upstream makes of the same place")
    func golden() {
        let token = ContinueToken(revision: 33, start: Array("kube-node-lease\u{0}".utf8))
        #expect(
            token.text
                == "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MzMsInN0YXJ0Ijoia3ViZS1ub2RlLWxlYXNlXHUwMDAwIn0K"
        )
    }

    @Test(
        "refuses what it did not make",
        arguments: [
            "", "x", "%%%", "bnVsbA", "e30",
            // {"v":"meta.k8s.io/v2","rv":1,"start":"a"}
            "eyJ2IjoibWV0YS5rOHMuaW8vdjIiLCJydiI6MSwic3RhcnQiOiJhIn0",
            // rv 0
            "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0",
            // start ../x
            "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi94In0",
            // start empty
            "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIifQ",
        ]
    )
    func bad(text: String) {
        #expect(ContinueToken(parsing: text) == nil)
    }
}

@Suite("AddressRange")
struct AddressRangeTests {
    @Test(
        "knows its first address",
        arguments: [
            ("10.96.0.0/12", "10.96.0.1"), ("10.97.3.4/12", "10.96.0.1"),
            ("192.168.1.0/24", "192.168.1.1"),
        ]
    )
    func first(text: String, address: String) {
        #expect(AddressRange(text)?.first == address)
    }

    @Test(
        "refuses what is no range",
        arguments: [
            "", "10.0.0.0", "10.0.0.0/7", "10.0.0.0/31", "10.0.0/24", "10.0.0.256/24", "a/24",
            "10.0.00.0/24", "fd00::/64",
        ]
    )
    func bad(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(
        "contains addresses but for the outermost",
        arguments: [
            ("10.0.0.0", false), ("10.0.0.1", true), ("10.0.0.254", true), ("10.0.0.255", false),
            ("10.0.1.1", false), ("x", false),
        ]
    )
    func contains(text: String, isInside: Bool) {
        #expect(AddressRange("10.0.0.0/24")?.contains(text) == isInside)
    }
}
