// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation

let usage = """
    Usage: message-benchmarks [--rounds N] [--fixtures DIR] [--loop NAME]

    Measures the codecs against their peers and prints the tables of docs/performance.md.

      --rounds N      rounds of about 40 ms for each operation; the best one counts (default 15)
      --fixtures DIR  where pod.json and node.json are (default: benchmarks/Fixtures of the source)
      --loop NAME     runs one of our operations on the Pod for five seconds, for a profiler:
                      binary-decode, binary-encode, json-decode, json-encode, tree-decode,
                      tree-encode
      --help          this text
    """

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("message-benchmarks: \(message)\n".utf8))
    exit(2)
}

// …/benchmarks/Sources/message-benchmarks/main.swift
let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
var rounds = 15
var fixtures = package.appendingPathComponent("Fixtures").path
var loop: String?
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--help", "-h":
        print(usage)
        exit(0)
    case "--rounds":
        guard let value = arguments.popFirst().flatMap({ Int($0) }), value > 0 else {
            fail("--rounds needs a number above 0")
        }
        rounds = value
    case "--fixtures":
        guard let value = arguments.popFirst() else { fail("--fixtures needs a directory") }
        fixtures = value
    case "--loop":
        guard let value = arguments.popFirst() else { fail("--loop needs a name") }
        loop = value
    default:
        fail("unknown argument: \(argument) (see --help)")
    }
}

do {
    let benchmarks = MessageBenchmarks(
        samples: try Samples(folder: fixtures),
        measurement: Measurement(rounds: rounds)
    )
    if let loop {
        guard try benchmarks.loop(loop) else { fail("--loop: no operation \(loop)") }
    } else {
        try benchmarks.runBinary()
        try benchmarks.runJSON(fixture: "\(fixtures)/pod.json")
        try benchmarks.runTrees()
    }
} catch {
    fail("\(error)")
}
