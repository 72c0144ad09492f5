// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import SchemaCompiler
import Testing

/// Every limit just below, at and just above.
@Suite("Limits")
struct LimitTests {
    @Test("file size", arguments: [-1, 0, 1])
    func fileBytes(_ excess: Int) {
        let start = "syntax = \"proto3\";\n//"
        let filler = SchemaLimits.fileBytes + excess - start.utf8.count
        let result = compile(start + String(repeating: "x", count: filler))
        #expect(result.hasErrors == (excess > 0))
    }

    @Test("nesting of messages", arguments: [-1, 0, 1])
    func messageNesting(_ excess: Int) {
        let depth = SchemaLimits.messageNesting + excess
        let text =
            String(repeating: "message M { ", count: depth) + String(repeating: "}", count: depth)
        #expect(compile("syntax = \"proto3\";\n" + text).hasErrors == (excess > 0))
    }

    @Test("nesting of groups", arguments: [-1, 0, 1])
    func groupNesting(_ excess: Int) {
        let depth = SchemaLimits.messageNesting + excess - 1
        let text =
            "message M { " + String(repeating: "optional group G = 1 { ", count: depth)
            + String(repeating: "}", count: depth + 1)
        #expect(compile("syntax = \"proto2\";\n" + text).hasErrors == (excess > 0))
    }

    @Test("nesting of option values", arguments: [-1, 0, 1])
    func valueNesting(_ excess: Int) {
        let depth = SchemaLimits.valueNesting + excess
        let value =
            String(repeating: "{ inner ", count: depth - 1) + "{}"
            + String(repeating: "}", count: depth - 1)
        let result = compile(
            """
            syntax = "proto2";
            import "google/protobuf/descriptor.proto";
            message Rule { optional Rule inner = 1; }
            extend google.protobuf.FileOptions { optional Rule rule = 50000; }
            option (rule) = \(value);
            """
        )
        #expect(result.hasErrors == (excess > 0))
    }

    @Test("length of a chain of imports", arguments: [-1, 0, 1])
    func importDepth(_ excess: Int) {
        // main.proto is the first of the chain.
        let last = SchemaLimits.importDepth + excess - 1
        var files: [String: String] = [:]
        for index in 1...last {
            let next = index < last ? "import public \"f\(index + 1).proto\";" : ""
            files["f\(index).proto"] = "syntax = \"proto3\"; \(next)"
        }
        let result = compile("syntax = \"proto3\"; import public \"f1.proto\";", with: files)
        #expect(result.hasErrors == (excess > 0))
    }

    @Test("number of errors")
    func errorCount() {
        let lines = (0..<(2 * SchemaLimits.errorCount)).map { _ in "massage M {}\n" }
        let result = compile("syntax = \"proto3\";\n" + lines.joined())
        // The last line says that there would be more.
        #expect(result.diagnostics.count == SchemaLimits.errorCount + 1)
        #expect(result.diagnostics.last?.message == "too many errors, giving up")
    }

    @Test("a quoted token is cut off")
    func quotedToken() {
        let long = String(repeating: "a", count: 3 * SchemaLimits.quotedTokenBytes)
        let result = compile("syntax = \"proto3\";\n\(long) M {}")
        let shown = String(repeating: "a", count: SchemaLimits.quotedTokenBytes)
        #expect(result.diagnostics.first?.message.hasSuffix("found \"\(shown)...\"") == true)
    }
}
