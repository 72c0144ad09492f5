// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Testing

@testable import LocalCluster

@Suite("LogReader")
struct LogReaderTests {
    /// A data directory of its own, removed at the end.
    private func withLogs(
        _ logs: [String: String],
        _ body: (LogReader) async throws -> Void
    ) async throws {
        var template = Array("/tmp/apus-logs.XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        let layout = ClusterLayout(dataDirectory: folder)
        try ClusterFile.makeFolder(layout.logs)
        for (name, text) in logs {
            try ClusterFile.write(Array(text.utf8), to: layout.log(name), mode: 0o644)
        }
        try await body(LogReader(layout))
        try FolderRemover.remove(folder)
        #expect(access(folder, F_OK) != 0)
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
