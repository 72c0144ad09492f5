// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import Testing

@Suite("FieldSyntax")
struct FieldSyntaxTests {
    @Test(
        "knows names of protocols, with and without a version",
        arguments: [
            ("websocket", true), ("h2c", true), ("SPDY/3.1", true), ("HTTP/2.0", true),
            ("raw-echo", true), ("", false), ("/", false), ("SPDY/", false), ("/3.1", false),
            ("a/b/c", false), ("a b", false), ("a\r\nx: y", false), ("a/1\r\n", false),
            ("a,b", false), ("\"a\"", false), ("ä", false),
        ]
    )
    func protocols(text: String, isProtocol: Bool) {
        #expect(FieldSyntax.isProtocol(text) == isProtocol)
    }
}
