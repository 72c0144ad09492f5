// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Testing

@testable import YAML

@Suite("YAML limits") struct LimitTests {
    @Test("limits bytes of input", arguments: [-1, 0, 1])
    func bytes(_ excess: Int) throws {
        var limits = YAML.Limits()
        limits.bytes = 100
        let text = "a: " + String(repeating: "b", count: 97 + excess)
        try expect(excess, .bytes, 100) { try YAML.json(from: Array(text.utf8), limits: limits) }
        let json = "\"" + String(repeating: "b", count: 98 + excess) + "\""
        try expect(excess, .bytes, 100) {
            try YAML.text(fromJSON: Array(json.utf8), limits: limits)
        }
        try expect(excess, .bytes, 100) { try YAML.documents(Array(text.utf8), limits: limits) }
    }

    @Test("limits depth", arguments: [-1, 0, 1])
    func depth(_ excess: Int) throws {
        var limits = YAML.Limits()
        limits.depth = 40
        let depth = 40 + excess
        let flow = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let block = (0..<depth).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        let dashes = String(repeating: "- ", count: depth) + "a"
        let json =
            String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        for text in [flow, block, dashes, json] {
            try expect(excess, .depth, 40) { try YAML.json(from: Array(text.utf8), limits: limits) }
        }
        try expect(excess, .depth, 40) { try YAML.text(fromJSON: Array(flow.utf8), limits: limits) }
        try expect(excess, .depth, 40) { try YAML.text(fromJSON: Array(json.utf8), limits: limits) }
    }

    @Test("limits depth in flow style, unless it is JSON", arguments: [-1, 0, 1])
    func flowDepth(_ excess: Int) throws {
        let maximum = YAML.Limits().flowDepth
        let depth = maximum + excess
        let open = String(repeating: "[", count: depth)
        let close = String(repeating: "]", count: depth)
        // Depth counts what is open: what was closed before does not matter, nor does block style.
        for text in [open + "a" + close, "- - - [[[]]]\n- " + open + "a" + close] {
            try expect(excess, .flowDepth, maximum) { try YAML.json(from: Array(text.utf8)) }
        }
        let json = Array((open + "1" + close).utf8)
        #expect(try YAML.json(from: json) == json)
    }

    @Test("limits depth that comes out of aliases and merges", arguments: [-1, 0, 1])
    func aliasDepth(_ excess: Int) throws {
        var limits = YAML.Limits()
        limits.depth = 40
        // The sequence around, 9 within each of four anchors, one after the other.
        let nest = { (inner: String, count: Int) in
            String(repeating: "[", count: count) + inner + String(repeating: "]", count: count)
        }
        let text =
            "- &a \(nest("1", 9))\n- &b \(nest("*a", 10))\n- &c \(nest("*b", 10))\n"
            + "- \(nest("*c", 10 + excess))"
        try expect(excess, .depth, 40) { try YAML.json(from: Array(text.utf8), limits: limits) }
        let merge = (0..<39 + excess).reduce("{a: 1}") { inner, _ in "{<<: \(inner)}" }
        try expect(excess, .depth, 40) { try YAML.json(from: Array(merge.utf8), limits: limits) }
    }

    @Test("is able to nest as deep as its default, on a small stack", arguments: [-1, 0, 1])
    func defaultDepth(_ excess: Int) throws {
        let depth = YAML.Limits().depth + excess
        let flow = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let merge = (0..<depth - 1).reduce("{a: 1}") { inner, _ in "{<<: \(inner)}" }
        let inner = flow.dropFirst().dropLast()
        for text in [flow, merge, "- &x 1\n- *x\n- " + inner, "- a\n- " + inner] {
            let bytes = Array(text.utf8)
            var limits = YAML.Limits()
            limits.flowDepth = limits.depth
            let error = onSmallStack {
                do throws(YAMLError) {
                    _ = try YAML.convert(bytes, limits: limits)
                    return nil
                } catch {
                    return error
                }
            }
            let expected = YAMLError.limit(.depth, maximum: limits.depth)
            #expect(error == (excess > 0 ? expected : nil))
        }
    }

