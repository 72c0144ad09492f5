// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import Testing

@Suite("JSONWriter, compacting") struct CompactingTests {
    private static func compact(_ text: String) throws -> String {
        var writer = JSONWriter()
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBytes { try writer.append(compacting: $0) }
        return writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "drops white space and escapes what HTML gives a meaning, wherever it is",
        arguments: [
            ("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u{2028}", "\\u2028"),
            ("\u{2029}", "\\u2029"), (" ", " "), ("é", "é"), ("\\\"", "\\\""), ("=", "="),
            (":", ":"), ("%", "%"), ("'", "'"), ("!", "!"), ("\\u0020", "\\u0020"), ("~", "~"),
        ]
    )
    func everywhere(special: String, expected: String) throws {
        for before in 0..<24 {
            for after in 0..<10 {
                let head = String(repeating: "a", count: before)
                let tail = String(repeating: "b", count: after)
                let plain = "{\"f:\(head)\(special)\(tail)\":{\".\":{}},\"x\":[1,true,null]}"
                let compact = "{\"f:\(head)\(expected)\(tail)\":{\".\":{}},\"x\":[1,true,null]}"
                #expect(try Self.compact(plain) == compact)
                for space in [" ", "\n", "\t", "\r"] {
                    let wide =
                        "{\"f:\(head)\(special)\(tail)\":\(space){\".\":{}},\"x\":[1,true,null]}"
                    #expect(try Self.compact(wide) == compact)
                }
            }
        }
    }

    @Test("checks what it passes on", arguments: ["", "{", "{\"a\":}", "[1,]", "1 2", "\u{1}"])
    func bad(text: String) {
        #expect(throws: JSONError.self) { try Self.compact(text) }
    }
}
