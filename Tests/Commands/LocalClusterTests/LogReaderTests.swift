// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import TestFolders
import Testing

@testable import LocalCluster

@Suite("LogReader")
struct LogReaderTests {
    /// Logs in a data directory of their own.
    private func withLogs(
        _ logs: [String: String],
        _ body: (LogReader) async throws -> Void
    ) async throws {
        let folder = TemporaryDirectory()
        let layout = ClusterLayout(dataDirectory: folder.path)
        try ClusterFile.makeFolder(layout.logs)
        for (name, text) in logs {
            try ClusterFile.write(Array(text.utf8), to: layout.log(name), mode: 0o644)
        }
        try await body(LogReader(layout))
        withExtendedLifetime(folder) {}
    }

    @Test("hands over whole lines, the last ones when it is asked for them")
    func lines() async throws {
        try await self.withLogs(["etcd": "a\nb\nc\nhalf", "kubelet": "", "x": "\n\n"]) { reader in
            #expect(reader.names == ["etcd", "kubelet", "x"])
            var lines: [String] = []
            try await reader.read(reader.names, last: nil, follows: false) { name, line in
                lines.append("\(name):\(line)")
            }
            #expect(lines == ["etcd:a", "etcd:b", "etcd:c", "x:", "x:"])
            lines = []
            try await reader.read(["etcd"], last: 2, follows: false) { name, line in
                lines.append("\(name):\(line)")
            }
            #expect(lines == ["etcd:b", "etcd:c"])
        }
    }
}