    @Test("limits nodes", arguments: [-1, 0, 1])
    func nodes(_ excess: Int) throws {
        var limits = YAML.Limits()
        limits.nodes = 50
        // The sequence, then its elements.
        let text = "[" + String(repeating: "1,", count: 48 + excess) + "2]"
        try expect(excess, .nodes, 50) { try YAML.json(from: Array(text.utf8), limits: limits) }
        try expect(excess, .nodes, 50) { try YAML.text(fromJSON: Array(text.utf8), limits: limits) }
    }

    @Test("limits output", arguments: [-1, 0, 1])
    func output(_ excess: Int) throws {
        var limits = YAML.Limits()
        limits.outputBytes = 1000
        let text = "- &a \(String(repeating: "b", count: 494 + excess))\n- *a\n- 1\n"
        // Two strings with quotes, two commas, a digit, two brackets.
        let bytes = 2 * (496 + excess) + 5
        try expect(bytes > 1000 ? 1 : 0, .outputBytes, 1000) {
            try YAML.json(from: Array(text.utf8), limits: limits)
        }
        let json = "\"" + String(repeating: "b", count: 1000 + excess) + "\""
        try expect(excess, .outputBytes, 1000) {
            try YAML.text(fromJSON: Array(json.utf8), limits: limits)
        }
    }

    @Test("limits %TAG directives", arguments: [-1, 0, 1])
    func tagDirectives(_ excess: Int) throws {
        let count = YAML.Limits().tagDirectives + excess
        let directives = (0..<count).map { "%TAG !t\($0)! tag:x,2000:\n" }.joined()
        try expect(excess, .tagDirectives, 64) {
            try YAML.json(from: Array((directives + "--- !t0!a b").utf8))
        }
        // Text that is none does not count.
        let text = "a: |\n" + String(repeating: "  %TAG !a! b\n", count: 100)
        #expect(try YAML.json(from: Array(text.utf8)).count > 1000)
        let units = (directives + "--- a").utf8.flatMap { [$0, 0] as [UInt8] }
        let wide: [UInt8] = [0xFF, 0xFE] + units
        try expect(excess, .tagDirectives, 64) { try YAML.json(from: wide) }
    }

    @Test("limits bytes of tags", arguments: [-1, 0, 1])
    func tagBytes(_ excess: Int) throws {
        var limits = YAML.Limits()
        limits.tagBytes = 1000
        let prefix = String(repeating: "p", count: 99)
        let text =
            "%TAG !t! \(prefix)\n---\n" + String(repeating: "- !t!a b\n", count: 9)
            + "- !t!\(String(repeating: "a", count: 1 + excess + (excess < 0 ? 1 : 0))) b\n"
        try expect(excess, .tagBytes, 1000) {
            try YAML.json(from: Array(text.utf8), limits: limits)
        }
    }

