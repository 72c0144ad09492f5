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
