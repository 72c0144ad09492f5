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

    /// The bytes of a file in the folder.
    static func bytes(of name: String) throws -> [UInt8] {
        guard let stream = fopen("\(self.directory)/\(name)", "r") else {
            throw FixtureError(description: "cannot open \(name)")
        }
        defer { fclose(stream) }
        return self.bytes(of: stream)
    }

    /// The pairs of a file of them: first, U+001E, second, U+001D.
    static func pairs(of name: String) throws -> [(first: [UInt8], second: [UInt8])] {
        try self.bytes(of: name).split(separator: 0x1D).map { pair in
            let parts = pair.split(separator: 0x1E, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw FixtureError(description: "no pair in \(name)") }
            return (Array(parts[0]), Array(parts[1]))
        }
    }

    /// What a shell command prints, or nil when it fails.
    static func output(ofCommand command: String) -> [UInt8]? {
        guard let stream = popen(command, "r") else { return nil }
        let bytes = self.bytes(of: stream)
        return pclose(stream) == 0 ? bytes : nil
    }

    /// Whether Python with PyYAML is there to ask.
    static let hasPyYAML = Fixture.output(ofCommand: "python3 -c 'import yaml' 2>/dev/null") == []

    private static func bytes(of stream: UnsafeMutablePointer<FILE>) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}

struct FixtureError: Error, CustomStringConvertible {
    let description: String
}

/// Text for messages and comparisons.
func string(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
}
