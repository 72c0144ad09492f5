// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation

/// CPython's json module, measured by itself in its own process.
struct PythonJSON {
    let version: String
    /// Nanoseconds of processor time.
    let decoding: Double
    let encoding: Double

    private static let script = """
        import json, sys, time
        text = open(sys.argv[1], "rb").read().decode().rstrip("\\n")
        value = json.loads(text)
        def best(run):
            run(); times = []
            for _ in range(int(sys.argv[2])):
                start = time.process_time_ns()
                for _ in range(2000): run()
                times.append((time.process_time_ns() - start) / 2000)
            return min(times)
        print(sys.version.split()[0], best(lambda: json.loads(text)),
              best(lambda: json.dumps(value, separators=(",", ":"))))
        """

    /// Runs python3; nil when there is none.
    init?(fixture: String, rounds: Int) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, fixture, "\(rounds)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        let text = String(decoding: printed, as: UTF8.self)
        process.waitUntilExit()
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 3, let decoding = Double(words[1]), let encoding = Double(words[2])
        else { return nil }
        self.version = String(words[0])
        self.decoding = decoding
        self.encoding = encoding
    }
}
