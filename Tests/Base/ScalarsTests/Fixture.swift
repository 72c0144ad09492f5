// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Files beside the tests, and programs that the tests ask.
enum Fixture {
    /// The folder of the fixtures.
    static let directory: String = {
        let file = #filePath
        let end = file.lastIndex(of: "/") ?? file.startIndex
        return file[..<end] + "/Fixtures"
    }()

    /// The lines of a file in the folder.
    static func lines(of name: String) throws -> [Substring] {
        guard let stream = fopen("\(self.directory)/\(name)", "r") else {
            throw FixtureError(description: "cannot open \(name)")
        }
        defer { fclose(stream) }
        return self.lines(of: stream)
    }

    /// The lines that a shell command prints, or nil when it fails.
    static func lines(ofCommand command: String) -> [Substring]? {
        guard let stream = popen(command, "r") else { return nil }
        let lines = self.lines(of: stream)
        return pclose(stream) == 0 ? lines : nil
    }

    /// Whether Python is there to ask.
    static let hasPython = Fixture.lines(ofCommand: "python3 -c 'print(1)' 2>/dev/null") == ["1"]

    private static func lines(of stream: UnsafeMutablePointer<FILE>) -> [Substring] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}

struct FixtureError: Error, CustomStringConvertible {
    let description: String
}
