// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Testing

@testable import PKI

/// A folder that lives as long as the value does.
final class TemporaryFolder {
    let path: String

    init() throws {
        // mkdtemp(3) wants six of them at the end.
        let pattern = "/tmp/apus-pki-tests." + String(repeating: "X", count: 6)
        var template = Array(pattern.utf8CString)
        let made = mkdtemp(&template) != nil
        try #require(made, "mkdtemp: \(systemErrorText(errno))")
        self.path = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
    }

    deinit {
        _ = try? run("rm", "-rf", self.path)
    }

    func file(_ name: String) -> String {
        "\(self.path)/\(name)"
    }

    /// Writes a file and gives its path.
    @discardableResult
    func write(_ text: some StringProtocol, to name: String) throws -> String {
        try File.write(text.utf8, to: self.file(name), mode: File.secretMode)
        return self.file(name)
    }

    func read(_ name: String) throws -> [UInt8] {
        try File.read(self.file(name))
    }
}
