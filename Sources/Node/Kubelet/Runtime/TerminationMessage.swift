// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NodeAPI
import NodeHost
import Protobuf

/// What a container left as its last words.
///
/// Source: upstream `pkg/kubelet/kuberuntime/kuberuntime_container.go` (`getTerminationMessage`).
enum TerminationMessage {
    /// The most that is taken of a file.
    static let fileLimit = 4096
    /// The most that is taken of a log.
    static let logLimit = 2048
    static let logLines = 80

    /// Reads the message. Blocks.
    ///
    /// - Parameter fallback: what the runtime said.
    static func read(
        _ status: CRI.ContainerStatus,
        exitCode: Int32,
        fallback: String
    ) -> String {
        let path = status.annotations[RuntimeLabels.messagePath] ?? ""
        var message = ""
        if !path.isEmpty,
            let mount = status.mounts.first(where: { $0.containerPath == path }),
            let file = HostFiles.status(mount.hostPath, follows: false),
            file.st_mode & S_IFMT == S_IFREG,
            let bytes = try? HostFiles.read(mount.hostPath, limit: Self.fileLimit)
        {
            message = String(decoding: bytes, as: UTF8.self)
        }
        let policy = status.annotations[RuntimeLabels.messagePolicy]
        if message.isEmpty, policy == "FallbackToLogsOnError", exitCode != 0 {
            message = self.tail(of: status.logPath)
        }
        if message.isEmpty { return fallback }
        return fallback.isEmpty ? message : "\(message): \(fallback)"
    }

    /// The end of a log in CRI's format, without times.
    private static func tail(of path: String) -> String {
        guard let status = HostFiles.status(path) else { return "" }
        let size = Int(status.st_size)
        let wanted = min(size, Self.logLimit * 4)
        guard let bytes = try? FileRange.read(path, offset: size - wanted, count: wanted) else {
            return ""
        }
        var lines: [String] = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4 else { continue }
            lines.append(String(fields[3]))
        }
        let text = lines.suffix(Self.logLines).map { $0 + "\n" }.joined()
        return String(decoding: Array(text.utf8).suffix(Self.logLimit), as: UTF8.self)
    }
}

/// A part of a file.
enum FileRange {
    static func read(_ path: String, offset: Int, count: Int) throws(HostError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw HostError("open", path) }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: count)
        let read = pread(file, &buffer, count, offset)
        guard read >= 0 else { throw HostError("read", path) }
        return Array(buffer[..<read])
    }
}