    @Test(
        "refuses alias bombs",
        arguments: [
            // Nine levels of nine, the classic.
            (0..<9).reduce("a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n") { text, level in
                text
                    + "a\(level + 1): &a\(level + 1) [\(String(repeating: "*a\(level),", count: 9))]\n"
            },
            // The same with merges.
            (0..<20).reduce("a0: &a0 {k: v}\n") { text, level in
                text + "a\(level + 1): &a\(level + 1) {<<: [*a\(level), *a\(level), *a\(level)]}\n"
            },
            // In keys there is nothing to expand; in their values there is.
            "a: &a [\(String(repeating: "x,", count: 1000))]\nb: [\(String(repeating: "*a,", count: 1000))]",
        ]
    )
    func bombs(_ text: String) {
        #expect(throws: YAMLError.content("document contains excessive aliasing")) {
            try YAML.json(from: Array(text.utf8))
        }
    }

    @Test("counts aliased nodes as goyaml does")
    func aliasRatio() throws {
        let limits = YAML.AliasLimits.self
        // Free up to 100 nodes out of aliases, and up to 1000 in all.
        #expect(!limits.isExceeded(nodes: 1_001, aliasedNodes: 100))
        #expect(!limits.isExceeded(nodes: 1_000, aliasedNodes: 1_000))
        #expect(limits.isExceeded(nodes: 1_001, aliasedNodes: 1_001))
        // 99% from then on.
        #expect(!limits.isExceeded(nodes: 10_000, aliasedNodes: 9_899))
        #expect(!limits.isExceeded(nodes: 10_000, aliasedNodes: 9_900))
        #expect(limits.isExceeded(nodes: 10_000, aliasedNodes: 9_901))
        #expect(!limits.isExceeded(nodes: 400_000, aliasedNodes: 396_000))
        #expect(limits.isExceeded(nodes: 400_000, aliasedNodes: 396_001))
        // Down to 10% for very large documents.
        #expect(abs(limits.allowedRatio(nodes: 2_200_000) - 0.545) < 1e-12)
        #expect(!limits.isExceeded(nodes: 4_000_000, aliasedNodes: 400_000))
        #expect(limits.isExceeded(nodes: 4_000_000, aliasedNodes: 400_001))
        #expect(limits.isExceeded(nodes: 9_000_000, aliasedNodes: 900_001))
    }

    @Test("refuses the node that goes over 99%", arguments: [-1, 0, 1])
    func aliasRatioOfDocument(_ excess: Int) throws {
        // The document, the outer sequence, the anchored sequence with nine numbers: 12 nodes. Each
        // alias counts itself, and ten nodes out of it.
        let plain = 12
        var nodes = plain
        var aliased = 0
        var aliases = 0
        while true {
            var isExceeded = false
            nodes += 1
            for _ in 0..<10 {
                nodes += 1
                aliased += 1
                isExceeded =
                    isExceeded || YAML.AliasLimits.isExceeded(nodes: nodes, aliasedNodes: aliased)
            }
            if isExceeded { break }
            aliases += 1
            // One in eleven is no node out of an alias: the ratio never gets there.
            if aliases == 5_000 { break }
        }
        #expect(aliases == 5_000)
        // With aliases of aliases only the outermost counts as none: 99.1% then.
        let inner = "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: "
        let enough = { (count: Int) in inner + "[" + String(repeating: "*b,", count: count) + "]" }
        // Each use of b: itself, then b, its ten aliases, and ten nodes for each of them.
        let limit = (1...5_000).first { count in
            // Document, mapping, three keys, a with nine, b with ten aliases of ten nodes, c.
            let base = 1 + 1 + 3 + 10 + 1 + 10 + 100 + 1
            let total = base + count * 112
            return YAML.AliasLimits.isExceeded(nodes: total, aliasedNodes: 100 + count * 111)
        }
        let count = try #require(limit) + excess
        if excess < 0 {
            #expect(try YAML.json(from: Array(enough(count).utf8)).count > count)
        } else {
            #expect(throws: YAMLError.content("document contains excessive aliasing")) {
                try YAML.json(from: Array(enough(count).utf8))
            }
        }
    }

    @Test("takes time in proportion to the input", arguments: LinearCase.all)
    func linearTime(_ sample: LinearCase) throws {
        // The best of several runs in processor time, and of several attempts: others are at work, too.
        var ratio = Double.infinity
        for _ in 0..<4 where ratio > 2.2 {
            let single = seconds(for: sample, count: sample.count)
            let double = seconds(for: sample, count: sample.count * 2)
            ratio = min(ratio, double / single)
        }
        #expect(ratio <= 2.2)
    }
}

/// A shape of input that could take more than its share.
struct LinearCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var count = 6_000
    let make: @Sendable (Int) -> String

    static let all: [LinearCase] = [
        LinearCase(testDescription: "keys") { count in
            (0..<count).map { "key\($0 &* 7_919 % count): value\n" }.joined()
        },
        LinearCase(testDescription: "one key again and again") {
            String(repeating: "key: value\n", count: $0)
        },
        LinearCase(testDescription: "elements") { String(repeating: "- a\n", count: $0) },
        LinearCase(testDescription: "flow at the deepest") { count in
            String(repeating: "[", count: 99) + String(repeating: "a,", count: count)
                + String(repeating: "]", count: 99)
        },
        LinearCase(testDescription: "flow that opens and closes") {
            "[" + String(repeating: "[[[[[[]]]]]],", count: $0) + "]"
        },
        LinearCase(testDescription: "flow keys of flow") {
            "[" + String(repeating: "{a: b, c: d}, ", count: $0) + "]"
        },
        LinearCase(testDescription: "a plain scalar of many lines") {
            "a: b\n" + String(repeating: "  c\n", count: $0)
        },
        LinearCase(testDescription: "blank lines in a plain scalar") {
            "a: b" + String(repeating: "\n", count: $0) + "  c"
        },
        LinearCase(testDescription: "a double-quoted scalar") {
            "\"" + String(repeating: "\\x41\\\n ", count: $0) + "\""
        },
        LinearCase(testDescription: "a literal") { "|\n" + String(repeating: " a\n\n", count: $0) },
        LinearCase(testDescription: "comments") { String(repeating: "# c\n", count: $0) + "a: b" },
        LinearCase(testDescription: "anchors and aliases") { count in
            (0..<count).map { "- &a\($0) x\n- *a\($0 / 2)\n" }.joined()
        },
        LinearCase(testDescription: "tags") { String(repeating: "- !!str a\n", count: $0) },
        LinearCase(testDescription: "tags of a long prefix") {
            "%TAG !t! \(String(repeating: "p", count: 300))\n---\n"
                + String(repeating: "- !t!a b\n", count: $0)
        },
        LinearCase(testDescription: "merges") { count in
            "- &a {x: 1}\n" + String(repeating: "- {<<: *a, y: 1, z: 2, u: 3}\n", count: count)
        },
        LinearCase(testDescription: "documents") { String(repeating: "a: b\n---\n", count: $0) },
        LinearCase(testDescription: "numbers") { String(repeating: "- 123.456e7\n", count: $0) },
    ]
}

/// The least processor time of several conversions.
private func seconds(for sample: LinearCase, count: Int) -> Double {
    let bytes = Array(sample.make(count).utf8)
    var best = Double.infinity
    for _ in 0..<5 {
        let start = processorSeconds()
        if sample.testDescription == "documents" {
            _ = try? YAML.documents(bytes)
        } else {
            _ = try? YAML.convert(bytes)
        }
        best = min(best, processorSeconds() - start)
    }
    return best
}

private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func expect(
    _ excess: Int,
    _ name: YAML.Limits.Name,
    _ maximum: Int,
    _ body: () throws -> some Any,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    if excess > 0 {
        #expect(
            throws: YAMLError.limit(name, maximum: maximum),
            sourceLocation: sourceLocation
        ) {
            _ = try body()
        }
    } else {
        _ = try body()
    }
}

/// Runs work on a thread with the smallest stack that is in use: half a mebibyte.
private func onSmallStack(_ work: @escaping () -> YAMLError?) -> YAMLError? {
    let job = Job(work)
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    pthread_attr_init(attributes)
    pthread_attr_setstacksize(attributes, 512 << 10)
    defer {
        pthread_attr_destroy(attributes)
        attributes.deallocate()
    }
    var thread: pthread_t = 0
    let context = Unmanaged.passUnretained(job).toOpaque()
    let result = pthread_create(
        &thread,
        attributes,
        { context in
            if let context {
                Unmanaged<Job>.fromOpaque(context).takeUnretainedValue().run()
            }
            return nil
        },
        context
    )
    guard result == 0 else { return .outOfMemory }
    pthread_join(thread, nil)
    return withExtendedLifetime(job) { job.error }
}

/// Work that ends in an error or not.
private final class Job {
    private let work: () -> YAMLError?
    private(set) var error: YAMLError?

    init(_ work: @escaping () -> YAMLError?) {
        self.work = work
    }

    func run() {
        self.error = self.work()
    }
}
